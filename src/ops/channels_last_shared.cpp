#include "ops/channels_last.h"
#include "ops/elementwise.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Shape strides_of_channels_first(std::span<const int64_t> nhwc) {
  const int64_t area = nhwc[1] * nhwc[2];
  return {nhwc[3] * area, nhwc[2], 1, area};
}

}  // namespace

std::vector<double> read_channels_first(const TensorView& image) {
  const std::vector<double> values = wide_copy<double>(image);
  std::vector<double> moved(values.size());
  copy_strided(DType::kF64, image.shape, values.data(), contiguous_strides(image.shape),
               moved.data(), strides_of_channels_first(image.shape));
  return moved;
}

std::vector<double> to_channels_last(std::span<const double> values,
                                     std::span<const int64_t> nhwc) {
  std::vector<double> moved(values.size());
  copy_strided(DType::kF64, nhwc, values.data(), strides_of_channels_first(nhwc), moved.data(),
               contiguous_strides(nhwc));
  return moved;
}

}  // namespace lanthorn
