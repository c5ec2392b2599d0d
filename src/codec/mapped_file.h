#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "lanthorn/result.h"

namespace lanthorn {

/// A whole file mapped read-only. Copies of the pointer keep the mapping.
class MappedFile {
 public:
  /// kNotFound, or kSystem for what else the system says. Empty files map to no bytes.
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
  /// The same interface over bytes in memory (tests, fuzzing, requests); copies them.
  static std::shared_ptr<const MappedFile> of(std::span<const std::byte> bytes);
  /// The same over bytes that outlive it.
  static std::shared_ptr<const MappedFile> view(std::span<const std::byte> bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }
  /// Reads a part ahead, as one request; and lets the memory of a part go, which the next look at it
  /// brings back. Both are hints for those who pass once over a big file; parts that are not of this
  /// file, and files that are no mapping, are left alone.
  void prefetch(std::span<const std::byte> part) const;
  void release(std::span<const std::byte> part) const;

 private:
  MappedFile() = default;
  void advise(std::span<const std::byte> part, int advice) const;
  std::span<const std::byte> bytes_;
  std::filesystem::path path_;
  enum class Kind : uint8_t { kMapped, kCopied, kViewed } kind_ = Kind::kViewed;
};

}  // namespace lanthorn
