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
  uint16_t method = 0;  // 0 stored, 8 deflated; others cannot be read
  uint32_t crc32 = 0;
  uint64_t compressed_bytes = 0, bytes = 0;
  uint64_t local_header = 0;  // offset in the file
  uint64_t payload = 0;       // offset in the file of the compressed bytes
  bool encrypted = false;
};

/// The central directory of a zip file: zip64, data descriptors, checked against overlaps,
/// duplicate names, sizes and offsets outside the file, names that leave the archive's folder, and
/// local headers that say something else (APPNOTE.TXT 6.3.10). Safe to read from many threads.
class ZipArchive {
 public:
  /// kCorrupt, or kLimit for more than a million entries.
  static Result<ZipArchive> open(std::shared_ptr<const MappedFile> file);

  /// In the order of the central directory.
  std::span<const ZipEntry> entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;
  /// kCorrupt if two names are equal but for ASCII case, which some readers of the file ignore.
  Status check_case() const;
  /// The bytes of a stored entry as they lie in the file; the mapping keeps them. kUnsupported for
  /// a compressed or encrypted one. A CRC of 0 means "not computed" and is not checked.
  Result<std::span<const std::byte>> stored(const ZipEntry& entry, bool check_crc) const;
  /// The bytes of any entry: mapped where it is stored, else inflated, at most `limit` bytes.
  /// `owner` keeps them alive. kCorrupt, kLimit, kUnsupported, kOutOfMemory.
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

/// True if the bytes begin like a zip file.
bool looks_like_zip(std::span<const std::byte> bytes);

/// True if the bytes end like a zip file: an end record with a central directory before it, wherever
/// the file begins.
bool ends_like_zip(std::span<const std::byte> bytes);

/// The names of the central directory, unchecked, to tell what kind of archive it is; empty where
/// there is no directory to be read. They point into `bytes`.
std::vector<std::string_view> list_zip_names(std::span<const std::byte> bytes);

}  // namespace lanthorn
