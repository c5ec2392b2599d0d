#include "formats/pt2/weights.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <map>
#include <optional>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

using Json = rapidjson::Value;

constexpr uint64_t kMaxConfig = uint64_t{64} << 20;
constexpr size_t kMaxRank = 64;

/// The numbers that torch/_export/serde/schema.py gives dtypes.
DType export_dtype(int64_t number) {
  switch (number) {
    case 1: return DType::kU8;
    case 2: return DType::kI8;
    case 3: return DType::kI16;
    case 4: return DType::kI32;
    case 5: return DType::kI64;
    case 6: return DType::kF16;
    case 7: return DType::kF32;
    case 8: return DType::kF64;
    case 9: return DType::kC32;
    case 10: return DType::kC64;
    case 11: return DType::kC128;
    case 12: return DType::kBool;
    case 13: return DType::kBF16;
    case 28: return DType::kU16;
    case 29: return DType::kF8E4M3FN;
    case 30: return DType::kF8E5M2;
    case 31: return DType::kF8E4M3FNUZ;
    case 32: return DType::kF8E5M2FNUZ;
    case 33: return DType::kF8E8M0FNU;
    case 34: return DType::kU32;
    case 35: return DType::kU64;
    default: return DType::kUndefined;
  }
}

const Json* member(const Json& object, const char* name) {
  return object.IsObject() && object.HasMember(name) ? &object[name] : nullptr;
}

/// {"as_int": 3}, or the number itself.
std::optional<int64_t> as_int(const Json* value) {
  if (value != nullptr && value->IsObject()) value = member(*value, "as_int");
  if (value == nullptr || !value->IsInt64()) return std::nullopt;
  return value->GetInt64();
}

std::optional<Shape> as_shape(const Json* list) {
  if (list == nullptr || !list->IsArray() || list->Size() > kMaxRank) return std::nullopt;
  Shape shape;
  for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
    const auto size = as_int(&(*list)[i]);
    if (!size || *size < 0) return std::nullopt;
    shape.push_back(*size);
  }
  return shape;
}

struct Payload {
  std::string path;
  bool pickled = false;
  DType dtype = DType::kUndefined;
  Shape shape, strides;
  int64_t offset = 0;
};

Result<Payload> parse_payload(const Json& json) {
  const Error wrong{ErrorCode::kCorrupt, "the description of the tensor has not the expected form"};
  Payload payload;
  const Json* path = member(json, "path_name");
  if (path == nullptr || !path->IsString()) return wrong;
  payload.path.assign(path->GetString(), path->GetStringLength());
  const Json* pickled = member(json, "use_pickle");
  payload.pickled = pickled != nullptr && pickled->IsTrue();
  if (payload.pickled) return payload;
  const Json* meta = member(json, "tensor_meta");
  if (meta == nullptr) return wrong;
  const auto dtype = as_int(member(*meta, "dtype")), offset = as_int(member(*meta, "storage_offset"));
  auto shape = as_shape(member(*meta, "sizes")), strides = as_shape(member(*meta, "strides"));
  if (!dtype || !offset || *offset < 0 || !shape || !strides) return wrong;
  payload.dtype = export_dtype(*dtype);
  payload.shape = *std::move(shape);
  payload.strides = *std::move(strides);
  payload.offset = *offset;
  if (payload.dtype == DType::kUndefined) {
    return Error{ErrorCode::kUnsupported, "there is no dtype " + std::to_string(*dtype)};
  }
  return payload;
}

class Reader {
 public:
  Reader(const TorchArchive& archive, const std::string& folder, const ReadLimits& limits)
      : archive_(archive),
        folder_(folder),
        limit_(inflated_limit(limits, archive.zip().file()->bytes().size())),
        check_crc_(limits.check_crc) {}

  Result<Tensor> tensor(const Payload& payload) {
    auto& storage = storages_[payload.path];
    if (!storage) {
      const ZipEntry* entry = archive_.find(folder_ + payload.path);
      if (entry == nullptr) {
        return Error{ErrorCode::kCorrupt,
                     "the archive has no record '" + folder_ + payload.path + "'"};
      }
      LAN_TRY(const auto content,
              archive_.zip().read(*entry, limit_, check_crc_ || entry->method != 0));
      if (entry->method != 0) limit_ -= entry->bytes;
      storage = Storage::wrap(content.bytes, content.owner);
    }
    const uint64_t unit = dtype_bytes(payload.dtype);
    uint64_t offset = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(payload.offset), unit, &offset)) {
      return Error{ErrorCode::kCorrupt, "the tensor begins outside its storage"};
    }
    return Tensor::view(payload.dtype, payload.shape, payload.strides, offset, storage);
  }

 private:
  const TorchArchive& archive_;
  const std::string& folder_;
  uint64_t limit_;
  bool check_crc_;
  std::map<std::string, std::shared_ptr<const Storage>> storages_;
};

}  // namespace

Result<std::vector<NamedTensor>> read_export_tensors(const TorchArchive& archive,
                                                     const std::string& folder,
                                                     const std::string& config,
                                                     const ReadLimits& limits,
                                                     std::vector<std::string>& notes) {
  std::vector<NamedTensor> tensors;
  const std::string start = archive.prefix() + "/" + folder;
  Reader reader(archive, folder, limits);
  size_t pickled = 0;
  for (const ZipEntry& entry : archive.zip().entries()) {
    if (!entry.name.starts_with(start) || !entry.name.ends_with(config)) continue;
    const std::string place = entry.name.substr(archive.prefix().size() + 1);
    LAN_TRY(const auto content,
            archive.zip().read(entry, std::min(kMaxConfig, limits.max_memory_bytes / 4)));
    rapidjson::Document document;
    const auto text = as_text(content.bytes);
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
        text.data(), text.size());
    const Json* list = document.HasParseError() ? nullptr : member(document, "config");
    if (list == nullptr || !list->IsObject()) {
      return Error{ErrorCode::kCorrupt, "the list of tensors is no JSON of the expected form", place};
    }
    for (rapidjson::SizeType i = 0; i < list->MemberCount(); ++i) {
      const auto& item = *(list->MemberBegin() + static_cast<ptrdiff_t>(i));
      std::string name(item.name.GetString(), item.name.GetStringLength());
      auto payload = parse_payload(item.value);
      if (!payload) return std::move(payload).error().at(place + " › tensor '" + name + "'");
      if (payload->pickled) {
        ++pickled;
        continue;
      }
      auto tensor = reader.tensor(*payload);
      if (!tensor) return std::move(tensor).error().at(place + " › tensor '" + name + "'");
      tensors.push_back({std::move(name), *std::move(tensor)});
    }
  }
  if (pickled > 0) {
    notes.push_back(std::to_string(pickled) + " pickled objects of " + folder + " were left out");
  }
  return tensors;
}

}  // namespace lanthorn
