#include "formats/format.h"

#include <algorithm>

#include "codec/byte_reader.h"
#include "codec/zip.h"
#include "formats/foreign.h"

namespace lanthorn {
namespace {

std::string first_bytes(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes.first(std::min<size_t>(bytes.size(), 8))) {
    if (!text.empty()) text += ' ';
    text += kDigits[static_cast<size_t>(b) >> 4];
    text += kDigits[static_cast<size_t>(b) & 15];
  }
  return text;
}

/// Why no format matches, as well as that can be told.
Error unknown(std::span<const std::byte> bytes) {
  if (bytes.empty()) return Error{ErrorCode::kCorrupt, "the file is empty"};
  if (auto foreign = foreign_file(bytes)) return *std::move(foreign);
  if (looks_like_zip(bytes)) {
    if (list_zip_names(bytes).empty()) {
      return Error{ErrorCode::kCorrupt, "the zip archive has no readable directory at its end", "",
                   "The file is probably cut short; fetch it again."};
    }
    return Error{ErrorCode::kCorrupt,
                 "this is a zip archive that holds no model: it has no data.pkl, "
                 "no constants.pkl and no arrays",
                 "", "If the model is a file inside it, unpack it first."};
  }
  return Error{
      ErrorCode::kCorrupt,
      "this is no model file of a known format; it begins with the bytes " + first_bytes(bytes), "",
      "`lanthorn --version` lists the formats that can be read."};
}

/// The file of a folder that stands for the model in it.
Result<std::filesystem::path> find_model_file(const std::filesystem::path& folder) {
  constexpr std::string_view kNames[] = {"model.safetensors.index.json",
                                         "model.safetensors",
                                         "pytorch_model.bin.index.json",
                                         "pytorch_model.bin",
                                         "diffusion_pytorch_model.safetensors.index.json",
                                         "diffusion_pytorch_model.safetensors",
                                         "model.onnx"};
  std::error_code ignored;
  for (const std::string_view name : kNames) {
    const auto path = folder / name;
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(".safetensors") || name.ends_with(".index.json"))
      found.push_back(it->path());
    if (found.size() > 1) break;
  }
  if (found.size() == 1) return found[0];
  if (auto foreign = foreign_folder(folder)) return std::move(*foreign).at(folder.string());
  return Error{ErrorCode::kUnsupported,
               found.empty() ? "the folder holds no model file that is known by its name"
                             : "the folder holds several model files",
               folder.string(), "Name the file itself."};
}

}  // namespace

uint64_t inflated_limit(const ReadLimits& limits, uint64_t file_bytes) {
  constexpr uint64_t kGrowth = 16;
  const uint64_t grown = file_bytes > UINT64_MAX / kGrowth ? UINT64_MAX : file_bytes * kGrowth;
  return std::min(limits.max_tensor_bytes, std::max(limits.max_memory_bytes, grown));
}

Result<const Format*> detect_format(std::span<const std::byte> bytes) {
  for (const bool has_no_mark : {false, true}) {
    if (has_no_mark) {
      if (auto foreign = foreign_message(bytes)) return *std::move(foreign);
    }
    for (const Format* format : all_formats()) {
      if (format->has_no_mark == has_no_mark && format->matches(bytes)) return format;
    }
  }
  return unknown(bytes);
}

Result<FileContents> read_bytes(const std::shared_ptr<const MappedFile>& file,
                                const ReadLimits& limits) {
  LAN_TRY(const Format* format, detect_format(file->bytes()));
  LAN_TRY(FileContents contents, format->read(file, limits));
  contents.files.push_back(file);
  return contents;
}

Result<FileContents> read_shard(const std::filesystem::path& path, const ReadLimits& limits) {
  LAN_TRY(const auto file, MappedFile::open(path));
  if (!file->bytes().empty() && file->bytes()[0] == std::byte{'{'}) {
    return Error{ErrorCode::kCorrupt, "a shard is no file of tensors", path.filename().string()};
  }
  auto contents = read_bytes(file, limits);
  if (!contents) return std::move(contents).error().at(path.filename().string());
  return contents;
}

Result<FileContents> read_file(const std::filesystem::path& path, const ReadLimits& limits) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    LAN_TRY(const auto inside, find_model_file(path));
    return read_file(inside, limits);
  }
  LAN_TRY(const auto file, MappedFile::open(path));
  auto contents = read_bytes(file, limits);
  if (!contents) return std::move(contents).error().at(path.filename().string());
  return contents;
}

}  // namespace lanthorn
