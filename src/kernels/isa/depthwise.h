// Depthwise convolution, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/conv_kernels.h"
#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

template <bool kWhole>
HWY_INLINE void finish_depthwise(const DepthwiseRow& row, V x, size_t pixel, size_t c, size_t left) {
  const size_t at = pixel * row.channels + c;
  if (row.residual != nullptr) {
    x = add(x, kWhole ? load(row.residual + at) : load_n(row.residual + at, left));
  }
  switch (row.activation) {
    case Activation::kNone: break;
    case Activation::kRelu: x = max_keep_nan(zero(), x); break;
    case Activation::kClip: x = clip(x, set(row.alpha), set(row.beta)); break;
    default: break;  // by activate_row(), once the row is there
  }
  if constexpr (kWhole) {
    store(x, row.output + at);
  } else {
    store_n(x, row.output + at, left);
  }
}

// One output pixel, any kernel; taps in the padding are left out.
template <bool kWhole>
HWY_INLINE void depthwise_pixel(const DepthwiseRow& row, size_t pixel, size_t c, size_t left) {
  V sum = row.bias == nullptr ? zero() : kWhole ? load(row.bias + c) : load_n(row.bias + c, left);
  for (size_t ky = 0; ky < row.kernel_h; ++ky) {
    const float* in = row.input_rows[ky];
    if (in == nullptr) continue;
    for (size_t kx = 0; kx < row.kernel_w; ++kx) {
      const size_t x = pixel * row.stride_w + kx * row.dilation_w;  // counted from the padding's edge
      if (x < row.pad_left || x - row.pad_left >= row.in_w) continue;
      const float* w = row.weights + (ky * row.kernel_w + kx) * row.channels + c;
      const float* p = in + (x - row.pad_left) * row.channels + c;
      sum = fma(kWhole ? load(p) : load_n(p, left), kWhole ? load(w) : load_n(w, left), sum);
    }
  }
  finish_depthwise<kWhole>(row, sum, pixel, c, left);
}

// P output pixels side by side: each input value is loaded once for all taps of a kernel row. With
// kEdge, columns in the padding are zeros.
template <int KW, int S, int P, bool kEdge>
HWY_INLINE void depthwise_pixels(const DepthwiseRow& row, size_t pixel, size_t c) {
  constexpr int kColumns = (P - 1) * S + KW;
  const V bias = row.bias == nullptr ? zero() : load(row.bias + c);
  V sum[P];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) sum[p] = bias;
  const size_t column0 = pixel * S - row.pad_left;  // wraps around in the padding
  for (size_t ky = 0; ky < row.kernel_h; ++ky) {
    if (row.input_rows[ky] == nullptr) continue;
    const float* in = row.input_rows[ky];
    const float* w = row.weights + ky * KW * row.channels + c;
    V column[kColumns];
#pragma GCC unroll 16
    for (int x = 0; x < kColumns; ++x) {
      const size_t at = column0 + static_cast<size_t>(x);
      if constexpr (kEdge) {
        column[x] = at < row.in_w ? load(in + at * row.channels + c) : zero();
      } else {
        column[x] = load(in + at * row.channels + c);
      }
    }
#pragma GCC unroll 8
    for (int kx = 0; kx < KW; ++kx) {
      const V weight = load(w + static_cast<size_t>(kx) * row.channels);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) sum[p] = fma(column[p * S + kx], weight, sum[p]);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    finish_depthwise<true>(row, sum[p], pixel + static_cast<size_t>(p), c, kLanes);
  }
}

// All channels of P pixels before the next pixels: memory is then read in order.
template <int KW, int S, int P>
HWY_NOINLINE void depthwise_block(const DepthwiseRow& row, size_t x, size_t first, size_t last) {
  size_t c = 0;
  if (x >= first && x + P <= last) {
    for (; c + kLanes <= row.channels; c += kLanes) depthwise_pixels<KW, S, P, false>(row, x, c);
  } else {
    for (; c + kLanes <= row.channels; c += kLanes) depthwise_pixels<KW, S, P, true>(row, x, c);
  }
}

// Pixels [first, last) have all taps inside the row.
template <int KW, int S, int P>
void depthwise_row_of(const DepthwiseRow& row, size_t first, size_t last) {
  const size_t out_w = row.out_w;
  size_t x = 0;
  for (; x + P <= out_w; x += P) depthwise_block<KW, S, P>(row, x, first, last);
  if constexpr (P > 4) {
    for (; x + 4 <= out_w; x += 4) depthwise_block<KW, S, 4>(row, x, first, last);
  }
  for (; x + 2 <= out_w; x += 2) depthwise_block<KW, S, 2>(row, x, first, last);
  for (; x < out_w; ++x) depthwise_block<KW, S, 1>(row, x, first, last);
  const size_t c = row.channels / kLanes * kLanes;
  if (c < row.channels) {
    for (x = 0; x < out_w; ++x) depthwise_pixel<false>(row, x, c, row.channels - c);
  }
}

HWY_NOINLINE void depthwise_row_any(const DepthwiseRow& row) {
  size_t c = 0;
  for (; c + kLanes <= row.channels; c += kLanes) {
    for (size_t x = 0; x < row.out_w; ++x) depthwise_pixel<true>(row, x, c, kLanes);
  }
  if (c < row.channels) {
    for (size_t x = 0; x < row.out_w; ++x) {
      depthwise_pixel<false>(row, x, c, row.channels - c);
    }
  }
}

void depthwise_sums(const DepthwiseRow& row) {
  const size_t s = row.stride_w;
  size_t first = (row.pad_left + s - 1) / s;
  size_t last = 0;
  const size_t reach = row.in_w + row.pad_left;  // taps end before this, counted from the padding
  if (reach >= row.kernel_w) last = (reach - row.kernel_w) / s + 1;
  if (last > row.out_w) last = row.out_w;
  if (first > last) first = last;
  if (row.dilation_w != 1) return depthwise_row_any(row);
  // As many pixels as the registers hold beside their input columns.
  constexpr bool kMany = kRegisters >= 32;
  if (s == 1) {
    if (row.kernel_w == 3) return depthwise_row_of<3, 1, kMany ? 7 : 6>(row, first, last);
    if (row.kernel_w == 5) return depthwise_row_of<5, 1, kMany ? 7 : 4>(row, first, last);
    if (row.kernel_w == 7) return depthwise_row_of<7, 1, kMany ? 7 : 4>(row, first, last);
  } else if (s == 2) {
    if (row.kernel_w == 3) return depthwise_row_of<3, 2, kMany ? 7 : 3>(row, first, last);
    if (row.kernel_w == 5) return depthwise_row_of<5, 2, kMany ? 7 : 3>(row, first, last);
    if (row.kernel_w == 7) return depthwise_row_of<7, 2, kMany ? 7 : 2>(row, first, last);
  }
  depthwise_row_any(row);
}

// Activations that are not worth their code in each of the loops above.
HWY_NOINLINE void activate_row(const DepthwiseRow& row) {
  const size_t count = row.out_w * row.channels;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(activate(row.activation, row.alpha, row.beta, load(row.output + i)), row.output + i);
  }
  if (i < count) {
    const V x = activate(row.activation, row.alpha, row.beta, load_n(row.output + i, count - i));
    store_n(x, row.output + i, count - i);
  }
}

void depthwise_row(const DepthwiseRow& row) {
  depthwise_sums(row);
  const Activation a = row.activation;
  if (a != Activation::kNone && a != Activation::kRelu && a != Activation::kClip) activate_row(row);
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
