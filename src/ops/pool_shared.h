#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"
#include "ops/window_shared.h"

namespace lanthorn {

/// The dimensions of a pool's output: X is [N, C, spatial...], the kernel is attribute
/// kernel_shape.
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
  double padded = 0;            // how many lie in the input or its padding
};

/// The taps of one axis that lie inside of the input when the window begins at `start`: their
/// number, the input position of the first, and how many lie in the input or its padding.
struct AxisTaps {
  int64_t count = 0, first = 0, padded = 0;
};
AxisTaps axis_taps(const PoolShape& s, size_t axis, int64_t start);

/// Calls `visit(position, taps)` for each output position of a plane. Costs no more than the taps
/// that lie inside, however large the kernel claims to be.
template <class Visit>
void for_each_position(const PoolShape& s, Visit visit) {
  if (s.out_size == 0 || s.planes == 0) return;
  const size_t rank = s.window.rank();
  Counter out(s.out);
  PoolTaps taps;
  std::vector<AxisTaps> axes(rank);
  std::vector<int64_t> counts(rank);
  int64_t position = 0;
  do {
    taps.inside.clear();
    taps.padded = 1;
    bool any = true;
    for (size_t axis = 0; axis < rank; ++axis) {
      axes[axis] = axis_taps(s, axis, out[axis] * s.window.stride[axis] - s.window.pad_begin[axis]);
      counts[axis] = axes[axis].count;
      taps.padded *= static_cast<double>(axes[axis].padded);
      any = any && counts[axis] > 0;
    }
    if (any) {
      Counter tap(counts);
      do {
        int64_t at = 0;
        for (size_t axis = 0; axis < rank; ++axis) {
          at = at * s.in[axis] + axes[axis].first + tap[axis] * s.window.dilation[axis];
        }
        taps.inside.push_back(at);
      } while (tap.next());
    }
    visit(position++, taps);
  } while (out.next());
}

}  // namespace lanthorn
