// Names that do harm in one use and make plain data in another: which use is it?

#include <algorithm>
#include <iterator>

#include "formats/torch/global_lists.h"
#include "formats/torch/globals.h"
#include "formats/torch/pickled_bytes.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

constexpr int kMaxNesting = 4;

void mark(PickleTree& tree, int depth);

const PickleGlobal* global_of(const PickleTree& tree, PickleId id) {
  if (id == kNoPickle || tree[id].kind != Kind::kGlobal) return nullptr;
  return &tree.globals[static_cast<size_t>(tree[id].integer)];
}

bool is_text(const PickleTree& tree, PickleId id) { return tree[id].kind == Kind::kString; }

/// getattr of a function of tensors or of a constant of torch, and of a member of a class that is
/// judged for itself.
bool is_harmless_getattr(const PickleTree& tree, const PickleNode& call) {
  const auto& arguments = tree[call.arguments].items;
  if (arguments.size() != 2 || !is_text(tree, arguments[1])) return false;
  const PickleGlobal* owner = global_of(tree, arguments[0]);
  const std::string& name = tree[arguments[1]].text;
  if (owner == nullptr || owner->computed) return false;
  const std::string whole = owner->module + "." + owner->name;
  if (whole == "torch._C._VariableFunctionsClass" || whole == "torch._C._VariableFunctions") {
    return is_tensor_function(name);
  }
  if (whole == "torch._utils.torch" || whole == "torch._tensor.torch" || whole == "torch.torch") {
    return is_safe_global("torch", name);
  }
  const bool member = !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
  return member && name.find('.') == name.npos &&
         judge_global(*owner).verdict == GlobalVerdict::kUnknown;
}

/// partial of a function or class that is judged for itself, before and after BUILD.
bool is_harmless_partial(const PickleTree& tree, const PickleNode& call) {
  const auto is_judged = [&](const PickleNode& arguments) {
    if (arguments.kind != Kind::kTuple || arguments.items.empty()) return false;
    const PickleGlobal* function = global_of(tree, arguments.items[0]);
    return function != nullptr && judge_global(*function).verdict != GlobalVerdict::kDangerous;
  };
  return is_judged(tree[call.arguments]) &&
         std::all_of(call.states.begin(), call.states.end(),
                     [&](PickleId state) { return is_judged(tree[state]); });
}

/// A stream of torch.save before 1.6: five pickles of plain data.
bool is_plain_stream(std::span<const std::byte> bytes, int depth) {
  constexpr int kPickles = 5;
  if (depth > kMaxNesting) return false;
  uint64_t position = 0;
  for (int i = 0; i < kPickles; ++i) {
    auto tree = read_pickle(bytes.subspan(position), {}, position);
    if (!tree) return false;
    mark(*tree, depth);
    for (const PickleGlobal& global : tree->globals) {
      if (judge_global(global).verdict != GlobalVerdict::kSafe) return false;
    }
    position += tree->bytes_read;
  }
  return true;
}

bool is_harmless_load(const PickleTree& tree, const PickleNode& call, int depth) {
  const auto& arguments = tree[call.arguments].items;
  if (arguments.size() != 1) return false;
  const auto given = pickled_bytes(tree, arguments[0], nullptr);
  return given && is_plain_stream(given->bytes, depth + 1);
}

bool is_harmless_call(const PickleTree& tree, const PickleGlobal& callee, const PickleNode& call,
                      int depth) {
  if (callee.name == "getattr") return is_harmless_getattr(tree, call);
  if (callee.name == "partial") return is_harmless_partial(tree, call);
  if (callee.name == "_load_from_bytes") return is_harmless_load(tree, call, depth);
  return tree[call.arguments].items.size() == 1;  // type(None)
}

/// What may be harmless: functions by their calls, owners by being the first argument of getattr.
bool is_candidate(const PickleGlobal& global) {
  constexpr std::string_view kNames[] = {"__builtin__.getattr",
                                         "builtins.getattr",
                                         "builtins.type",
                                         "__builtin__.type",
                                         "functools.partial",
                                         "_functools.partial",
                                         "torch.storage._load_from_bytes"};
  const std::string whole = global.module + "." + global.name;
  return std::find(std::begin(kNames), std::end(kNames), whole) != std::end(kNames);
}

bool is_owner(const PickleGlobal& global) {
  constexpr std::string_view kNames[] = {"torch._C._VariableFunctionsClass",
                                         "torch._C._VariableFunctions", "torch._utils.torch",
                                         "torch._tensor.torch", "torch.torch"};
  const std::string whole = global.module + "." + global.name;
  return std::find(std::begin(kNames), std::end(kNames), whole) != std::end(kNames);
}

/// Calls visit(id) for each node that `node` uses, its callee aside.
template <class Visit>
void visit_uses(const PickleNode& node, const Visit& visit) {
  for (const PickleId id : {node.arguments, node.keywords}) {
    if (id != kNoPickle) visit(id);
  }
  for (const auto* list : {&node.states, &node.items, &node.entries}) {
    for (const PickleId id : *list) visit(id);
  }
}

void mark(PickleTree& tree, int depth) {
  std::vector<bool> wanted(tree.globals.size()), spoiled(tree.globals.size());
  bool any = false;
  for (size_t i = 0; i < tree.globals.size(); ++i) {
    wanted[i] = is_candidate(tree.globals[i]) || is_owner(tree.globals[i]);
    any = any || wanted[i];
  }
  if (!any) return;
  const auto index = [&](PickleId id) {
    return id != kNoPickle && tree[id].kind == Kind::kGlobal ? static_cast<size_t>(tree[id].integer)
                                                             : SIZE_MAX;
  };
  // A tuple that is the argument of a harmless getattr may name an owner; nothing else may.
  std::vector<bool> excused(tree.nodes.size());
  for (const PickleNode& node : tree.nodes) {
    if (node.kind != Kind::kCall) continue;
    const size_t callee = index(node.callee);
    if (callee == SIZE_MAX || !wanted[callee]) continue;
    const PickleGlobal& global = tree.globals[callee];
    if (is_candidate(global) && is_harmless_call(tree, global, node, depth)) {
      excused[node.arguments] = global.name == "getattr";
    } else {
      spoiled[callee] = true;
    }
  }
  for (PickleId id = 0; id < tree.nodes.size(); ++id) {
    if (excused[id]) continue;
    visit_uses(tree[id], [&](PickleId used) {
      const size_t i = index(used);
      if (i != SIZE_MAX) spoiled[i] = true;
    });
  }
  if (const size_t i = index(tree.root); i != SIZE_MAX) spoiled[i] = true;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const bool used = tree.globals[i].called || is_owner(tree.globals[i]);
    if (wanted[i] && used && !spoiled[i]) tree.globals[i].harmless = true;
  }
}

}  // namespace

void mark_harmless_uses(PickleTree& tree) { mark(tree, 0); }

}  // namespace lanthorn
