#include "cli/scan_files_shared.h"

#include <algorithm>

#include "codec/inner_path.h"

namespace lanthorn {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 1'000'000;
constexpr int kDeepestFolder = 100;

Error system_error(const fs::path& path, const std::error_code& error) {
  const bool missing = error == std::errc::no_such_file_or_directory;
  return Error{missing ? ErrorCode::kNotFound : ErrorCode::kSystem,
               missing ? "there is no such file" : "cannot be read: " + error.message(),
               path.string()};
}

/// Whether an entry is a file, or a link to one that lies in the same folder.
bool is_file_inside(const fs::directory_entry& entry, const fs::path& root) {
  std::error_code failed;
  if (!entry.is_symlink(failed)) return entry.is_regular_file(failed) && !failed;
  const fs::path target = fs::canonical(entry.path(), failed);
  return !failed && fs::is_regular_file(target, failed) && lies_below(target, root);
}

Status add_folder(const fs::path& folder, std::vector<FoundFile>& found) {
  std::error_code failed;
  const fs::path root = fs::canonical(folder, failed);
  if (failed) return system_error(folder, failed);
  const size_t first = found.size();
  auto it = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied,
                                             failed);
  if (failed) return system_error(folder, failed);
  for (; it != fs::recursive_directory_iterator(); it.increment(failed)) {
    if (failed) return system_error(folder, failed);
    if (it.depth() > kDeepestFolder) it.disable_recursion_pending();
    if (!is_file_inside(*it, root)) continue;
    if (found.size() == kMostFiles) {
      return Error{ErrorCode::kLimit,
                   "there are more than " + std::to_string(kMostFiles) + " files", folder.string(),
                   "Scan its folders one by one."};
    }
    const uint64_t bytes = it->file_size(failed);
    found.push_back({it->path(), false, failed ? 0 : bytes});
  }
  std::sort(found.begin() + static_cast<ptrdiff_t>(first), found.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
  return ok();
}

}  // namespace

Result<std::vector<FoundFile>> find_files(std::span<const std::string> paths) {
  std::vector<FoundFile> found;
  for (const std::string& path : paths) {
    std::error_code failed;
    const auto status = fs::status(path, failed);
    if (!fs::exists(status))
      return system_error(path, std::make_error_code(std::errc::no_such_file_or_directory));
    if (fs::is_directory(status)) {
      LAN_OK(add_folder(path, found));
    } else {
      const uint64_t bytes = fs::file_size(path, failed);
      found.push_back({path, true, failed ? 0 : bytes});
    }
  }
  return found;
}

bool has_model_name(const std::filesystem::path& path) {
  constexpr std::string_view kEndings[] = {
      ".pt",     ".pth", ".ptl",  ".pt2", ".ckpt",        ".pkl",   ".pickle",
      ".joblib", ".npy", ".npz",  ".jit", ".onnx",        ".dill",  ".torch",
      ".t7",     ".mar", ".nemo", ".h5",  ".safetensors", ".keras", ".gguf"};
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

}  // namespace lanthorn
