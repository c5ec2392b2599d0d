#pragma once

#include <cstdint>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// The dtype of a TensorProto.DataType number, as attributes like Cast's `to` hold it; kUndefined
/// if there is none. https://github.com/onnx/onnx/blob/main/onnx/onnx.in.proto
DType dtype_from_onnx(int64_t number);
/// The TensorProto.DataType number of a dtype; 0 if ONNX has none.
int64_t onnx_number(DType dtype);

}  // namespace lanthorn
