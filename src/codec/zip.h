#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mapped_file.h"
#include "lanthorn/result.h"

namespace lanthorn {

struct ZipEntry {
  std::string name;
  uint16_t method = 0;            // 0 stored, 8 deflated; others cannot be read
  uint32_t crc32 = 0;
  uint64_t compressed_bytes = 0, bytes = 0;
  uint64_t local_header = 0;      // offset in the file
};

/// The central directory of a zip file: zip64, data descriptors, checked against overlaps, duplicate
/// names, sizes and offsets outside the file. Safe to read from many threads.
class ZipArchive {
 public:
  static Result<ZipArchive> open(std::shared_ptr<const MappedFile> file);

  std::span<const ZipEntry> entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;
  /// The bytes of a stored entry as they lie in the file; the mapping keeps them.
  Result<std::span<const std::byte>> stored(const ZipEntry& entry, bool check_crc) const;
  /// The bytes of any entry: mapped where it is stored, else inflated, at most `limit` bytes.
  /// `owner` keeps them alive.
  struct Bytes {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };
  Result<Bytes> read(const ZipEntry& entry, uint64_t limit, bool check_crc = true) const;
  const std::shared_ptr<const MappedFile>& file() const { return file_; }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<ZipEntry> entries_;
  std::vector<uint32_t> by_name_;
};

/// True if the bytes end like a zip file.
bool looks_like_zip(std::span<const std::byte> bytes);

}  // namespace lanthorn
