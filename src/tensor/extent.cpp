#include "tensor/extent.h"

namespace lanthorn {

ByteExtent byte_extent(const Tensor& tensor) {
  if (tensor.count() == 0) return {tensor.offset_bytes(), tensor.offset_bytes()};
  int64_t low = 0, high = 0;
  for (size_t axis = 0; axis < tensor.rank(); ++axis) {
    const int64_t reach = (tensor.shape()[axis] - 1) * tensor.strides()[axis];
    (reach < 0 ? low : high) += reach;
  }
  const auto unit = static_cast<int64_t>(dtype_bytes(tensor.dtype()));
  const auto first = static_cast<int64_t>(tensor.offset_bytes());
  return {static_cast<uint64_t>(first + low * unit),
          static_cast<uint64_t>(first + (high + 1) * unit)};
}

}  // namespace lanthorn
