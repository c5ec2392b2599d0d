// ConvTranspose: https://onnx.ai/onnx/operators/onnx__ConvTranspose.html

#include <algorithm>

#include "base/check.h"
#include "ops/conv_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

struct Transposed {
  Window window;
  std::vector<int64_t> extra;  // output_padding
  std::vector<int64_t> fixed;  // output_shape; empty if not given
};

Result<Transposed> read_attributes(const Attributes& attributes, std::vector<int64_t> kernel) {
  Transposed t;
  const size_t rank = kernel.size();
  LAN_TRY(t.window, Window::read(attributes, std::move(kernel)));
  t.extra = attributes.ints("output_padding");
  if (t.extra.empty()) t.extra.assign(rank, 0);
  t.fixed = attributes.ints("output_shape");
  // Some writers give batch and channels too.
  if (t.fixed.size() == rank + 2) t.fixed.erase(t.fixed.begin(), t.fixed.begin() + 2);
  if (t.extra.size() != rank || (!t.fixed.empty() && t.fixed.size() != rank)) {
    return attribute_error("output_padding", "it does not fit the spatial axes");
  }
  constexpr int64_t kLargest = int64_t{1} << 30;
  for (const int64_t n : t.extra) {
    if (n < 0 || n > kLargest) return attribute_error("output_padding", "a number is out of range");
  }
  for (const int64_t n : t.fixed) {
    if (n < 0) return attribute_error("output_shape", "a number is negative");
  }
  return t;
}

Status infer(InferContext& c) {
  const Dims &x = c.dims(0), &w = c.dims(1);
  if (x.size() < 3 || w.size() != x.size()) {
    return shape_error("input " + dims_text(x) + " and weight " + dims_text(w) +
                       " must have the same number of dimensions, at least three");
  }
  const int64_t group = c.attributes().integer("group", 1);
  if (group < 1) return attribute_error("group", "it must be positive");
  if (!may_equal(x[1], w[0])) {
    return shape_error("input " + dims_text(x) + " and weight " + dims_text(w) + " do not fit");
  }
  if (w[0].is_known() && w[0].value() % group != 0) {
    return shape_error("the channels are no multiple of group " + std::to_string(group));
  }
  const Dim maps = w[1] * Dim(group);
  if (c.has_input(2) && (c.rank(2) != 1 || !may_equal(c.dims(2)[0], maps))) {
    return shape_error("bias " + dims_text(c.dims(2)) + " does not fit weight " + dims_text(w));
  }
  std::vector<int64_t> kernel = c.attributes().ints("kernel_shape");
  for (size_t i = 2; kernel.size() < x.size() - 2; ++i) {
    if (!w[i].is_known()) {
      Dims unknown{x[0], maps};
      while (unknown.size() < x.size()) unknown.push_back(Dim::unknown());
      c.set_output(0, c.dtype(0), std::move(unknown));
      return ok();
    }
    kernel.push_back(w[i].value());
  }
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (kernel.size() != x.size() - 2 || !may_equal(kernel[i], w[2 + i])) {
      return attribute_error("kernel_shape", "it does not agree with weight " + dims_text(w));
    }
  }
  LAN_TRY(const Transposed t, read_attributes(c.attributes(), kernel));
  Dims y{x[0], maps};
  for (size_t i = 0; i < kernel.size(); ++i) {
    const Dim step(t.window.stride[i]);
    const bool same = t.window.auto_pad == Window::AutoPad::kSameUpper ||
                      t.window.auto_pad == Window::AutoPad::kSameLower;
    Dim size = !t.fixed.empty() ? Dim(t.fixed[i])
               : same
                   ? x[2 + i] * step
                   : (x[2 + i] - Dim(1)) * step + Dim(t.extra[i] + t.window.extent(i) -
                                                      t.window.pad_begin[i] - t.window.pad_end[i]);
    if (size.is_known() && size.value() < 0)
      return shape_error("the pads are larger than the result");
    y.push_back(std::move(size));
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

// How much is cut off before the first element of each axis.
void set_pads(Transposed& t, const std::vector<int64_t>& in, const std::vector<int64_t>& out) {
  const bool same = t.window.auto_pad == Window::AutoPad::kSameUpper ||
                    t.window.auto_pad == Window::AutoPad::kSameLower;
  if (t.fixed.empty() && !same) return;
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t total = std::max<int64_t>(
        t.window.stride[i] * (in[i] - 1) + t.extra[i] + t.window.extent(i) - out[i], 0);
    t.window.pad_begin[i] =
        t.window.auto_pad == Window::AutoPad::kSameUpper ? total / 2 : total - total / 2;
  }
}

Status reference(const RunContext& c) {
  const TensorView &x_view = c.input(0), &w_view = c.input(1);
  const MutableTensorView& y_view = c.output(0);
  const std::vector<int64_t> in(x_view.shape.begin() + 2, x_view.shape.end());
  const std::vector<int64_t> out(y_view.shape.begin() + 2, y_view.shape.end());
  LAN_TRY(Transposed t,
          read_attributes(c.attributes(), {w_view.shape.begin() + 2, w_view.shape.end()}));
  set_pads(t, in, out);
  const int64_t group = c.attributes().integer("group", 1);
  const int64_t batch = x_view.shape[0], channels = x_view.shape[1], maps = y_view.shape[1];
  const int64_t group_in = channels / group, group_out = maps / group;
  const int64_t in_size = count_all(in), out_size = count_all(out),
                taps = count_all(t.window.kernel);
  const std::vector<double> x = read_doubles(x_view), w = read_doubles(w_view);
  std::vector<double> y(static_cast<size_t>(y_view.count()));
  if (c.has_input(2) && !y.empty()) {
    const std::vector<double> bias = read_doubles(c.input(2));
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = bias[i / static_cast<size_t>(out_size) % static_cast<size_t>(maps)];
    }
  }
  if (x.empty() || w.empty() || y.empty()) {
    write_doubles(y_view, y);
    return ok();
  }
  Counter position(in);
  int64_t at = 0;
  do {
    Counter tap(t.window.kernel);
    int64_t k = 0;
    do {
      int64_t to = 0;
      bool inside = true;
      for (size_t axis = 0; axis < in.size(); ++axis) {
        const int64_t p = position[axis] * t.window.stride[axis] +
                          tap[axis] * t.window.dilation[axis] - t.window.pad_begin[axis];
        inside = inside && p >= 0 && p < out[axis];
        to = to * out[axis] + p;
      }
      for (int64_t n = 0; inside && n < batch; ++n) {
        for (int64_t ch = 0; ch < channels; ++ch) {
          const double value = x[static_cast<size_t>((n * channels + ch) * in_size + at)];
          const double* weights = w.data() + ch * group_out * taps + k;
          double* sums = y.data() + (n * maps + ch / group_in * group_out) * out_size + to;
          for (int64_t m = 0; m < group_out; ++m) sums[m * out_size] += value * weights[m * taps];
        }
      }
      ++k;
    } while (tap.next());
    ++at;
  } while (position.next());
  write_doubles(y_view, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_conv_transpose{
    .name = "ConvTranspose",
    .since = 22,
    .inputs = {{"X", kFloats}, {"W", kFloats}, {"B", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
