#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/inflate.h"

namespace lanthorn {

// Up to `limit` bytes of what LZMA's bytes become. What is damaged gives what comes before; what wants
// a dictionary of more than 64 MiB gives nothing. Checksums are not checked: a reader sees the bytes
// before them.

/// An .xz file (The .xz File Format, 1.2.0), streams that follow each other as one.
Inflated unxz_prefix(std::span<const std::byte> source, uint64_t limit);
/// An .lzma file: properties, dictionary's size, size, LZMA.
Inflated unlzma_prefix(std::span<const std::byte> source, uint64_t limit);
/// A member of a zip archive of method 14.
Inflated unlzma_zip_prefix(std::span<const std::byte> source, uint64_t limit);

}  // namespace lanthorn
