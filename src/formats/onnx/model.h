#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/protobuf.h"
#include "formats/format.h"
#include "lanthorn/result.h"

/// The messages of onnx.proto as plain structs. Names, strings and numbers look into the bytes that
/// were decoded, which must outlive them. Device configurations are left out.
/// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
namespace lanthorn::onnx {

struct GraphProto;

using StringPair = std::pair<std::string_view, std::string_view>;

/// TensorProto.DataType
enum class DataType : int32_t {
  kUndefined,
  kFloat,
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kInt32,
  kInt64,
  kString,
  kBool,
  kFloat16,
  kDouble,
  kUint32,
  kUint64,
  kComplex64,
  kComplex128,
  kBfloat16,
  kFloat8E4M3FN,
  kFloat8E4M3FNUZ,
  kFloat8E5M2,
  kFloat8E5M2FNUZ,
  kUint4,
  kInt4,
  kFloat4E2M1,
  kFloat8E8M0,
  kUint2,
  kInt2,
};

struct TensorProto {
  std::string_view name, doc;
  uint64_t offset = 0;  // of the message in the file
  std::vector<int64_t> dims;
  int32_t data_type = 0;
  std::optional<std::span<const std::byte>> raw;
  ProtoNumbers floats, int32s, int64s, doubles, uint64s;
  std::vector<std::string_view> strings;
  bool external = false;
  std::vector<StringPair> external_data;
  bool segmented = false;
};

struct SparseTensorProto {
  std::optional<TensorProto> values, indices;
  std::vector<int64_t> dims;
};

struct Dimension {
  std::optional<int64_t> value;
  std::string_view parameter;
};

struct TypeProto {
  enum class Kind : uint8_t { kUnset, kTensor, kSequence, kMap, kOptional, kSparse, kOpaque };
  Kind kind = Kind::kUnset;
  int32_t element = 0;  // DataType of a tensor, of the keys of a map
  bool has_shape = false;
  std::vector<Dimension> dims;
  std::shared_ptr<const TypeProto> inner;  // of a sequence or optional; the value's of a map
};

struct ValueInfoProto {
  std::string_view name, doc;
  TypeProto type;
  std::vector<StringPair> metadata;
};

/// AttributeProto.AttributeType
enum class AttributeType : int32_t {
  kUndefined,
  kFloat,
  kInt,
  kString,
  kTensor,
  kGraph,
  kFloats,
  kInts,
  kStrings,
  kTensors,
  kGraphs,
  kSparseTensor,
  kSparseTensors,
  kTypeProto,
  kTypeProtos,
};

struct AttributeProto {
  std::string_view name, ref_name;
  int32_t type = 0;     // where the file leaves it out, what the value tells
  bool typed = false;   // the file has one of the types that there are
  std::optional<float> real;
  std::optional<int64_t> integer;
  std::optional<std::string_view> text;
  ProtoNumbers reals, integers;
  std::vector<std::string_view> texts;
  std::vector<TensorProto> tensors;                       // one for kTensor
  std::vector<std::shared_ptr<const GraphProto>> graphs;  // one for kGraph
  std::optional<SparseTensorProto> sparse;
  std::optional<TypeProto> type_proto;
};

struct NodeProto {
  std::string_view op, domain, overload, name, doc;
  uint64_t offset = 0;  // of the message in the file
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeProto> attributes;
  std::vector<StringPair> metadata;

  const AttributeProto* find(std::string_view attribute) const;
};

struct GraphProto {
  std::string_view name, doc;
  std::vector<NodeProto> nodes;
  std::vector<TensorProto> initializers;
  std::vector<SparseTensorProto> sparse_initializers;
  std::vector<ValueInfoProto> inputs, outputs, value_infos;
  std::vector<StringPair> metadata;
};

struct OpsetId {
  std::string_view domain;
  int64_t version = 0;
};

struct FunctionProto {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs, attributes;
  std::vector<AttributeProto> default_attributes;
  std::vector<NodeProto> nodes;
  std::vector<OpsetId> opsets;
};

struct ModelProto {
  int64_t ir_version = 0;
  std::vector<OpsetId> opsets;
  std::string_view producer_name, producer_version, domain, doc;
  int64_t model_version = 0;
  std::optional<GraphProto> graph;
  std::vector<FunctionProto> functions;
  std::vector<StringPair> metadata;
  bool has_training = false;
};

/// Decodes a ModelProto. kCorrupt for bytes that break the format, kLimit where the structs would
/// take more than `limits` allow.
Result<ModelProto> decode_model(std::span<const std::byte> bytes, const ReadLimits& limits);

/// True if the bytes begin like a ModelProto: known fields of the right wire types, among them a
/// graph and an IR version or opset.
bool looks_like_model(std::span<const std::byte> bytes);

}  // namespace lanthorn::onnx
