#include "formats/onnx/types.h"

#include <string>

#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {

Result<DType> dtype_of(int32_t data_type) {
  const DType dtype = dtype_from_onnx(data_type);
  if (dtype == DType::kUndefined) {
    return Error{ErrorCode::kCorrupt, "there is no data type " + std::to_string(data_type), "", ""};
  }
  return dtype;
}

Error too_many_dimensions() {
  return Error{ErrorCode::kLimit,
               "a tensor has more than " + std::to_string(kMaxRank) + " dimensions", "", ""};
}

namespace {

Dim dimension(const Dimension& from, std::string_view prefix, size_t axis) {
  if (from.value && *from.value >= 0) return Dim(*from.value);
  if (!from.parameter.empty()) return Dim::symbol(std::string(from.parameter));
  if (prefix.empty()) return Dim::unknown();
  return Dim::symbol(std::string(prefix) + "_dim_" + std::to_string(axis));
}

Result<ValueType> outer_type(const TypeProto& type, ValueType::Kind kind) {
  ValueType outer{.kind = kind};
  if (!type.inner) return Error{ErrorCode::kCorrupt, "a type says nothing of its elements", "", ""};
  LAN_TRY(ValueType inner, value_type(*type.inner, ""));
  outer.element = std::make_shared<const ValueType>(std::move(inner));
  return outer;
}

}  // namespace

Result<ValueType> value_type(const TypeProto& type, std::string_view prefix) {
  switch (type.kind) {
    case TypeProto::Kind::kUnset:
      return ValueType{.kind = ValueType::Kind::kUnknown};
    case TypeProto::Kind::kTensor: {
      if (type.element == 0) return ValueType::unranked(DType::kUndefined);
      LAN_TRY(const DType dtype, dtype_of(type.element));
      if (!type.has_shape) return ValueType::unranked(dtype);
      if (type.dims.size() > kMaxRank) return too_many_dimensions();
      Dims dims;
      for (size_t i = 0; i < type.dims.size(); ++i) {
        dims.push_back(dimension(type.dims[i], prefix, i));
      }
      return ValueType::tensor(dtype, std::move(dims));
    }
    case TypeProto::Kind::kSequence:
      return outer_type(type, ValueType::Kind::kSequence);
    case TypeProto::Kind::kOptional:
      return outer_type(type, ValueType::Kind::kOptional);
    case TypeProto::Kind::kMap: {
      LAN_TRY(ValueType map, outer_type(type, ValueType::Kind::kMap));
      LAN_TRY(map.dtype, dtype_of(type.element));
      return map;
    }
    case TypeProto::Kind::kSparse:
      return Error{ErrorCode::kUnsupported, "sparse tensors as values are not supported", "", ""};
    case TypeProto::Kind::kOpaque:
      return Error{ErrorCode::kUnsupported, "opaque types are not supported", "", ""};
  }
  return ValueType{.kind = ValueType::Kind::kUnknown};
}

}  // namespace lanthorn::onnx
