#include "formats/onnx/write/encode_type.h"

#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

ProtoWriter encode_dimension(const Dim& dim) {
  ProtoWriter dimension;
  if (const auto known = dim.known()) {
    dimension.varint(1, static_cast<uint64_t>(*known));
    return dimension;
  }
  std::string name = dim.symbol_name();
  // An expression over symbols; one with a number in it of which nothing is known is left open.
  if (name.empty()) name = dim.text();
  if (!dim.symbol_name().empty() || name.find('?') == std::string::npos) dimension.bytes(2, name);
  return dimension;
}

}  // namespace

bool has_type(const ValueType& type) {
  switch (type.kind) {
    case ValueType::Kind::kTensor:
      return onnx_number(type.dtype) != 0;
    case ValueType::Kind::kSequence:
    case ValueType::Kind::kOptional:
      return type.element && has_type(*type.element);
    case ValueType::Kind::kMap:
      return type.element && has_type(*type.element) && onnx_number(type.dtype) != 0;
    case ValueType::Kind::kUnknown:
      return false;
  }
  return false;
}

ProtoWriter encode_type(const ValueType& type) {
  ProtoWriter inner, out;
  switch (type.kind) {
    case ValueType::Kind::kTensor:
      inner.varint(1, static_cast<uint64_t>(onnx_number(type.dtype)));
      if (type.ranked) {
        ProtoWriter shape;
        for (const Dim& dim : type.dims) shape.message(1, encode_dimension(dim));
        inner.message(2, shape);
      }
      out.message(1, inner);
      break;
    case ValueType::Kind::kSequence:
      inner.message(1, encode_type(*type.element));
      out.message(4, inner);
      break;
    case ValueType::Kind::kMap:
      inner.varint(1, static_cast<uint64_t>(onnx_number(type.dtype)));
      inner.message(2, encode_type(*type.element));
      out.message(5, inner);
      break;
    case ValueType::Kind::kOptional:
      inner.message(1, encode_type(*type.element));
      out.message(9, inner);
      break;
    case ValueType::Kind::kUnknown:
      break;
  }
  return out;
}

}  // namespace lanthorn::onnx
