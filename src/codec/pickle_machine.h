#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/byte_reader.h"
#include "codec/pickle.h"
#include "codec/pickle_text.h"

namespace lanthorn {

/// The opcodes of Lib/pickle.py of CPython, executed as data.
class PickleMachine {
 public:
  /// A tolerant machine goes on where an opcode does not fit the values that it finds.
  PickleMachine(std::span<const std::byte> bytes, const PickleLimits& limits, uint64_t base,
                bool tolerant)
      : bytes_(bytes), base_(base), tolerant_(tolerant), in_(bytes, base), limits_(limits) {
    small_.fill(kNoPickle);
  }

  /// Up to STOP; take() gives what was built so far in any case. The first error, if there is one.
  Status run();
  uint64_t error_offset() const { return error_offset_; }
  PickleTree take() { return std::move(tree_); }

 private:
  Error fail(std::string message, ErrorCode code = ErrorCode::kCorrupt) const {
    return Error{code, std::move(message), "byte " + std::to_string(start_)};
  }
  Status charge(uint64_t bytes);
  Result<PickleId> make(PickleNode::Kind kind);
  PickleNode& node(PickleId id) { return tree_.nodes[id]; }

  // The stack, of which only what lies above the last mark can be reached.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Status push(PickleId id);
  Status push(Result<PickleId> id) {
    LAN_TRY(const PickleId made, std::move(id));
    return push(made);
  }
  Result<PickleId> pop();
  Result<PickleId> top() const;
  Result<std::vector<PickleId>> pop_mark();

  Status remember(uint64_t key);
  Status recall(uint64_t key);

  Result<PickleId> make_integer(PickleInteger value);
  Result<PickleId> make_small(PickleNode::Kind kind, int64_t value);
  Result<PickleId> make_text(PickleNode::Kind kind, std::string_view text);
  Result<PickleId> make_string(std::string_view text);
  Result<PickleId> make_list(PickleNode::Kind kind, std::vector<PickleId> items);
  Result<PickleId> make_dict(std::vector<PickleId> entries);
  Result<PickleId> make_global(std::string module, std::string name, bool computed);
  Result<PickleId> make_call(PickleId callee, PickleId arguments);

  Status run_opcodes();
  Status dispatch(uint8_t opcode);
  bool step_over();
  Status text_opcode(uint8_t opcode);
  Status sized_text(PickleNode::Kind kind, uint64_t size);
  Status long_integer(int64_t size);
  Status tuple(size_t count);
  Status add_items(std::vector<PickleId> items, PickleNode::Kind kind);
  Status set_items(std::vector<PickleId> entries);
  Status build();
  Status stack_global();
  Status call(bool with_keywords);
  Status extension(int64_t code);
  Status check_keys(std::span<const PickleId> keys, size_t step);
  Status stop();

  std::span<const std::byte> bytes_;
  uint64_t base_ = 0;
  bool tolerant_ = false;
  bool exhausted_ = false;  // a limit is reached that cannot be gone past
  ByteReader in_;
  PickleLimits limits_;
  PickleTree tree_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  size_t stack_peak_ = 0;
  std::vector<PickleId> memo_;                       // keys from 0 without gaps
  std::unordered_map<uint64_t, PickleId> far_memo_;  // the other keys
  std::array<PickleId, 260> small_;                  // None, bools, small numbers, () are shared
  uint64_t charged_ = 0;
  uint64_t start_ = 0;  // of the opcode at work
  uint64_t error_offset_ = 0;
  bool done_ = false;
};

}  // namespace lanthorn
