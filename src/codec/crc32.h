#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lanthorn {

/// The CRC-32 of zip files and zlib (polynomial 0xEDB88320, reflected) of bytes whose beginning has
/// the CRC `crc`; 0 to begin. As fast as memory where the processor multiplies without carries.
uint32_t crc32(uint32_t crc, std::span<const std::byte> bytes);

}  // namespace lanthorn
