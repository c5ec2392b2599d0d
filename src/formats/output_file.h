#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "codec/atomic_file.h"
#include "formats/write.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// A file of tensors that is written from front to back and appears when it is whole.
class OutputFile {
 public:
  /// `options` must live as long.
  static Result<OutputFile> create(const std::filesystem::path& path, const WriteOptions& options);

  uint64_t position() const { return position_; }
  /// Structures. kSystem.
  Status write(std::span<const std::byte> bytes);
  /// Numbers of `from`, converted to `to` where these differ, piece by piece. Adds what was written
  /// to `crc` if there is one. kSystem, kUnsupported (a conversion that there is none of).
  Status write_numbers(std::span<const std::byte> bytes, DType from, DType to,
                       uint32_t* crc = nullptr);
  /// Brings everything to the disk and gives the file its name.
  Status commit() { return file_.commit(); }
  /// The same for files that belong together: all of them or none.
  static Status commit_all(std::span<OutputFile> files);

 private:
  OutputFile(AtomicFile file, const WriteOptions& options)
      : file_(std::move(file)), options_(&options) {}

  AtomicFile file_;
  const WriteOptions* options_;
  uint64_t position_ = 0;
};

}  // namespace lanthorn
