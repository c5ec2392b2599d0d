#pragma once

#include <cstdint>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// The dtype of a TensorProto.DataType as attributes like `to` and `dtype` hold it; kUndefined for a
/// number without one here.
DType dtype_of_data_type(int64_t data_type);
/// The TensorProto.DataType of a dtype; 0 if ONNX has none.
int64_t data_type_of(DType dtype);

}  // namespace lanthorn
