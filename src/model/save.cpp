#include "lanthorn/save.h"

#include <new>

#include "formats/torch/write.h"

namespace lanthorn {
namespace {

Result<std::string> format_for(const std::filesystem::path& path, const SaveOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string extension = path.extension().string();
  for (const char* known : {".pth", ".pt", ".bin", ".ckpt", ".tar", ".pkl"}) {
    if (extension == known) return std::string("torch");
  }
  if (extension == ".safetensors") return std::string("safetensors");
  if (extension == ".npz" || extension == ".npy") return extension.substr(1);
  return Error{ErrorCode::kUsage, "the name does not say which format to write", path.string(),
               "Use .pth, .safetensors, .npz or .npy, or name the format."};
}

Result<SaveReport> save_tree(const ObjectTree& tree, const std::filesystem::path& path,
                             const SaveOptions& options) {
  LAN_TRY(const std::string format, format_for(path, options));
  WriteOptions write;
  write.floats = options.dtype;
  write.metadata = options.metadata;
  write.max_shard_bytes = options.max_shard_bytes;
  write.progress = options.progress;
  if (format != "torch" && format != "torch-legacy") {
    return Error{ErrorCode::kUsage, "there is no format '" + format + "' to write", path.string()};
  }
  LAN_TRY(WriteReport report,
          write_torch(path, tree, write,
                      format == "torch" ? TorchForm::kZip : TorchForm::kLegacy));
  return SaveReport{std::move(report.files), report.tensors, report.bytes, std::move(report.notes)};
}

Error no_memory(const std::filesystem::path& path) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to write the file", path.string(), ""};
}

}  // namespace

Result<SaveReport> save(const ObjectTree& tree, const std::filesystem::path& path,
                        const SaveOptions& options) try {
  return save_tree(tree, path, options);
} catch (const std::bad_alloc&) {
  return no_memory(path);
}

Result<SaveReport> save(const StateDict& state, const std::filesystem::path& path,
                        const SaveOptions& options) try {
  return save_tree(state_dict_tree(state), path, options);
} catch (const std::bad_alloc&) {
  return no_memory(path);
}

}  // namespace lanthorn
