#pragma once

#include "formats/onnx/model.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// As many dimensions as NumPy allows; more only come from hostile files.
constexpr size_t kMaxRank = 64;
Error too_many_dimensions();

/// The dtype of a TensorProto.DataType. kUnsupported for one that has no dtype here, kCorrupt for a
/// number that onnx.proto does not have.
Result<DType> dtype_of(int32_t data_type);

/// The type that a ValueInfoProto tells. Dimensions without a name and a size become symbols named
/// after `prefix` and their axis ("input_dim_2"), or unknowns where `prefix` is empty.
Result<ValueType> value_type(const TypeProto& type, std::string_view prefix);

}  // namespace lanthorn::onnx
