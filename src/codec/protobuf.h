#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// How a field's payload lies in the wire format of protocol buffers.
/// https://protobuf.dev/programming-guides/encoding/
enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,  // strings, bytes, messages, packed numbers
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5,
};

/// One field as it lies in the bytes. `bytes` looks into the bytes that the reader was given.
struct ProtoField {
  uint32_t number = 0;
  WireType wire = WireType::kVarint;
  uint64_t value = 0;                // kVarint, kFixed64, kFixed32
  std::span<const std::byte> bytes;  // kBytes
  uint64_t offset = 0;               // of the payload, from the start of the file

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  int64_t integer() const { return static_cast<int64_t>(value); }
  /// A varint as int32 fields keep it: negative ones have ten bytes, and the upper half is dropped.
  int32_t integer32() const { return static_cast<int32_t>(static_cast<uint32_t>(value)); }
  float real32() const;
  double real64() const;
};

/// Walks the fields of one message without copying. Unknown groups are skipped, other unknown
/// fields are the caller's to ignore. After `next` has returned false, `status` tells whether the
/// bytes ended well.
class ProtoReader {
 public:
  /// Deepest nesting of groups that is skipped.
  static constexpr uint32_t kMaxGroupDepth = 64;

  /// `offset` is where `bytes` begin in the file; errors count from there.
  explicit ProtoReader(std::span<const std::byte> bytes, uint64_t offset = 0)
      : bytes_(bytes), base_(offset) {}
  /// The message that lies in a kBytes field.
  explicit ProtoReader(const ProtoField& message) : ProtoReader(message.bytes, message.offset) {}

  /// Reads the next field; false at the end and on bytes that break the format.
  bool next(ProtoField& field);
  /// kCorrupt with the offset if the bytes broke the format.
  Status status() const;

 private:
  bool read(ProtoField& field);
  bool read_varint(uint64_t& value);
  bool fail(std::string_view what);

  std::span<const std::byte> bytes_;
  uint64_t base_ = 0;
  size_t position_ = 0;
  std::string problem_;
};

/// The numbers of a repeated field, packed or not: a packed one stays where it lies in the file.
class ProtoNumbers {
 public:
  /// Takes in one more field of this number; kCorrupt if its wire type cannot hold `element`
  /// (kVarint, kFixed32 or kFixed64). `loose_bytes` grows by the memory that it took.
  Status add(const ProtoField& field, WireType element, uint64_t& loose_bytes);
  bool empty() const { return packed_.empty() && loose_.empty(); }
  /// How many numbers there are.
  uint64_t size() const { return packed_.empty() ? loose_.size() : packed_count_; }
  /// All numbers as raw 64-bit values; varints were checked by `add`.
  std::vector<uint64_t> values() const;
  /// Calls `visit(uint64_t)` for each number, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const uint64_t value : loose_) visit(value);
    for (size_t at = 0; at < packed_.size();) visit(take(at));
  }
  /// The bytes of a packed field of fixed-size numbers, if that is all there is; else empty.
  std::span<const std::byte> fixed_bytes() const {
    return element_ == WireType::kVarint ? std::span<const std::byte>{} : packed_;
  }

 private:
  uint64_t take(size_t& at) const;
  void loosen(uint64_t& loose_bytes);

  WireType element_ = WireType::kVarint;
  std::span<const std::byte> packed_;  // only one chunk, and only without loose ones
  uint64_t packed_count_ = 0;
  std::vector<uint64_t> loose_;
};

/// A payload that lies outside of the text of a ProtoWriter: `id` is the caller's.
struct ProtoHole {
  uint64_t position = 0;  // in the text, after the hole's tag and size
  uint64_t size = 0;
  size_t id = 0;
};

/// Writes one message; fields appear in the order of the calls. Big payloads are left as holes, for
/// the caller to write when their turn comes, so that they are never copied.
class ProtoWriter {
 public:
  void varint(uint32_t number, uint64_t value);
  void fixed32(uint32_t number, uint32_t value);
  void fixed64(uint32_t number, uint64_t value);
  void real32(uint32_t number, float value);
  void bytes(uint32_t number, std::string_view value);
  /// A field of `size` bytes that are not there yet.
  void hole(uint32_t number, uint64_t size, size_t id);
  /// The message as a field of this one, its holes included.
  void message(uint32_t number, const ProtoWriter& message);
  void packed_varints(uint32_t number, std::span<const int64_t> values);
  /// Everything but what lies in holes.
  const std::string& text() const { return out_; }
  const std::vector<ProtoHole>& holes() const { return holes_; }
  /// Bytes of the message, holes included.
  uint64_t size() const { return out_.size() + hole_bytes_; }

 private:
  void raw_varint(uint64_t value);
  void tag(uint32_t number, WireType wire);
  std::string out_;
  std::vector<ProtoHole> holes_;
  uint64_t hole_bytes_ = 0;
};

}  // namespace lanthorn
