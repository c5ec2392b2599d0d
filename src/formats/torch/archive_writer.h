#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "formats/output_file.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Writes the zip container of PyTorch byte by byte as PyTorch 2.13 does: stored records at multiples
/// of 64, whose CRC follows them, so that one pass is enough; a zip64 end always
/// (caffe2/serialize/inline_container). docs/formats/torch.md has the layout.
class TorchArchiveWriter {
 public:
  /// `file` is empty and outlives the writer. `prefix` is the folder that all records are in.
  TorchArchiveWriter(OutputFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  /// A whole record. The caller sees to it that names differ.
  Status add(std::string_view record, std::span<const std::byte> bytes);
  /// A record in parts: begin with the size, then the bytes go to the file, then the CRC.
  Status begin(std::string_view record, uint64_t bytes);
  Status end(uint32_t crc);
  /// The version, the id, and the directory. Nothing can be added after it.
  Status finish();

 private:
  struct Entry {
    std::string name;
    uint32_t crc = 0;
    uint64_t bytes = 0, offset = 0;
    bool wide = false;  // 64-bit sizes in the descriptor
  };
  std::string id() const;

  OutputFile& file_;
  std::string prefix_;
  std::vector<Entry> entries_;
  // The order of this set is part of the id: PyTorch's own set has the same.
  std::unordered_set<std::string> records_;
  uint64_t combined_crc_ = 0;
};

/// The folder's name that PyTorch gives a file: its name without the last extension, "archive" where
/// that is empty or no ASCII.
std::string torch_archive_prefix(std::string_view file_name);

}  // namespace lanthorn
