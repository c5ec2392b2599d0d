#include "optimize/channel_vector.h"

#include <span>
#include <utility>

namespace lanthorn {

std::optional<std::vector<float>> floats_of(const Tensor* tensor) {
  if (!tensor || tensor->dtype() != DType::kF32) return std::nullopt;
  const auto contiguous = tensor->contiguous();
  if (!contiguous) return std::nullopt;
  const std::span<const float> values = contiguous->as<float>();
  return std::vector<float>(values.begin(), values.end());
}

std::optional<std::vector<float>> per_channel(const Tensor* tensor, int64_t rank, int64_t axis, int64_t channels) {
  if (!tensor || static_cast<int64_t>(tensor->rank()) > rank) return std::nullopt;
  const int64_t skipped = rank - static_cast<int64_t>(tensor->rank());
  for (size_t i = 0; i < tensor->rank(); ++i) {
    const bool is_channel = static_cast<int64_t>(i) + skipped == axis;
    const int64_t size = tensor->shape()[i];
    if (size != 1 && !(is_channel && size == channels)) return std::nullopt;
  }
  auto values = floats_of(tensor);
  if (values && values->size() == 1) values->assign(static_cast<size_t>(channels), (*values)[0]);
  return values;
}

Tensor float_tensor(Shape shape, const std::vector<float>& values) {
  return Tensor::of<float>(DType::kF32, std::move(shape), values);
}

}  // namespace lanthorn
