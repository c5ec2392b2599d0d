// Convolution with small groups, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/conv_kernels.h"
#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

// Lanes of a vector are output channels of one or several groups. What lane l needs from the input is
// channel k of its own group: with several groups in a vector, a permutation of the input vector that
// starts where the output's channels start; else one value for all lanes.
template <int G, int P>
HWY_NOINLINE void grouped_pixels(const GroupedArgs& args, size_t pixel, size_t channel) {
  constexpr bool kPermutes = kLanes >= G;
  const Epilogue& e = args.epilogue;
  const float* w = args.weights + channel * args.taps * G;
  V sum[P];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) sum[p] = e.bias ? load(e.bias + channel) : zero();
  HWY_ALIGN int32_t lanes[G][kLanes];
  if constexpr (kPermutes) {
    for (size_t k = 0; k < G; ++k) {
      for (size_t l = 0; l < kLanes; ++l) lanes[k][l] = static_cast<int32_t>(l / G * G + k);
    }
  }
  const size_t first = kPermutes ? channel : channel / G * G;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* const* rows = args.rows + t * args.rows_stride + pixel;
    if constexpr (kPermutes) {
      V x[P];
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) x[p] = load(rows[p] + first);
#pragma GCC unroll 8
      for (int k = 0; k < G; ++k, w += kLanes) {
        const auto index = hn::SetTableIndices(D(), lanes[k]);
        const V weight = load(w);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) {
          sum[p] = fma(hn::TableLookupLanes(x[p], index), weight, sum[p]);
        }
      }
    } else {
      for (int k = 0; k < G; ++k, w += kLanes) {
        const V weight = load(w);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) sum[p] = fma(set(rows[p][first + k]), weight, sum[p]);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    const size_t row = pixel + static_cast<size_t>(p);
    V x = sum[p];
    if (e.residual) x = add(x, load(e.residual + row * e.residual_stride + channel));
    if (e.activation == Activation::kRelu) {
      x = max_keep_nan(zero(), x);
    } else if (e.activation != Activation::kNone) {
      x = activate(e.activation, e.alpha, e.beta, x);
    }
    store(x, args.c + row * args.channels + channel);
  }
}

template <int G>
void grouped_of(const GroupedArgs& args, size_t pixels, size_t channel0, size_t channel1) {
  constexpr int kPixels = kRegisters >= 32 ? 8 : 4;
  for (size_t channel = channel0; channel < channel1; channel += kLanes) {
    size_t i = 0;
    for (; i + kPixels <= pixels; i += kPixels) grouped_pixels<G, kPixels>(args, i, channel);
    for (; i < pixels; ++i) grouped_pixels<G, 1>(args, i, channel);
  }
}

void grouped(const GroupedArgs& args, size_t pixels, size_t channel0, size_t channel1) {
  if (args.group == 4) return grouped_of<4>(args, pixels, channel0, channel1);
  return grouped_of<8>(args, pixels, channel0, channel1);
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
