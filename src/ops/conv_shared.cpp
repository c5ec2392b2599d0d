#include "ops/conv_shared.h"

#include "base/check.h"
#include "ops/numbers_shared.h"

namespace lanthorn {

Result<Dims> infer_conv(const Attributes& attributes, const Dims& x, const Dims& w) {
  if (x.size() < 3) {
    return shape_error("the input has " + std::to_string(x.size()) +
                       " dimensions; a convolution needs a batch, channels and at least one more");
  }
  if (w.size() != x.size()) {
    return shape_error("the weight has " + std::to_string(w.size()) + " dimensions, the input " +
                       std::to_string(x.size()));
  }
  const size_t spatial = x.size() - 2;
  const int64_t group = attributes.integer("group", 1);
  if (group < 1) return attribute_error("group", "it must be positive");
  if (!may_equal(x[1], w[1] * Dim(group))) {
    return shape_error("the input has " + x[1].text() + " channels, but weight " + dims_text(w) +
                       " with group " + std::to_string(group) + " needs " +
                       (w[1] * Dim(group)).text());
  }
  if (w[0].is_known() && w[0].value() % group != 0) {
    return shape_error("the weight's " + w[0].text() + " maps are no multiple of group " +
                       std::to_string(group));
  }
  std::vector<int64_t> kernel = attributes.ints("kernel_shape");
  if (kernel.empty()) {
    for (size_t i = 0; i < spatial; ++i) kernel.push_back(w[2 + i].known().value_or(-1));
  }
  if (kernel.size() != spatial) return attribute_error("kernel_shape", "it does not fit the input");
  Dims y{x[0], w[0]};
  for (size_t i = 0; i < spatial; ++i) {
    if (!may_equal(kernel[i], w[2 + i])) {
      return attribute_error("kernel_shape", "it does not agree with weight " + dims_text(w));
    }
    if (kernel[i] < 0) {
      y.push_back(Dim::unknown());
      continue;
    }
    LAN_TRY(const Window window, Window::read(attributes, kernel));
    LAN_TRY(Dim size, window.output(i, x[2 + i]));
    y.push_back(std::move(size));
  }
  return y;
}

ConvShape conv_shape(const Attributes& attributes, std::span<const int64_t> x,
                     std::span<const int64_t> w, std::span<const int64_t> y) {
  ConvShape shape;
  shape.batch = x[0];
  shape.channels = x[1];
  shape.maps = w[0];
  shape.group = attributes.integer("group", 1);
  shape.in.assign(x.begin() + 2, x.end());
  shape.out.assign(y.begin() + 2, y.end());
  auto window = Window::read(attributes, {w.begin() + 2, w.end()});
  LAN_CHECK(window.ok());
  shape.window = window->resolved(shape.in, shape.out);
  return shape;
}

}  // namespace lanthorn
