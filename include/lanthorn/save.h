#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

struct SaveOptions {
  /// "torch", "torch-legacy", "safetensors", "npz" or "npy"; empty: by the file's name, where .pth,
  /// .pt, .bin, .ckpt and .tar are "torch".
  std::string format;
  /// Floating-point tensors are cast to it, to nearest even as PyTorch casts; kUndefined: as they are.
  DType dtype = DType::kUndefined;
  /// Of safetensors: `__metadata__`.
  std::vector<std::pair<std::string, std::string>> metadata;
  /// safetensors and torch: the most bytes of tensors in one file; more files with an index beside
  /// them where that is not enough. 0: one file.
  uint64_t max_shard_bytes = 0;
  /// Gets the bytes of tensors that were just written.
  std::function<void(uint64_t)> progress;
};

struct SaveReport {
  std::vector<std::filesystem::path> files;
  uint64_t tensors = 0, bytes = 0;
  std::vector<std::string> notes;  // what the format cannot hold as it was
};

/// Writes named tensors. Files of PyTorch's format open with `torch.load(weights_only=True)` of 1.13
/// and later; tensors that share a Storage stay tied. The file is written under another name, brought
/// to the disk and renamed: what was there before stays until then. kUsage (a format that is none),
/// kUnsupported (text in PyTorch's format), kSystem, kNotFound (no such folder), kOutOfMemory.
Result<SaveReport> save(const StateDict& state, const std::filesystem::path& path,
                        const SaveOptions& options = {});
/// Writes a whole tree: dicts, lists, numbers, text and tensors as they are, other objects as plain
/// data (the notes say which). Formats other than PyTorch's hold its tensors, under the names of the
/// way to them.
Result<SaveReport> save(const ObjectTree& tree, const std::filesystem::path& path,
                        const SaveOptions& options = {});

}  // namespace lanthorn
