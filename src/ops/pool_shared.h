#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"
#include "ops/window_shared.h"

namespace lanthorn {

/// The dimensions of a pool's output: X is [N, C, spatial...], the kernel is attribute kernel_shape.
Result<Dims> infer_pool(const Attributes& attributes, const Dims& x);

/// A pool in a run: sizes of the spatial axes and the window with explicit pads.
struct PoolShape {
  int64_t planes = 0, in_size = 0, out_size = 0;  // planes: N * C
  std::vector<int64_t> in, out;
  Window window;
};
PoolShape pool_shape(const Attributes& attributes, std::span<const int64_t> x,
                     std::span<const int64_t> y);

/// What lies under the window at one output position: the same for all planes.
struct PoolTaps {
  std::vector<int64_t> inside;  // positions in the plane, in C order
  int64_t padded = 0;           // how many lie in the input or its padding
};

/// Calls `visit(position, taps)` for each output position of a plane.
template <class Visit>
void for_each_position(const PoolShape& s, Visit visit) {
  if (s.out_size == 0 || s.planes == 0) return;
  const size_t rank = s.window.rank();
  Counter out(s.out);
  PoolTaps taps;
  int64_t position = 0;
  do {
    taps.inside.clear();
    taps.padded = 0;
    Counter tap(s.window.kernel);
    do {
      bool inside = true, padded = true;
      int64_t at = 0;
      for (size_t axis = 0; axis < rank; ++axis) {
        const int64_t p = out[axis] * s.window.stride[axis] - s.window.pad_begin[axis] +
                          tap[axis] * s.window.dilation[axis];
        inside = inside && p >= 0 && p < s.in[axis];
        padded = padded && p < s.in[axis] + s.window.pad_end[axis];
        at = at * s.in[axis] + p;
      }
      if (inside) taps.inside.push_back(at);
      taps.padded += padded;
    } while (tap.next());
    visit(position++, taps);
  } while (out.next());
}

}  // namespace lanthorn
