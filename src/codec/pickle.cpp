#include "codec/pickle.h"

#include <algorithm>
#include <bit>

#include "base/utf8.h"
#include "codec/pickle_depth.h"
#include "codec/pickle_machine.h"
#include "codec/pickle_opcode.h"

namespace lanthorn {

using Kind = PickleNode::Kind;

/// Opcodes of protocol 0, whose operand is a line of text.
Status PickleMachine::text_opcode(uint8_t opcode) {
  LAN_TRY(const std::string_view line, in_.line());
  const auto unreadable = [&] {
    return fail("'" + std::string(line.substr(0, 40)) + "' is no value of its kind");
  };
  switch (opcode) {
    case 'I':
    case 'L': {
      if (opcode == 'I' && (line == "00" || line == "01")) {
        return push(make_small(Kind::kBool, line == "01" ? 1 : 0));
      }
      const bool suffixed = opcode == 'L' && !line.empty() && line.back() == 'L';
      const auto value = parse_pickle_integer(line.substr(0, line.size() - (suffixed ? 1 : 0)));
      return value ? push(make_integer(*value)) : unreadable();
    }
    case 'F': {
      const auto value = parse_pickle_float(line);
      if (!value) return unreadable();
      LAN_TRY(const PickleId id, make(Kind::kFloat));
      node(id).real = *value;
      return push(id);
    }
    case 'S': {
      const auto text = parse_pickle_string(line);
      if (!text) return unreadable();
      return push(make_text(is_utf8(*text) ? Kind::kString : Kind::kBytes, *text));
    }
    case 'V': {
      const auto text = parse_pickle_unicode(line);
      return text ? push(make_string(*text)) : unreadable();
    }
    case 'g':
    case 'p': {
      const auto key = parse_pickle_integer(line);
      if (!key || !key->digits.empty() || key->small < 0) return unreadable();
      const auto number = static_cast<uint64_t>(key->small);
      return opcode == 'g' ? recall(number) : remember(number);
    }
    case 'P': {
      LAN_TRY(const PickleId text, make_string(line));
      return push(make_list(Kind::kPersistent, {text}));
    }
    default: {  // 'c' and 'i': a module's line, then the name's
      LAN_TRY(const std::string_view name, in_.line());
      if (!is_utf8(line) || !is_utf8(name)) return fail("the name of a global is not UTF-8");
      if (opcode == 'c') return push(make_global(std::string(line), std::string(name), false));
      LAN_TRY(const PickleId global, make_global(std::string(line), std::string(name), false));
      LAN_TRY(auto items, pop_mark());
      LAN_TRY(const PickleId arguments, make_list(Kind::kTuple, std::move(items)));
      return push(make_call(global, arguments));
    }
  }
}

Status PickleMachine::stop() {
  LAN_TRY(tree_.root, pop());
  done_ = true;
  return ok();
}

#define LAN_OPERAND(type, name) LAN_TRY(const auto name, in_.number<type>())

Status PickleMachine::dispatch(uint8_t opcode) {
  LAN_OK(in_.skip(1));
  switch (opcode) {
    case 0x80: {  // PROTO
      LAN_OPERAND(uint8_t, protocol);
      if (protocol > 5)
        return fail("pickle protocol " + std::to_string(protocol) + " does not exist");
      tree_.protocol = std::max<int>(tree_.protocol, protocol);
      return ok();
    }
    case 0x95: {  // FRAME
      LAN_OPERAND(uint64_t, size);
      if (size <= in_.remaining()) return ok();
      return fail("a frame of " + std::to_string(size) + " bytes passes the end");
    }
    case '.':
      return stop();
    case '(':
      marks_.push_back(stack_.size());
      return charge(2 * sizeof(size_t));
    case '0':  // POP: of a mark where nothing lies above it
      if (stack_.size() == floor() && !marks_.empty()) {
        marks_.pop_back();
        return ok();
      }
      LAN_OK(pop());
      return ok();
    case '1':
      LAN_OK(pop_mark());
      return ok();  // POP_MARK
    case '2':
      return push(top());  // DUP
    case 'I':
    case 'L':
    case 'F':
    case 'S':
    case 'V':
    case 'g':
    case 'p':
    case 'P':
    case 'c':
    case 'i':
      return text_opcode(opcode);
    case 'N':
      return push(make_small(Kind::kNone, 0));
    case 0x88:
      return push(make_small(Kind::kBool, 1));
    case 0x89:
      return push(make_small(Kind::kBool, 0));
    case 'J': {
      LAN_OPERAND(int32_t, value);
      return push(make_small(Kind::kInt, value));
    }
    case 'K': {
      LAN_OPERAND(uint8_t, value);
      return push(make_small(Kind::kInt, value));
    }
    case 'M': {
      LAN_OPERAND(uint16_t, value);
      return push(make_small(Kind::kInt, value));
    }
    case 0x8a: {
      LAN_OPERAND(uint8_t, size);
      return long_integer(size);
    }
    case 0x8b: {
      LAN_OPERAND(int32_t, size);
      return long_integer(size);
    }
    case 'G': {  // BINFLOAT, the one big-endian number
      LAN_OPERAND(uint64_t, bits);
      LAN_TRY(const PickleId id, make(Kind::kFloat));
      node(id).real = std::bit_cast<double>(__builtin_bswap64(bits));
      return push(id);
    }
    case 'T':
    case 'U': {  // BINSTRING, SHORT_BINSTRING: Python 2's str, text or bytes
      int64_t size = 0;
      if (opcode == 'T') {
        LAN_TRY(size, in_.number<int32_t>());
      } else {
        LAN_TRY(size, in_.number<uint8_t>());
      }
      if (size < 0) return fail("a string has a negative length");
      LAN_TRY(const auto taken, in_.take(static_cast<uint64_t>(size)));
      return push(
          make_text(is_utf8(as_text(taken)) ? Kind::kString : Kind::kBytes, as_text(taken)));
    }
    case 'X': {
      LAN_OPERAND(uint32_t, size);
      return sized_text(Kind::kString, size);
    }
    case 0x8c: {
      LAN_OPERAND(uint8_t, size);
      return sized_text(Kind::kString, size);
    }
    case 0x8d: {
      LAN_OPERAND(uint64_t, size);
      return sized_text(Kind::kString, size);
    }
    case 'C': {
      LAN_OPERAND(uint8_t, size);
      return sized_text(Kind::kBytes, size);
    }
    case 'B': {
      LAN_OPERAND(uint32_t, size);
      return sized_text(Kind::kBytes, size);
    }
    case 0x8e: {
      LAN_OPERAND(uint64_t, size);
      return sized_text(Kind::kBytes, size);
    }
    case 0x96: {
      LAN_OPERAND(uint64_t, size);
      return sized_text(Kind::kByteArray, size);
    }
    case 0x97:
      return push(make(Kind::kBuffer));  // NEXT_BUFFER
    case 0x98: {                         // READONLY_BUFFER
      LAN_TRY(const PickleId id, top());
      if (node(id).kind != Kind::kBuffer) return fail("only a buffer can be made read-only");
      node(id).read_only = true;
      return ok();
    }
    case ']':
      return push(make_list(Kind::kList, {}));
    case '}':
      return push(make_dict({}));
    case ')':
      return push(make_list(Kind::kTuple, {}));
    case 0x8f:
      return push(make_list(Kind::kSet, {}));
    case 'l': {
      LAN_TRY(auto items, pop_mark());
      return push(make_list(Kind::kList, std::move(items)));
    }
    case 't': {
      LAN_TRY(auto items, pop_mark());
      return push(make_list(Kind::kTuple, std::move(items)));
    }
    case 'd': {  // DICT
      LAN_TRY(auto items, pop_mark());
      if (items.size() % 2 != 0) return fail("a dict gets a key without a value");
      return push(make_dict(std::move(items)));
    }
    case 0x91: {  // FROZENSET
      LAN_TRY(auto items, pop_mark());
      LAN_OK(check_keys(items, 1));
      return push(make_list(Kind::kFrozenSet, std::move(items)));
    }
    case 0x85:
      return tuple(1);
    case 0x86:
      return tuple(2);
    case 0x87:
      return tuple(3);
    case 'a': {
      LAN_TRY(const PickleId item, pop());
      return add_items({item}, Kind::kList);
    }
    case 'e': {
      LAN_TRY(auto items, pop_mark());
      return add_items(std::move(items), Kind::kList);
    }
    case 0x90: {
      LAN_TRY(auto items, pop_mark());
      return add_items(std::move(items), Kind::kSet);
    }
    case 's': {
      LAN_TRY(const PickleId value, pop());
      LAN_TRY(const PickleId key, pop());
      return set_items({key, value});
    }
    case 'u': {
      LAN_TRY(auto entries, pop_mark());
      return set_items(std::move(entries));
    }
    case 'b':
      return build();
    case 0x93:
      return stack_global();
    case 'R':
    case 0x81:
      return call(/*with_keywords=*/false);
    case 0x92:
      return call(/*with_keywords=*/true);
    case 'o': {  // OBJ: a class and its arguments above a mark
      LAN_TRY(auto items, pop_mark());
      if (items.empty()) return fail("an object has no class");
      const PickleId callee = items.front();
      items.erase(items.begin());
      LAN_TRY(const PickleId arguments, make_list(Kind::kTuple, std::move(items)));
      return push(make_call(callee, arguments));
    }
    case 'Q': {
      LAN_TRY(const PickleId id, pop());
      return push(make_list(Kind::kPersistent, {id}));
    }
    case 'h': {
      LAN_OPERAND(uint8_t, key);
      return recall(key);
    }
    case 'j': {
      LAN_OPERAND(uint32_t, key);
      return recall(key);
    }
    case 'q': {
      LAN_OPERAND(uint8_t, key);
      return remember(key);
    }
    case 'r': {
      LAN_OPERAND(uint32_t, key);
      return remember(key);
    }
    case 0x94:
      return remember(memo_.size() + far_memo_.size());  // MEMOIZE
    case 0x82: {
      LAN_OPERAND(uint8_t, code);
      return extension(code);
    }
    case 0x83: {
      LAN_OPERAND(uint16_t, code);
      return extension(code);
    }
    case 0x84: {
      LAN_OPERAND(int32_t, code);
      return extension(code);
    }
    default: {
      constexpr std::string_view kHex = "0123456789abcdef";
      return fail(std::string("there is no opcode 0x") + kHex[opcode >> 4] + kHex[opcode & 15]);
    }
  }
}

#undef LAN_OPERAND

bool PickleMachine::step_over() {
  const uint64_t start = start_ - base_;
  const auto end = pickle_opcode_end(bytes_, start);
  if (!tolerant_ || exhausted_ || !end) return false;
  in_ = ByteReader(bytes_, base_);
  if (!in_.skip(*end)) return false;
  tree_.bytes_read = *end;
  const auto opcode = static_cast<uint8_t>(bytes_[start]);
  if (opcode == '.') done_ = true;
  // Something that may be called, filled and given a state stands for what should be here.
  return !pickle_opcode_pushes(opcode) || push(make(Kind::kExtension)).ok();
}

Status PickleMachine::run_opcodes() {
  std::optional<Error> first;
  while (!done_) {
    start_ = in_.offset();
    auto status = in_.at_end() ? fail("the pickle ends without STOP") : ok();
    if (status) {
      status = dispatch(static_cast<uint8_t>(bytes_[in_.position()]));
      tree_.bytes_read = in_.position();
    }
    if (status) continue;
    if (!first) {
      first = std::move(status).error();
      error_offset_ = start_;
    }
    if (!step_over()) break;
  }
  return first ? Status(*std::move(first)) : ok();
}

Status PickleMachine::run() {
  LAN_OK(run_opcodes());
  if (pickle_depth(tree_, limits_.max_depth) > limits_.max_depth) {
    tree_.root = kNoPickle;
    return Error{ErrorCode::kLimit, "the pickle nests values more than " +
                                        std::to_string(limits_.max_depth) + " deep"};
  }
  return ok();
}

Result<PickleTree> read_pickle(std::span<const std::byte> bytes, const PickleLimits& limits,
                               uint64_t base_offset) {
  PickleMachine machine(bytes, limits, base_offset, /*tolerant=*/false);
  LAN_OK(machine.run());
  return machine.take();
}

PickleScan scan_pickle(std::span<const std::byte> bytes, const PickleLimits& limits,
                       uint64_t base_offset) {
  PickleMachine machine(bytes, limits, base_offset, /*tolerant=*/true);
  auto status = machine.run();
  PickleScan scan{machine.take(), std::nullopt};
  if (!status) {
    scan.error = std::move(status).error();
    scan.error_offset = machine.error_offset();
    scan.tree.root = kNoPickle;
  }
  return scan;
}

}  // namespace lanthorn
