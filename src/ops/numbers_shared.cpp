#include "ops/numbers_shared.h"

#include "tensor/convert.h"

namespace lanthorn {

std::vector<double> read_doubles(const TensorView& view) {
  std::vector<double> values(static_cast<size_t>(view.count()));
  if (!values.empty()) convert(view.dtype, view.data, DType::kF64, values.data(), values.size());
  return values;
}

std::vector<int64_t> read_ints(const TensorView& view) {
  std::vector<int64_t> values(static_cast<size_t>(view.count()));
  if (!values.empty()) convert(view.dtype, view.data, DType::kI64, values.data(), values.size());
  return values;
}

void write_doubles(const MutableTensorView& view, std::span<const double> values) {
  if (!view.present() || values.empty()) return;
  convert(DType::kF64, values.data(), view.dtype, view.data, values.size());
}

Result<int64_t> checked_axis(int64_t axis, int64_t rank, std::string_view attribute) {
  if (axis < -rank || axis >= rank) {
    return attribute_error(attribute, "axis " + std::to_string(axis) + " is out of range for " +
                                          std::to_string(rank) + " dimensions");
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace lanthorn
