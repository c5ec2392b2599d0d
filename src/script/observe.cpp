// Programs that are interpreted: what is asked of the data is worked out on the inputs at hand, by
// running the nodes that lead to it.
#include "script/observe.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/check.h"
#include "ops/op.h"
#include "script/graph_lowering.h"

namespace lanthorn::script {
namespace {

/// Values up to this become constants of the graph once they were asked for.
constexpr int64_t kMaxObserved = 4096;
constexpr int64_t kMaxFollowed = 64;

std::optional<uint64_t> lone_unknown(const Dim& dim) {
  if (dim.is_known()) return std::nullopt;
  const auto& terms = dim.terms()->terms;
  if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1)
    return std::nullopt;
  const DimAtom& atom = *terms[0].factors[0];
  return atom.kind == DimAtom::Kind::kUnknown ? std::optional(atom.unknown_id) : std::nullopt;
}

bool is_random(const Node& node) {
  const OpEntry* entry = find_op(node.op, node.domain);
  return entry && entry->def->random;
}

}  // namespace

Result<const Tensor*> observed(Lowering& lowering, ValueId value) {
  if (const Tensor* known = lowering.known(value)) return known;
  // GraphLowering is the one that there is.
  return static_cast<GraphLowering&>(lowering).observe(value);
}

void GraphLowering::bind(ValueId value, Tensor tensor) {
  if (bound_.size() <= value) bound_.resize(graph_->values.size());
  ValueType& type = graph_->values[value].type;
  if (!type.ranked || !all_known(type.dims)) trail_ += shape_text(tensor.shape());
  for (size_t axis = 0; axis < type.dims.size() && axis < tensor.rank(); ++axis) {
    if (const auto id = lone_unknown(type.dims[axis])) {
      told_.emplace(*id, tensor.shape()[axis]);
    }
  }
  type = ValueType::tensor(tensor.dtype(), Dims(tensor.shape().begin(), tensor.shape().end()));
  bound_[value] = std::move(tensor);
}

/// The nodes that `values` need and that did not run yet, in their order.
Result<std::vector<uint32_t>> GraphLowering::needed_nodes(std::span<const ValueId> values) {
  for (; traced_ < graph_->nodes.size(); ++traced_) {
    for (const ValueId made : graph_->nodes[traced_].outputs) {
      if (maker_.size() <= made) maker_.resize(graph_->values.size(), kNoNode);
      maker_[made] = static_cast<uint32_t>(traced_);
    }
  }
  std::set<uint32_t> nodes;
  std::vector<ValueId> open(values.begin(), values.end());
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (value == kNoValue || is_bound(value) || graph_->constant(value)) continue;
    const uint32_t node = value < maker_.size() ? maker_[value] : kNoNode;
    if (node == kNoNode)
      return error(ErrorCode::kInternal, "a value of the program that nothing makes");
    if (!nodes.insert(node).second) continue;
    const auto& inputs = graph_->nodes[node].inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return std::vector<uint32_t>(nodes.begin(), nodes.end());
}

/// Of what these nodes make, that which is asked for, which the program may still read, which other
/// nodes read, which was drawn at random, and whose size only running tells.
std::vector<ValueId> GraphLowering::kept_values(std::span<const uint32_t> nodes,
                                                std::span<const ValueId> asked) {
  std::set<ValueId> wanted(asked.begin(), asked.end());
  std::erase_if(roots_, [](const auto& root) { return root.expired(); });
  for (const auto& weak : roots_) {
    if (const auto root = weak.lock()) wanted.insert(root->current);
  }
  for (const auto& [id, value] : unknown_values_) wanted.insert(value);
  const std::set<uint32_t> own(nodes.begin(), nodes.end());
  for (uint32_t i = 0; i < graph_->nodes.size(); ++i) {
    if (own.contains(i) || (i < done_.size() && done_[i])) continue;
    wanted.insert(graph_->nodes[i].inputs.begin(), graph_->nodes[i].inputs.end());
  }
  std::vector<ValueId> kept;
  for (const uint32_t i : nodes) {
    const Node& node = graph_->nodes[i];
    const bool random = is_random(node);
    for (const ValueId made : node.outputs) {
      if (is_bound(made) || graph_->constant(made)) continue;  // of an earlier piece
      const Dims& dims = type(made).dims;
      const bool sized = std::any_of(dims.begin(), dims.end(),
                                     [](const Dim& dim) { return lone_unknown(dim).has_value(); });
      if (random || sized || wanted.contains(made)) kept.push_back(made);
    }
  }
  return kept;
}

Result<std::vector<lanthorn::Value>> GraphLowering::run_nodes(std::span<const uint32_t> nodes,
                                                              const std::vector<ValueId>& outputs) {
  auto graph = std::make_shared<Graph>();
  Piece piece;
  std::unordered_map<ValueId, ValueId> ids;
  const auto id_of = [&](ValueId value) {
    if (value == kNoValue) return kNoValue;
    const auto [it, is_new] = ids.try_emplace(value, ValueId{0});
    if (!is_new) return it->second;
    const GraphValue& from = graph_->values[value];
    it->second = graph->add_value("", from.type);
    if (from.constant) {
      graph->values[it->second].constant = from.constant;
    } else if (is_bound(value)) {
      graph->inputs.push_back(it->second);
      graph->values[it->second].name = "value_" + std::to_string(piece.inputs.size());
      piece.inputs.emplace_back(*bound_[value]);
    }
    return it->second;
  };
  for (const uint32_t i : nodes) {
    Node node = graph_->nodes[i];
    for (ValueId& id : node.inputs) id = id_of(id);
    for (ValueId& id : node.outputs) {
      // What is there already is not made a second time.
      const bool there = is_bound(id) || graph_->constant(id);
      id = there ? graph->add_value("", graph_->values[id].type) : id_of(id);
    }
    graph->nodes.push_back(std::move(node));
  }
  for (const ValueId value : outputs) graph->outputs.push_back(id_of(value));
  piece.graph = graph;
  piece.key = trail_ + "#" + std::to_string(pieces_++);
  return run_piece(piece);
}

Status GraphLowering::compute(std::span<const ValueId> values) {
  LAN_TRY(const std::vector<uint32_t> nodes, needed_nodes(values));
  if (nodes.empty()) return ok();
  const std::vector<ValueId> outputs = kept_values(nodes, values);
  LAN_TRY(std::vector<lanthorn::Value> results, run_nodes(nodes, outputs));
  done_.resize(graph_->nodes.size());
  for (const uint32_t node : nodes) done_[node] = true;
  trail_ += "|";
  for (size_t i = 0; i < outputs.size() && i < results.size(); ++i) {
    if (const Tensor* tensor = results[i].tensor()) bind(outputs[i], *tensor);
  }
  return ok();
}

Result<const Tensor*> GraphLowering::observe(ValueId value) {
  if (const Tensor* constant = known(value)) return constant;
  if (!run_piece) {
    symbols.asked_unknown = true;
    return nullptr;
  }
  LAN_OK(compute(std::array{value}));
  if (!is_bound(value)) return error(ErrorCode::kUnsupported, "a number that depends on a value that is no tensor");
  LAN_TRY(Tensor tensor, bound_[value]->contiguous());
  bound_[value] = tensor;
  const auto bytes = tensor.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  trail_ += tensor.count() <= kMaxFollowed ? "=" + std::string(text)
                                           : "=" + std::to_string(std::hash<std::string_view>()(text));
  if (tensor.count() > kMaxObserved) return &*bound_[value];
  if (tensor.count() <= kMaxFollowed) {
    if (const auto ints = tensor.to_ints()) elements_[value] = Dims(ints->begin(), ints->end());
  }
  graph_->values[value].constant = std::move(tensor);
  return known(value);
}

Status GraphLowering::tell_unknown(uint64_t id) {
  if (told_.contains(id)) return ok();
  if (const auto it = unknown_values_.find(id); it != unknown_values_.end()) {
    LAN_TRY(const Tensor* tensor, observe(it->second));
    const auto ints = tensor ? tensor->to_ints() : std::nullopt;
    if (ints && ints->size() == 1) told_.emplace(id, (*ints)[0]);
    return ok();
  }
  if (const auto it = unknown_sources_.find(id); it != unknown_sources_.end()) {
    const SizeSymbols::Source source = it->second;
    LAN_OK(compute(std::array{source.value}));
    if (is_bound(source.value)) {
      told_.emplace(id, bound_[source.value]->shape().at(static_cast<size_t>(source.axis)));
    } else if (const Tensor* constant = known(source.value)) {
      told_.emplace(id, constant->shape().at(static_cast<size_t>(source.axis)));
    }
  }
  return ok();
}

namespace {

Status tell_all(const Dim& dim, const std::function<Status(uint64_t)>& tell) {
  if (dim.is_known()) return ok();
  for (const DimTerm& term : dim.terms()->terms) {
    for (const auto& factor : term.factors) {
      if (factor->kind == DimAtom::Kind::kUnknown) LAN_OK(tell(factor->unknown_id));
      for (const Dim& inner : factor->args) LAN_OK(tell_all(inner, tell));
    }
  }
  return ok();
}

}  // namespace

Status GraphLowering::tell_unknowns(const Dim& dim) {
  return tell_all(dim, [this](uint64_t id) { return tell_unknown(id); });
}

Dim GraphLowering::settled(const Dim& dim) const {
  if (dim.is_known() || told_.empty()) return dim;
  Dim sum(0);
  for (const DimTerm& term : dim.terms()->terms) {
    Dim part(term.coefficient);
    for (const auto& factor : term.factors) {
      const auto told = factor->kind == DimAtom::Kind::kUnknown ? told_.find(factor->unknown_id) : told_.end();
      if (told != told_.end()) {
        part = part * Dim(told->second);
        continue;
      }
      if (factor->args.size() != 2) {
        auto terms = std::make_shared<Dim::Terms>();
        terms->terms.push_back({1, {factor}});
        part = part * Dim::from_terms(terms);
        continue;
      }
      const Dim a = settled(factor->args[0]), b = settled(factor->args[1]);
      switch (factor->kind) {
        case DimAtom::Kind::kFloorDiv:
          part = part * floor_div(a, b);
          break;
        case DimAtom::Kind::kMod:
          part = part * mod(a, b);
          break;
        case DimAtom::Kind::kMax:
          part = part * max(a, b);
          break;
        default:
          part = part * min(a, b);
      }
    }
    sum = sum + part;
  }
  return sum;
}

}  // namespace lanthorn::script
