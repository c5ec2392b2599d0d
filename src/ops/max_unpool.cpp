// MaxUnpool: puts the results of a MaxPool back where its indices say.
// https://onnx.ai/onnx/operators/onnx__MaxUnpool.html

#include <algorithm>

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {
namespace {

Result<Dims> usual_shape(const Attributes& attributes, const Dims& x) {
  LAN_TRY(const Window w, Window::read(attributes, attributes.ints("kernel_shape")));
  if (w.rank() == 0 || x.size() != w.rank() + 2) {
    return attribute_error("kernel_shape", "it does not fit input " + dims_text(x));
  }
  Dims y{x[0], x[1]};
  for (size_t i = 0; i < w.rank(); ++i) {
    y.push_back((x[2 + i] - Dim(1)) * Dim(w.stride[i]) +
                Dim(w.kernel[i] - w.pad_begin[i] - w.pad_end[i]));
  }
  return y;
}

Status infer(InferContext& c) {
  LAN_TRY(Dims y, usual_shape(c.attributes(), c.dims(0)));
  if (c.has_input(2)) {
    const auto given = c.elements(2);
    if (given && given->size() != y.size())
      return shape_error("output_shape does not fit the input");
    for (size_t i = 0; i < y.size(); ++i) y[i] = given ? (*given)[i] : Dim::unknown();
  }
  for (const Dim& size : y) {
    if (size.is_known() && size.value() < 0)
      return shape_error("the output would have a negative size");
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& x_view = c.input(0);
  const MutableTensorView& y_view = c.output(0);
  if (c.input(1).count() != x_view.count()) return shape_error("X and I are of different shapes");
  Dims dims(x_view.shape.begin(), x_view.shape.end());
  LAN_TRY(const Dims usual, usual_shape(c.attributes(), dims));
  // The indices count in the output that the window makes, which output_shape may enlarge.
  Shape counted;
  int64_t count = 1;
  for (const Dim& size : usual) {
    counted.push_back(size.value());
    count *= size.value();
  }
  const std::vector<double> x = read_doubles(x_view);
  const std::vector<int64_t> where = read_ints(c.input(1));
  const Shape strides = contiguous_strides(y_view.shape);
  std::vector<double> y(static_cast<size_t>(y_view.count()));
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t rest = where[i];
    if (rest < 0 || rest >= count) {
      return shape_error("index " + std::to_string(rest) + " is outside of the output");
    }
    int64_t to = 0;
    bool inside = true;
    for (size_t axis = counted.size(); axis-- > 0; rest /= counted[axis]) {
      const int64_t at = rest % counted[axis];
      inside = inside && at < y_view.shape[axis];
      to += at * strides[axis];
    }
    if (inside) y[static_cast<size_t>(to)] = x[i];
  }
  write_doubles(y_view, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_max_unpool{
    .name = "MaxUnpool",
    .since = 22,
    .inputs = {{"X", kFloats}, {"I", kI64Type}, {"output_shape", kI64Type, true}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
