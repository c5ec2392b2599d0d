// Tensors whose bytes lie in a file beside the model.
// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md

#include <charconv>

#include "codec/inner_path.h"
#include "formats/onnx/tensors.h"

namespace lanthorn::onnx {
namespace {

Result<uint64_t> number(std::string_view text, std::string_view key) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return Error{
        ErrorCode::kCorrupt,
        "external data has " + std::string(key) + " '" + std::string(text) + "', which is no size",
        "", ""};
  }
  return value;
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> TensorReader::beside(std::string_view location) {
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  const std::string quoted = "'" + std::string(location) + "'";
  if (location.empty() || !stays_in_folder(location)) {
    return Error{ErrorCode::kCorrupt,
                 "external data at " + quoted + " is outside the model's folder", "",
                 "external data may only be named relative to the model, without '..'"};
  }
  if (file_->path().empty()) {
    return Error{ErrorCode::kNotFound, "external data at " + quoted + " is not part of the bytes",
                 "", "load the model from its file"};
  }
  std::error_code failed;
  const auto folder =
      std::filesystem::canonical(std::filesystem::absolute(file_->path()).parent_path(), failed);
  const auto path = std::filesystem::canonical(folder / std::filesystem::path(location), failed);
  if (failed) {
    return Error{ErrorCode::kNotFound, "external data file " + quoted + " cannot be found", "",
                 "put it into the folder of the model"};
  }
  if (!lies_below(path, folder)) {
    return Error{ErrorCode::kCorrupt,
                 "external data file " + quoted + " is a link out of the model's folder", "",
                 "copy the file into the folder of the model"};
  }
  if (!std::filesystem::is_regular_file(path, failed)) {
    return Error{ErrorCode::kCorrupt, "external data at " + quoted + " is no file", "", ""};
  }
  LAN_TRY(auto file, MappedFile::open(path));
  files_.emplace(std::string(location), file);
  return file;
}

Result<TensorReader::Bytes> TensorReader::external(const TensorProto& proto, uint64_t expected) {
  std::string_view location;
  std::optional<uint64_t> offset, length;
  for (const auto& [key, value] : proto.external_data) {
    if (key == "location") location = value;
    if (key == "offset") {
      LAN_TRY(offset, number(value, key));
    }
    if (key == "length") {
      LAN_TRY(length, number(value, key));
    }
  }
  LAN_TRY(const auto file, beside(location));
  const uint64_t size = file->bytes().size();
  const uint64_t begin = offset.value_or(0);
  const uint64_t bytes = length.value_or(expected);
  if (begin > size || bytes > size - begin) {
    return Error{ErrorCode::kCorrupt,
                 "external data takes bytes " + std::to_string(begin) + " to " +
                     std::to_string(begin) + "+" + std::to_string(bytes) + " of '" +
                     std::string(location) + "', which has " + std::to_string(size),
                 "", ""};
  }
  return Bytes{file->bytes().subspan(static_cast<size_t>(begin), static_cast<size_t>(bytes)), file};
}

}  // namespace lanthorn::onnx
