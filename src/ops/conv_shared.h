#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"
#include "ops/window_shared.h"

namespace lanthorn {

/// How many positions there are.
inline int64_t count_all(const std::vector<int64_t>& sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  return count;
}

/// What all convolutions share: X is [N, C, spatial...], W is [M, C / group, kernel...].
struct ConvShape {
  int64_t batch = 0, channels = 0, maps = 0, group = 1;
  std::vector<int64_t> in, out;  // spatial sizes
  Window window;
};

/// Checks X, W and B of a Conv and gives its output's dimensions.
Result<Dims> infer_conv(const Attributes& attributes, const Dims& x, const Dims& w);
/// The same for a run, where all sizes are known; `out` are the output's spatial sizes.
ConvShape conv_shape(const Attributes& attributes, std::span<const int64_t> x,
                     std::span<const int64_t> w, std::span<const int64_t> y);

/// Adds the convolution of x and w onto y, which holds the bias already. Plain loops; the innermost
/// runs along the last axis. Acc is a type in which sums are exact enough: double, int32_t.
template <class Acc>
void convolve(const ConvShape& s, const Acc* x, const Acc* w, Acc* y) {
  const size_t last = s.window.rank() - 1;
  const int64_t in_size = count_all(s.in), out_size = count_all(s.out);
  const int64_t taps = count_all(s.window.kernel);
  const int64_t group_in = s.channels / s.group, group_out = s.maps / s.group;
  if (in_size == 0 || out_size == 0 || group_in == 0) return;
  const std::vector<int64_t> outer(s.out.begin(), s.out.end() - 1);
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t m = 0; m < s.maps; ++m) {
      Acc* to = y + (n * s.maps + m) * out_size;
      for (int64_t c = 0; c < group_in; ++c) {
        const Acc* from = x + (n * s.channels + m / group_out * group_in + c) * in_size;
        const Acc* weights = w + (m * group_in + c) * taps;
        Counter tap(s.window.kernel);
        do {
          const Acc weight = *weights++;
          const TapRange range = tap_range(s.window, last, tap[last], s.in[last], s.out[last]);
          if (range.begin == range.end) continue;
          Counter row(outer);
          int64_t row_index = 0;
          do {
            int64_t source = 0;
            bool inside = true;
            for (size_t axis = 0; axis < last; ++axis) {
              const int64_t at = row[axis] * s.window.stride[axis] - s.window.pad_begin[axis] +
                                 tap[axis] * s.window.dilation[axis];
              inside = inside && at >= 0 && at < s.in[axis];
              source = source * s.in[axis] + at;
            }
            if (inside) {
              const Acc* line = from + source * s.in[last] + range.first_input;
              Acc* sums = to + row_index * s.out[last];
              const int64_t step = s.window.stride[last];
              for (int64_t o = range.begin; o < range.end; ++o) {
                sums[o] += weight * line[(o - range.begin) * step];
              }
            }
            ++row_index;
          } while (row.next());
        } while (tap.next());
      }
    }
  }
}

}  // namespace lanthorn
