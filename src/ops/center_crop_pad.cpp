// CenterCropPad: https://onnx.ai/onnx/operators/onnx__CenterCropPad.html

#include <algorithm>

#include "ops/numbers_shared.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  Dims y = c.dims(0);
  const auto target = c.elements(1);
  std::vector<int64_t> axes = c.attributes().ints("axes");
  if (!c.attributes().has("axes")) {
    for (int64_t i = 0; i < c.rank(0); ++i) axes.push_back(i);
  }
  if (target && target->size() != axes.size()) return shape_error("shape does not fit the axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    LAN_TRY(const int64_t axis, checked_axis(axes[i], c.rank(0), "axes"));
    const Dim size = target ? (*target)[i] : Dim::unknown();
    if (size.is_known() && size.value() < 0) return shape_error("shape holds a negative size");
    y[static_cast<size_t>(axis)] = size;
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& x = c.input(0);
  const MutableTensorView& y = c.output(0);
  const Shape from_strides = contiguous_strides(x.shape), to_strides = contiguous_strides(y.shape);
  Shape common;
  int64_t from = 0, to = 0;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    const int64_t in = x.shape[axis], out = y.shape[axis];
    common.push_back(std::min(in, out));
    if (in > out) from += (in - out) / 2 * from_strides[axis];
    if (out > in) to += (out - in) / 2 * to_strides[axis];
  }
  if (y.dtype != DType::kString && y.count() > 0) {
    std::fill_n(static_cast<std::byte*>(y.data),
                static_cast<size_t>(y.count()) * dtype_bytes(y.dtype), std::byte{0});
  }
  if (std::find(common.begin(), common.end(), 0) != common.end()) return ok();
  copy_strided(x.dtype, common, element_at(x.dtype, x.data, from), from_strides,
               element_at(y.dtype, y.data, to), to_strides);
  return ok();
}

}  // namespace

extern constinit const OpDef op_center_crop_pad{
    .name = "CenterCropPad",
    .since = 18,
    .inputs = {{"input_data", kAnyType}, {"shape", kI64Type | type_bit(DType::kI32)}},
    .outputs = {{"output_data", kAnyType}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
