#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/mapped_file.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What every writer takes.
struct WriteOptions {
  DType floats = DType::kUndefined;  // floating-point tensors are written as this dtype
  std::vector<std::pair<std::string, std::string>> metadata;  // of formats that have a place for it
  bool copy_tied = false;        // safetensors: tied tensors are written as often as they are named
  uint64_t max_shard_bytes = 0;  // of the tensors in one file; 0: one file
  /// Files that tensors look at: what was written of them is let go, so that memory stays small.
  std::vector<std::shared_ptr<const MappedFile>> sources;
  std::function<void(uint64_t)> progress;  // gets the bytes of tensors that were just written
};

/// What was written.
struct WriteReport {
  std::vector<std::filesystem::path> files;
  uint64_t tensors = 0, bytes = 0;  // bytes of all files
  std::vector<std::string> notes;   // what the format cannot hold as it was
};

/// The dtype that a tensor gets in the file.
DType written_dtype(DType dtype, const WriteOptions& options);

}  // namespace lanthorn
