#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "lanthorn/result.h"

namespace lanthorn {

/// A file that appears under its name only when it is whole: it is written under another name in
/// the same folder, and renamed by commit(). Without commit() nothing is left of it, and what was
/// under the name before stays. Something that is no regular file (/dev/stdout) is written
/// directly.
class AtomicFile {
 public:
  /// kNotFound if the folder is not there, kSystem.
  static Result<AtomicFile> create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  /// Appends. kSystem (no space, no permission). The disk begins with what was written while the
  /// caller goes on, so that commit() has little to wait for.
  Status write(std::span<const std::byte> bytes);
  /// Brings all bytes to the disk and gives the file its name.
  Status commit();
  /// The same for files that belong together: none has its name before all are on the disk, and
  /// where one cannot get its name those that have theirs give it back to what was there before
  /// (where the file system lets a file have two names).
  static Status commit_all(std::span<AtomicFile* const> files);

 private:
  AtomicFile() = default;
  Status bring_to_disk();

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
  uint64_t written_ = 0, flushed_ = 0;
};

}  // namespace lanthorn
