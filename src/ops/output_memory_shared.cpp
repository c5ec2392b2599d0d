#include "ops/output_memory_shared.h"

#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"

namespace lanthorn {

namespace {

Status take(DType dtype, const Shape& shape, uint64_t& left) {
  const std::optional<uint64_t> bytes = checked_product(shape, dtype_bytes(dtype));
  if (!bytes || *bytes > left) {
    return Error{ErrorCode::kLimit,
                 "an output of shape " + shape_text(shape) + " is more than the " + std::to_string(left) +
                     " bytes that are left for results", "", "use smaller inputs"};
  }
  left -= *bytes;
  return ok();
}

}  // namespace

Result<Tensor> allocate_output(DType dtype, Shape shape, uint64_t& left) {
  LAN_OK(take(dtype, shape, left));
  return Tensor::allocate(dtype, std::move(shape));
}

Status take_memory(const Tensor& tensor, uint64_t& left) { return take(tensor.dtype(), tensor.shape(), left); }

}  // namespace lanthorn
