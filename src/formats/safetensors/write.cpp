#include "formats/safetensors/write.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "codec/byte_reader.h"
#include "codec/json_text.h"
#include "formats/safetensors/dtypes.h"
#include "formats/shards.h"

namespace lanthorn {
namespace {

/// What the format has for a dtype: the dtype itself, or one with the same bytes.
DType stored_dtype(DType dtype) {
  switch (dtype) {
    case DType::kQI8:
    case DType::kI4:
    case DType::kI2:
      return DType::kI8;
    case DType::kQI32:
      return DType::kI32;
    case DType::kQU8:
    case DType::kQU4x2:
    case DType::kQU2x4:
    case DType::kU4:
    case DType::kU2:
    case DType::kF6E2M3:
    case DType::kF6E3M2:
    case DType::kBits1x8:
    case DType::kBits2x4:
    case DType::kBits4x2:
    case DType::kBits8:
      return DType::kU8;
    case DType::kBits16:
      return DType::kU16;
    default:
      return dtype;
  }
}

struct Planned {
  const FlatTensor* flat = nullptr;
  const SafetensorsDType* dtype = nullptr;
  uint64_t bytes = 0;
};

/// The dtype in the file; null where the format has none.
const SafetensorsDType* dtype_in_file(const FlatTensor& flat, const WriteOptions& options) {
  const DType dtype = stored_dtype(written_dtype(flat.dtype(), options));
  // Two values share a byte, so their number must be even.
  if (dtype == DType::kF4E2M1 && flat.tensor.count() % 2 != 0) return safetensors_dtype(DType::kU8);
  return safetensors_dtype(dtype);
}

std::string header_text(const std::vector<Planned>& planned,
                        const std::map<std::string, std::string>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (json.back() != '{') json += ',';
      append_json_string(json, key);
      json += ':';
      append_json_string(json, value);
    }
    json += '}';
  }
  uint64_t offset = 0;
  for (const Planned& tensor : planned) {
    if (json.back() != '{') json += ',';
    append_json_string(json, tensor.flat->name);
    json += ":{\"dtype\":\"" + std::string(tensor.dtype->name) + "\",\"shape\":[";
    for (const int64_t size : tensor.flat->tensor.shape()) {
      if (json.back() != '[') json += ',';
      json += std::to_string(size);
    }
    json += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += tensor.bytes;
    json += std::to_string(offset) + "]}";
  }
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  return json;
}

Status write_data(OutputFile& file, const Planned& tensor) {
  LAN_TRY(const Tensor numbers, tensor.flat->numbers());
  LAN_TRY(const Tensor straight, numbers.contiguous());
  const DType from = stored_dtype(straight.dtype());
  if (tensor.dtype->bits < 8) {
    std::string packed;
    packed.reserve(tensor.bytes);
    const auto values = straight.as<uint8_t>();
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      packed += static_cast<char>((values[i] & 15) | values[i + 1] << 4);
    }
    return file.write_numbers(as_bytes(packed), DType::kU8, DType::kU8);
  }
  const bool same_bytes = from == DType::kF4E2M1;
  return file.write_numbers(straight.bytes(), same_bytes ? DType::kU8 : from, tensor.dtype->dtype);
}

/// Finds the tensors that are another one of the list, by the same view of the same storage.
std::map<std::string, std::string> find_aliases(const std::vector<FlatTensor>& tensors) {
  using View = std::tuple<const Storage*, uint64_t, DType, Shape, Shape>;
  std::map<View, std::vector<std::string>> groups;
  for (const FlatTensor& flat : tensors) {
    const Tensor& tensor = flat.tensor;
    if (tensor.count() == 0) continue;
    groups[{tensor.storage().get(), tensor.offset_bytes(), tensor.dtype(), tensor.shape(),
            tensor.strides()}]
        .push_back(flat.name);
  }
  std::map<std::string, std::string> kept_of;
  for (auto& [view, names] : groups) {
    std::sort(names.begin(), names.end());
    for (size_t i = 1; i < names.size(); ++i) kept_of[names[i]] = names[0];
  }
  return kept_of;
}

Status write_one(OutputFile& file, const std::filesystem::path&,
                 const std::vector<FlatTensor>& tensors, const WriteOptions& options,
                 WriteReport& report) {
  std::map<std::string, std::string> metadata(options.metadata.begin(), options.metadata.end());
  metadata.emplace("format", "pt");
  std::map<std::string, std::string> aliases;
  if (!options.copy_tied) aliases = find_aliases(tensors);
  std::vector<Planned> planned;
  size_t stand_ins = 0, dequantized = 0;
  for (const FlatTensor& flat : tensors) {
    if (const auto alias = aliases.find(flat.name);
        alias != aliases.end() && metadata.emplace(flat.name, alias->second).second) {
      continue;
    }
    const SafetensorsDType* dtype = dtype_in_file(flat, options);
    dequantized += flat.quantizer != nullptr;
    stand_ins += dtype->dtype != written_dtype(flat.dtype(), options);
    planned.push_back({&flat, dtype,
                       static_cast<uint64_t>(flat.tensor.count()) *
                           static_cast<uint64_t>(dtype->bits) / 8});
  }
  std::sort(planned.begin(), planned.end(), [](const Planned& a, const Planned& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.flat->name < b.flat->name;
  });
  const std::string header = header_text(planned, metadata);
  const uint64_t size = header.size();
  LAN_OK(file.write(std::as_bytes(std::span(&size, 1))));
  LAN_OK(file.write(as_bytes(header)));
  for (const Planned& tensor : planned) LAN_OK(write_data(file, tensor));
  const auto say = [&](size_t count, const std::string& what) {
    if (count > 0) report.notes.push_back(std::to_string(count) + what);
  };
  say(aliases.size(), " tied tensors are written once; the metadata has their other names");
  say(dequantized, " quantized tensors are written as the numbers that they stand for");
  say(stand_ins, " tensors have a dtype that the format has not; their bits are written as integers");
  return ok();
}

}  // namespace

Result<WriteReport> write_safetensors(const std::filesystem::path& path,
                                      const std::vector<FlatTensor>& tensors,
                                      const WriteOptions& options) {
  std::string missing;
  for (const FlatTensor& flat : tensors) {
    if (dtype_in_file(flat, options) != nullptr) continue;
    if (missing.size() > 2000) {
      missing += ", ...";
      break;
    }
    missing += (missing.empty() ? "" : ", ") + flat.name + " (" +
               std::string(dtype_name(flat.tensor.dtype())) + ")";
  }
  if (!missing.empty()) {
    return Error{ErrorCode::kUnsupported, "safetensors has no dtype for " + missing, "",
                 "Leave them out with --exclude, or write another format."};
  }
  return write_shards(path, tensors, options, write_one);
}

}  // namespace lanthorn
