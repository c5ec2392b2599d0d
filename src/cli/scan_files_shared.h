#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// A file to be scanned, and whether it was named or found in a folder.
struct FoundFile {
  std::filesystem::path path;
  bool named = false;
  uint64_t bytes = 0;
};

/// The files that paths name: themselves, and all regular files below folders, in order. Links in a
/// folder are followed to files in the same folder only, and never to folders. kNotFound, kSystem;
/// kLimit for more than a million files.
Result<std::vector<FoundFile>> find_files(std::span<const std::string> paths);

/// Whether a file's name is one that models have: .pt, .pkl, .onnx, ...
bool has_model_name(const std::filesystem::path& path);

}  // namespace lanthorn
