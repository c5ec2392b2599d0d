#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// Writes a zip archive from front to back: stored entries whose bytes begin at multiples of
/// `alignment`, so that readers can map them; zip64 where sizes need it (APPNOTE.TXT 6.3.10).
class ZipWriter {
 public:
  using Sink = std::function<Status(std::span<const std::byte>)>;

  /// `sink` takes the archive's bytes in order. `alignment` is a power of two up to 4096.
  explicit ZipWriter(Sink sink, uint64_t alignment = 64);

  /// Adds an entry that is the concatenation of `parts`. The caller sees to it that names differ.
  Status add(std::string_view name, std::span<const std::span<const std::byte>> parts);
  Status add(std::string_view name, std::span<const std::byte> bytes);
  /// Writes the central directory. Nothing can be added after it.
  Status finish();

 private:
  struct Entry {
    std::string name;
    uint32_t crc32;
    uint64_t bytes, offset;
  };
  Status put(std::span<const std::byte> bytes);

  Sink sink_;
  uint64_t alignment_;
  uint64_t position_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace lanthorn
