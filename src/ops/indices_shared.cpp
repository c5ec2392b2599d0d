#include "ops/elementwise.h"
#include "ops/indices.h"

namespace lanthorn {
namespace {

Error outside(int64_t index, int64_t size) {
  return Error{
      ErrorCode::kInvalidInput,
      "index " + std::to_string(index) + " is outside of a dimension of " + std::to_string(size),
      "", ""};
}

}  // namespace

Status check_indices(std::span<const int64_t> indices, int64_t size) {
  for (const int64_t index : indices) {
    if (index < -size || index >= size) return outside(index, size);
  }
  return ok();
}

Result<NdIndices> nd_indices(const TensorView& indices, std::span<const int64_t> shape,
                             size_t batch) {
  const auto depth = static_cast<size_t>(indices.shape.back());
  const std::vector<int64_t> numbers = wide_copy<int64_t>(indices);
  const Shape strides = contiguous_strides(shape);
  for (size_t i = 0; i < batch; ++i) {
    if (indices.shape[i] != shape[i]) {
      return Error{ErrorCode::kInvalidInput,
                   "indices have the shape " + shape_text(indices.shape) + ", but the data has " +
                       shape_text(shape) + " and they share " + std::to_string(batch) +
                       " dimensions",
                   "", ""};
    }
  }
  NdIndices places;
  for (size_t i = batch + depth; i < shape.size(); ++i) places.length *= shape[i];
  int64_t tuples = 1, batches = 1;
  for (size_t i = 0; i + 1 < indices.rank(); ++i) tuples *= indices.shape[i];
  for (size_t i = 0; i < batch; ++i) batches *= shape[i];
  const int64_t batch_stride = batch > 0 ? strides[batch - 1] : 0;
  for (int64_t tuple = 0; tuple < tuples; ++tuple) {
    int64_t start = batch > 0 ? tuple / (tuples / batches) * batch_stride : 0;
    for (size_t i = 0; i < depth; ++i) {
      const int64_t size = shape[batch + i],
                    index = numbers[static_cast<size_t>(tuple) * depth + i];
      if (index < -size || index >= size) return outside(index, size);
      start += (index < 0 ? index + size : index) * strides[batch + i];
    }
    places.starts.push_back(start);
  }
  return places;
}

}  // namespace lanthorn
