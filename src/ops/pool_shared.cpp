#include "ops/pool_shared.h"

#include <algorithm>

#include "base/check.h"
#include "ops/numbers_shared.h"

namespace lanthorn {

Result<Dims> infer_pool(const Attributes& attributes, const Dims& x) {
  const std::vector<int64_t> kernel = attributes.ints("kernel_shape");
  if (kernel.empty()) return attribute_error("kernel_shape", "it is missing");
  if (x.size() != kernel.size() + 2) {
    return shape_error("the input has " + std::to_string(x.size()) + " dimensions; a pool over " +
                       std::to_string(kernel.size()) + " axes needs " +
                       std::to_string(kernel.size() + 2));
  }
  LAN_TRY(const Window window, Window::read(attributes, kernel));
  Dims y{x[0], x[1]};
  for (size_t axis = 0; axis < kernel.size(); ++axis) {
    LAN_TRY(Dim size, window.output(axis, x[2 + axis]));
    y.push_back(std::move(size));
  }
  return y;
}

PoolShape pool_shape(const Attributes& attributes, std::span<const int64_t> x,
                     std::span<const int64_t> y) {
  auto window = Window::read(attributes, attributes.ints("kernel_shape"));
  LAN_CHECK(window.ok());
  PoolShape shape;
  shape.planes = x[0] * x[1];
  shape.in.assign(x.begin() + 2, x.end());
  shape.out.assign(y.begin() + 2, y.end());
  shape.in_size = count_between(x, 2, x.size());
  shape.out_size = count_between(y, 2, y.size());
  shape.window = window->resolved(shape.in, shape.out);
  return shape;
}

AxisTaps axis_taps(const PoolShape& s, size_t axis, int64_t start) {
  const int64_t kernel = s.window.kernel[axis], step = s.window.dilation[axis];
  const int64_t size = s.in[axis];
  const int64_t before = start < 0 ? std::min((-start + step - 1) / step, kernel) : 0;
  const int64_t room = size - start, padded_room = room + s.window.pad_end[axis];
  const int64_t end = room > 0 ? std::min((room + step - 1) / step, kernel) : 0;
  AxisTaps taps;
  taps.count = std::max<int64_t>(end - before, 0);
  taps.first = start + before * step;
  taps.padded = padded_room > 0 ? std::min((padded_room + step - 1) / step, kernel) : 0;
  return taps;
}

}  // namespace lanthorn
