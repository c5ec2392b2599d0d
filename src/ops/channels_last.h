#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/dim.h"
#include "ops/op.h"

namespace lanthorn {

/// [N, H, W, C] as [N, C, H, W], and back.
inline Dims channels_first(const Dims& d) { return {d[0], d[3], d[1], d[2]}; }
inline Dims channels_last(const Dims& d) { return {d[0], d[2], d[3], d[1]}; }
inline std::array<int64_t, 4> channels_first(std::span<const int64_t> s) {
  return {s[0], s[3], s[1], s[2]};
}

/// An NHWC image as doubles in NCHW order.
std::vector<double> read_channels_first(const TensorView& image);
/// NCHW values of an image whose shape is `nhwc`, in NHWC order.
std::vector<double> to_channels_last(std::span<const double> values, std::span<const int64_t> nhwc);

}  // namespace lanthorn
