#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "lanthorn/result.h"

namespace lanthorn {

static_assert(std::endian::native == std::endian::little,
              "byte order of numbers is taken as it is");

/// The number at `data`, little-endian, of any alignment. The caller has checked the bounds.
template <class T>
T load_little(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

/// The same bytes as characters, and the other way round.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Reads numbers and runs of bytes from front to back; what would pass the end is kCorrupt.
class ByteReader {
 public:
  /// Offsets in errors count from `base_offset`.
  explicit ByteReader(std::span<const std::byte> bytes, uint64_t base_offset = 0)
      : bytes_(bytes), base_(base_offset) {}

  uint64_t position() const { return position_; }
  uint64_t offset() const { return base_ + position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return position_ == bytes_.size(); }

  /// The next `count` bytes.
  Result<std::span<const std::byte>> take(uint64_t count) {
    if (count > remaining()) {
      return Error{ErrorCode::kCorrupt,
                   std::to_string(count) + " bytes are announced, but only " +
                       std::to_string(remaining()) + " are left",
                   "byte " + std::to_string(offset())};
    }
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  Status skip(uint64_t count) {
    LAN_OK(take(count));
    return ok();
  }
  /// The next little-endian number.
  template <class T>
  Result<T> number() {
    LAN_TRY(const auto taken, take(sizeof(T)));
    return load_little<T>(taken.data());
  }
  /// The text up to the next line feed, which is read too.
  Result<std::string_view> line() {
    const std::string_view rest = as_text(bytes_.subspan(position_));
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      return Error{ErrorCode::kCorrupt, "a line has no end", "byte " + std::to_string(offset())};
    }
    position_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t base_ = 0;
  uint64_t position_ = 0;
};

}  // namespace lanthorn
