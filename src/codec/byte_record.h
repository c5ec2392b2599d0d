#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/byte_reader.h"

namespace lanthorn {

/// A header that is being written: numbers, little-endian, and texts, one after the other. A number
/// that is too large for its field is cut to the field's bits.
class ByteRecord {
 public:
  ByteRecord& u16(uint64_t value) { return put(static_cast<uint16_t>(value)); }
  ByteRecord& u32(uint64_t value) { return put(static_cast<uint32_t>(value)); }
  ByteRecord& u64(uint64_t value) { return put(value); }
  ByteRecord& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }

  size_t size() const { return bytes_.size(); }
  std::string_view view() const { return bytes_; }
  std::span<const std::byte> bytes() const { return as_bytes(bytes_); }

 private:
  template <class T>
  ByteRecord& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  std::string bytes_;
};

}  // namespace lanthorn
