#include "ops/pool_shared.h"

#include "base/check.h"
#include "ops/numbers_shared.h"

namespace lanthorn {

Result<Dims> infer_pool(const Attributes& attributes, const Dims& x) {
  const std::vector<int64_t> kernel = attributes.ints("kernel_shape");
  if (kernel.empty()) return attribute_error("kernel_shape", "it is missing");
  if (x.size() != kernel.size() + 2) {
    return shape_error("the input has " + std::to_string(x.size()) +
                       " dimensions; a pool over " + std::to_string(kernel.size()) +
                       " axes needs " + std::to_string(kernel.size() + 2));
  }
  LAN_TRY(const Window window, Window::read(attributes, kernel));
  constexpr int64_t kMostTaps = int64_t{1} << 31;
  int64_t taps = 1;
  for (const int64_t size : kernel) {
    if (taps > kMostTaps / size) return attribute_error("kernel_shape", "the kernel is too large");
    taps *= size;
  }
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

}  // namespace lanthorn
