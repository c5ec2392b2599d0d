#include "lanthorn/save.h"

#include <new>

#include "formats/torch/plain_tree.h"
#include "formats/torch/write.h"
#include "model/conversion.h"

namespace lanthorn {
namespace {

Result<std::string> format_for(const std::filesystem::path& path, const SaveOptions& options) {
  std::string format = options.format.empty() ? format_of_name(path) : options.format;
  if (!format.empty()) return format;
  return Error{ErrorCode::kUsage, "the name does not say which format to write", path.string(),
               "Use .pth, .safetensors, .npz or .npy, or name the format."};
}

WriteOptions write_options(const SaveOptions& options) {
  WriteOptions write;
  write.floats = options.dtype;
  write.metadata = options.metadata;
  write.max_shard_bytes = options.max_shard_bytes;
  write.progress = options.progress;
  return write;
}

Result<SaveReport> as_save_report(Result<WriteReport> report) {
  if (!report) return std::move(report).error();
  return SaveReport{std::move(report->files), report->tensors, report->bytes,
                    std::move(report->notes)};
}

Result<SaveReport> save_tree(const ObjectTree& tree, const std::filesystem::path& path,
                             const SaveOptions& options) {
  LAN_TRY(const std::string format, format_for(path, options));
  const WriteOptions write = write_options(options);
  const bool legacy = format == "torch-legacy";
  if ((legacy || format == "torch") && options.max_shard_bytes == 0) {
    return as_save_report(
        write_torch(path, tree, write, legacy ? TorchForm::kLegacy : TorchForm::kZip));
  }
  LAN_TRY(PlainTree plain, make_plain(tree));
  LAN_TRY(const auto tensors, flat_tensors(plain.tree));
  return as_save_report(write_tensors(format, path, tensors, write));
}

Result<SaveReport> save_state(const StateDict& state, const std::filesystem::path& path,
                              const SaveOptions& options) {
  LAN_TRY(const std::string format, format_for(path, options));
  return as_save_report(write_tensors(format, path, flat_tensors(state), write_options(options)));
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
  return save_state(state, path, options);
} catch (const std::bad_alloc&) {
  return no_memory(path);
}

}  // namespace lanthorn
