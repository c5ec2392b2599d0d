#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lanthorn {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> bytes);
  /// The digest of all that was added, in lower-case hexadecimal digits, 64 of them.
  std::string hex() const;

 private:
  std::array<uint32_t, 8> state_;
  std::array<std::byte, 64> tail_{};  // the block that is not full yet
  size_t waiting_ = 0;                // bytes of it
  uint64_t bytes_ = 0;
};

/// SHA-256 of `bytes` in lower-case hexadecimal digits, 64 of them.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace lanthorn
