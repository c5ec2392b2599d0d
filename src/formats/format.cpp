#include "formats/format.h"

#include <algorithm>

#include "codec/byte_reader.h"
#include "codec/zip.h"

namespace lanthorn {
namespace {

struct Other {
  std::string_view start, what, advice;
};

// What people take for a model file, by its first bytes.
constexpr Other kOthers[] = {
    {"version https://git-lfs", "this is a Git LFS pointer in place of the file itself",
     "Run `git lfs pull` in the repository, or download the file from its page."},
    {"<!DOCTYPE", "this is a web page", "The download probably asked for a login; fetch it again."},
    {"<!doctype", "this is a web page", "The download probably asked for a login; fetch it again."},
    {"<html", "this is a web page", "The download probably asked for a login; fetch it again."},
    {"<HTML", "this is a web page", "The download probably asked for a login; fetch it again."},
    {"\x1f\x8b", "this is a gzip file", "Decompress it first: gunzip, or tar -xzf."},
    {"7z\xbc\xaf\x27\x1c", "this is a 7z archive", "Unpack it first."},
    {"BZh", "this is a bzip2 file", "Decompress it first."},
    {"\xfd"
     "7zXZ",
     "this is an xz file", "Decompress it first."},
    {"\x28\xb5\x2f\xfd", "this is a Zstandard file", "Decompress it first."},
    {"Rar!", "this is a RAR archive", "Unpack it first."},
    {"\x89HDF", "this is an HDF5 file, as Keras writes them",
     "Convert it to ONNX where it was made."},
    {"GGUF", "this is a GGUF file", "Use the safetensors files of the same model."},
    {"\x7f"
     "ELF",
     "this is a program or shared library", ""},
    {"{", "this is JSON, not a model", ""},
};

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
  for (const Other& other : kOthers) {
    if (as_text(bytes).starts_with(other.start)) {
      return Error{ErrorCode::kCorrupt, std::string(other.what), "", std::string(other.advice)};
    }
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
  for (const Format* format : all_formats()) {
    if (format->matches(bytes)) return format;
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
