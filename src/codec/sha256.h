#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lanthorn {

/// SHA-256 of `bytes` (FIPS 180-4) in lower-case hexadecimal digits, 64 of them.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace lanthorn
