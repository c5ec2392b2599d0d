#include "codec/pickle_machine.h"

#include <algorithm>

#include "base/utf8.h"

namespace lanthorn {

using Kind = PickleNode::Kind;

namespace {

constexpr std::string_view kComputedName = "<computed>";

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {
      "None",      "a bool",       "an integer",  "an integer", "a float",
      "a string",  "bytes",        "a bytearray", "a list",     "a tuple",
      "a dict",    "a set",        "a frozenset", "a global",   "a persistent object",
      "an object", "an extension", "a buffer"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace

Status PickleMachine::charge(uint64_t bytes) {
  charged_ += bytes;
  if (charged_ <= limits_.max_bytes) return ok();
  exhausted_ = true;
  return fail(
      "the pickle needs more than " + std::to_string(limits_.max_bytes >> 20) + " MiB of memory",
      ErrorCode::kLimit);
}

Result<PickleId> PickleMachine::make(Kind kind) {
  if (tree_.nodes.size() >= limits_.max_nodes) {
    exhausted_ = true;
    return fail("the pickle has more than " + std::to_string(limits_.max_nodes) + " values",
                ErrorCode::kLimit);
  }
  LAN_OK(charge(sizeof(PickleNode)));
  PickleNode& made = tree_.nodes.emplace_back();
  made.kind = kind;
  made.offset = start_;
  return static_cast<PickleId>(tree_.nodes.size() - 1);
}

Status PickleMachine::push(PickleId id) {
  stack_.push_back(id);
  if (stack_.size() <= stack_peak_) return ok();
  stack_peak_ = stack_.size();
  return charge(2 * sizeof(PickleId));
}

Result<PickleId> PickleMachine::pop() {
  LAN_TRY(const PickleId id, top());
  stack_.pop_back();
  return id;
}

Result<PickleId> PickleMachine::top() const {
  if (stack_.size() > floor()) return stack_.back();
  return fail("the opcode needs a value, but the stack is empty");
}

Result<std::vector<PickleId>> PickleMachine::pop_mark() {
  if (marks_.empty()) return fail("the opcode needs a mark, but there is none");
  std::vector<PickleId> items(stack_.begin() + static_cast<ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

Status PickleMachine::remember(uint64_t key) {
  LAN_TRY(const PickleId id, top());
  if (const auto far = far_memo_.find(key); far != far_memo_.end()) {
    far->second = id;
    return ok();
  }
  if (key < memo_.size()) {
    memo_[key] = id;
    return ok();
  }
  if (key == memo_.size()) {
    memo_.push_back(id);
    return charge(2 * sizeof(PickleId));
  }
  far_memo_[key] = id;
  return charge(64);
}

Status PickleMachine::recall(uint64_t key) {
  if (const auto far = far_memo_.find(key); far != far_memo_.end()) return push(far->second);
  if (key < memo_.size()) return push(memo_[key]);
  return fail("memo entry " + std::to_string(key) + " was never written");
}

Result<PickleId> PickleMachine::make_small(Kind kind, int64_t value) {
  const int64_t slot = kind == Kind::kNone         ? 256
                       : kind == Kind::kBool       ? 257 + value
                       : kind == Kind::kTuple      ? 259
                       : value >= 0 && value < 256 ? value
                                                   : -1;
  if (slot >= 0 && small_[static_cast<size_t>(slot)] != kNoPickle) {
    return small_[static_cast<size_t>(slot)];
  }
  LAN_TRY(const PickleId id, make(kind));
  node(id).integer = value;
  node(id).flag = kind == Kind::kBool && value != 0;
  if (slot >= 0) small_[static_cast<size_t>(slot)] = id;
  return id;
}

Result<PickleId> PickleMachine::make_integer(PickleInteger value) {
  if (value.digits.empty()) return make_small(Kind::kInt, value.small);
  return make_text(Kind::kBigInt, value.digits);
}

Result<PickleId> PickleMachine::make_text(Kind kind, std::string_view text) {
  LAN_OK(charge(text.size()));
  LAN_TRY(const PickleId id, make(kind));
  node(id).text = text;
  return id;
}

Result<PickleId> PickleMachine::make_string(std::string_view text) {
  if (!is_utf8(text, /*allow_surrogates=*/true)) return fail("a string is not UTF-8");
  return make_text(Kind::kString, text);
}

Result<PickleId> PickleMachine::make_list(Kind kind, std::vector<PickleId> items) {
  if (kind == Kind::kTuple && items.empty()) return make_small(Kind::kTuple, 0);
  LAN_OK(charge(items.size() * sizeof(PickleId)));
  LAN_TRY(const PickleId id, make(kind));
  node(id).items = std::move(items);
  return id;
}

Result<PickleId> PickleMachine::make_dict(std::vector<PickleId> entries) {
  LAN_OK(check_keys(entries, 2));
  LAN_OK(charge(entries.size() * sizeof(PickleId)));
  LAN_TRY(const PickleId id, make(Kind::kDict));
  node(id).entries = std::move(entries);
  return id;
}

Result<PickleId> PickleMachine::make_global(std::string module, std::string name, bool computed) {
  LAN_OK(charge(2 * (module.size() + name.size()) + sizeof(PickleGlobal)));
  if (module.size() > UINT16_MAX || name.size() > UINT16_MAX) {
    tree_.globals.push_back({std::move(module), std::move(name), start_, false, computed});
    return fail("the name of a global has more than 65535 bytes", ErrorCode::kLimit);
  }
  LAN_TRY(const PickleId id, make(Kind::kGlobal));
  node(id).text = module + "." + name;
  node(id).split = static_cast<uint16_t>(module.size());
  node(id).integer = static_cast<int64_t>(tree_.globals.size());
  tree_.globals.push_back({std::move(module), std::move(name), start_, false, computed});
  return id;
}

Result<PickleId> PickleMachine::make_call(PickleId callee, PickleId arguments) {
  const Kind kind = node(callee).kind;
  if (kind != Kind::kGlobal && kind != Kind::kCall && kind != Kind::kPersistent &&
      kind != Kind::kExtension) {
    return fail(std::string(kind_name(kind)) + " is called as if it were a function or class");
  }
  if (node(arguments).kind != Kind::kTuple) {
    return fail("the arguments of a call are " + std::string(kind_name(node(arguments).kind)) +
                ", not a tuple");
  }
  if (kind == Kind::kGlobal) tree_.globals[static_cast<size_t>(node(callee).integer)].called = true;
  LAN_TRY(const PickleId id, make(Kind::kCall));
  node(id).callee = callee;
  node(id).arguments = arguments;
  return id;
}

Status PickleMachine::check_keys(std::span<const PickleId> keys, size_t step) {
  for (size_t i = 0; i < keys.size(); i += step) {
    const Kind kind = node(keys[i]).kind;
    if (kind == Kind::kList || kind == Kind::kDict || kind == Kind::kSet ||
        kind == Kind::kByteArray) {
      return fail(std::string(kind_name(kind)) + " is used as a key, which Python cannot hash");
    }
  }
  return ok();
}

Status PickleMachine::add_items(std::vector<PickleId> items, Kind wanted) {
  LAN_TRY(const PickleId id, top());
  const Kind kind = node(id).kind;
  if (kind != wanted && kind != Kind::kCall && kind != Kind::kExtension) {
    return fail("an item is appended to " + std::string(kind_name(kind)));
  }
  if (kind == Kind::kSet) LAN_OK(check_keys(items, 1));
  LAN_OK(charge(2 * items.size() * sizeof(PickleId)));
  auto& target = node(id).items;
  target.insert(target.end(), items.begin(), items.end());
  return ok();
}

Status PickleMachine::set_items(std::vector<PickleId> entries) {
  LAN_TRY(const PickleId id, top());
  const Kind kind = node(id).kind;
  if (kind != Kind::kDict && kind != Kind::kCall && kind != Kind::kExtension) {
    return fail("an entry is set in " + std::string(kind_name(kind)));
  }
  if (entries.size() % 2 != 0) return fail("a dict gets a key without a value");
  LAN_OK(check_keys(entries, 2));
  LAN_OK(charge(2 * entries.size() * sizeof(PickleId)));
  auto& target = node(id).entries;
  target.insert(target.end(), entries.begin(), entries.end());
  return ok();
}

Status PickleMachine::build() {
  LAN_TRY(const PickleId state, pop());
  LAN_TRY(const PickleId id, top());
  const Kind kind = node(id).kind;
  if (kind != Kind::kCall && kind != Kind::kGlobal && kind != Kind::kExtension) {
    return fail("a state is given to " + std::string(kind_name(kind)));
  }
  node(id).states.push_back(state);
  if (kind == Kind::kGlobal) tree_.globals[static_cast<size_t>(node(id).integer)].changed = true;
  LAN_OK(charge(2 * sizeof(PickleId)));
  if (limits_.inline_bytes == nullptr || kind != Kind::kCall) return ok();
  LAN_TRY(node(id).view,
          in_.take(limits_.inline_bytes(tree_, id, bytes_.subspan(in_.position()))));
  return ok();
}

Status PickleMachine::stack_global() {
  LAN_TRY(const PickleId name, pop());
  LAN_TRY(const PickleId module, pop());
  const auto is_text = [&](PickleId id) { return node(id).kind == Kind::kString; };
  const auto can_name = [&](PickleId id) { return is_text(id) || node(id).kind == Kind::kCall; };
  if (!can_name(name) || !can_name(module)) {
    // A global, an extension and a persistent object may be a text, and Python 2's text is bytes.
    const auto may_name = [&](PickleId id) {
      const Kind kind = node(id).kind;
      return can_name(id) || kind == Kind::kGlobal || kind == Kind::kPersistent ||
             kind == Kind::kExtension || kind == Kind::kBytes;
    };
    if (may_name(name) && may_name(module)) {
      const auto known = [&](PickleId id) {
        const bool has_text = is_text(id) || node(id).kind == Kind::kBytes;
        return std::string(has_text ? std::string_view(node(id).text) : kComputedName);
      };
      const bool computed = known(name) == kComputedName || known(module) == kComputedName;
      tree_.globals.push_back({known(module), known(name), start_, false, computed});
    }
    return fail("a global is named by " + std::string(kind_name(node(module).kind)) + " and " +
                std::string(kind_name(node(name).kind)));
  }
  const auto text = [&](PickleId id) {
    return std::string(is_text(id) ? std::string_view(node(id).text) : kComputedName);
  };
  const bool computed = !is_text(name) || !is_text(module);
  return push(make_global(text(module), text(name), computed));
}

Status PickleMachine::call(bool with_keywords) {
  PickleId keywords = kNoPickle;
  if (with_keywords) {
    LAN_TRY(keywords, pop());
    if (node(keywords).kind != Kind::kDict) return fail("keyword arguments are not a dict");
  }
  LAN_TRY(const PickleId arguments, pop());
  LAN_TRY(const PickleId callee, pop());
  LAN_TRY(const PickleId made, make_call(callee, arguments));
  node(made).keywords = keywords;
  return push(made);
}

Status PickleMachine::extension(int64_t code) {
  if (code <= 0) return fail("extension code " + std::to_string(code) + " is not positive");
  tree_.globals.push_back({"copyreg", "extension " + std::to_string(code), start_, false, true});
  LAN_TRY(const PickleId id, make(Kind::kExtension));
  node(id).integer = code;
  return push(id);
}

Status PickleMachine::tuple(size_t count) {
  if (stack_.size() - floor() < count) {
    return fail("a tuple of " + std::to_string(count) + " needs more values than there are");
  }
  std::vector<PickleId> items(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
  stack_.resize(stack_.size() - count);
  return push(make_list(Kind::kTuple, std::move(items)));
}

Status PickleMachine::sized_text(Kind kind, uint64_t size) {
  LAN_TRY(const auto taken, in_.take(size));
  if (kind == Kind::kString) return push(make_string(as_text(taken)));
  if (taken.size() >= kViewedBytes) {
    LAN_TRY(const PickleId id, make(kind));
    node(id).view = taken;
    return push(id);
  }
  return push(make_text(kind, as_text(taken)));
}

Status PickleMachine::long_integer(int64_t size) {
  if (size < 0) return fail("an integer has a negative length");
  LAN_TRY(const auto taken, in_.take(static_cast<uint64_t>(size)));
  if (taken.size() > kMaxIntegerBytes) {
    return fail("an integer has " + std::to_string(size) + " bytes", ErrorCode::kLimit);
  }
  return push(make_integer(pickle_integer(taken)));
}

}  // namespace lanthorn
