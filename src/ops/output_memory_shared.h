#pragma once

#include <cstdint>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// A new zeroed tensor whose bytes are taken from `left`. kLimit, before anything is allocated, where
/// they are more than that.
Result<Tensor> allocate_output(DType dtype, Shape shape, uint64_t& left);

/// Takes what a result made elsewhere holds from `left`; kLimit where it is more.
Status take_memory(const Tensor& tensor, uint64_t& left);

}  // namespace lanthorn
