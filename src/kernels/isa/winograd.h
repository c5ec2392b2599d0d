// Transforms of the Winograd convolution, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

// Out of line: 16 copies of the switch would be most of a tile's code.
HWY_NOINLINE V activate_rarely(const Epilogue& e, V x) { return activate(e.activation, e.alpha, e.beta, x); }

// B^T d, one dimension of F(4, 3).
HWY_INLINE void input_line_6(const V* a, V* o) {
  const V four = set(4.0f), five = set(5.0f), two = set(2.0f);
  o[0] = fma(four, a[0], fnma(five, a[2], a[4]));
  const V u = fnma(four, a[2], a[4]), v = fnma(four, a[1], a[3]);
  o[1] = add(u, v);
  o[2] = sub(u, v);
  const V s = sub(a[4], a[2]), t = mul(two, sub(a[3], a[1]));
  o[3] = add(s, t);
  o[4] = sub(s, t);
  o[5] = fma(four, a[1], fnma(five, a[3], a[5]));
}

// The same of F(2, 3).
HWY_INLINE void input_line_4(const V* a, V* o) {
  o[0] = sub(a[0], a[2]);
  o[1] = add(a[1], a[2]);
  o[2] = sub(a[2], a[1]);
  o[3] = sub(a[1], a[3]);
}

// A^T m, one dimension of F(4, 3).
HWY_INLINE void output_line_6(const V* a, V* o) {
  const V p = add(a[1], a[2]), q = sub(a[1], a[2]), r = add(a[3], a[4]), u = sub(a[3], a[4]);
  o[0] = add(a[0], add(p, r));
  o[1] = fma(set(2.0f), u, q);
  o[2] = fma(set(4.0f), r, p);
  o[3] = add(fma(set(8.0f), u, q), a[5]);
}

// The same of F(2, 3).
HWY_INLINE void output_line_4(const V* a, V* o) {
  o[0] = add(a[0], add(a[1], a[2]));
  o[1] = sub(sub(a[1], a[2]), a[3]);
}

template <int T, bool kWhole>
HWY_INLINE void input_channels(const float* const* source, size_t c, size_t left, float* target,
                               size_t stride) {
  V m[T][T];
#pragma GCC unroll 6
  for (int j = 0; j < T; ++j) {
    V column[T], line[T];
#pragma GCC unroll 6
    for (int i = 0; i < T; ++i) {
      column[i] = kWhole ? load(source[i * T + j] + c) : load_n(source[i * T + j] + c, left);
    }
    if constexpr (T == 6) {
      input_line_6(column, line);
    } else {
      input_line_4(column, line);
    }
#pragma GCC unroll 6
    for (int i = 0; i < T; ++i) m[i][j] = line[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < T; ++i) {
    V line[T];
    if constexpr (T == 6) {
      input_line_6(m[i], line);
    } else {
      input_line_4(m[i], line);
    }
#pragma GCC unroll 6
    for (int j = 0; j < T; ++j) {
      float* out = target + static_cast<size_t>(i * T + j) * stride + c;
      if constexpr (kWhole) {
        store(line[j], out);
      } else {
        store_n(line[j], out, left);
      }
    }
  }
}

template <int T>
HWY_NOINLINE void input_tile(const float* const* source, size_t channels, float* target,
                             size_t stride) {
  size_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    input_channels<T, true>(source, c, kLanes, target, stride);
  }
  if (c < channels) input_channels<T, false>(source, c, channels - c, target, stride);
}

template <int T, bool kWhole>
HWY_INLINE void output_channels(const float* source, size_t stride, size_t c, size_t left,
                                float* const* target, const float* const* residual,
                                const Epilogue& e, V& not_finite) {
  constexpr int M = T - 2;
  V t[M][T];
#pragma GCC unroll 6
  for (int j = 0; j < T; ++j) {
    V column[T], line[M];
#pragma GCC unroll 6
    for (int i = 0; i < T; ++i) {
      const float* p = source + static_cast<size_t>(i * T + j) * stride + c;
      column[i] = kWhole ? load(p) : load_n(p, left);
    }
    if constexpr (T == 6) {
      output_line_6(column, line);
    } else {
      output_line_4(column, line);
    }
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) t[i][j] = line[i];
  }
  const V bias = e.bias == nullptr ? zero() : kWhole ? load(e.bias + c) : load_n(e.bias + c, left);
#pragma GCC unroll 4
  for (int i = 0; i < M; ++i) {
    V line[M];
    if constexpr (T == 6) {
      output_line_6(t[i], line);
    } else {
      output_line_4(t[i], line);
    }
#pragma GCC unroll 4
    for (int j = 0; j < M; ++j) {
      float* out = target[i * M + j];
      if (out == nullptr) continue;
      not_finite = fma(line[j], zero(), not_finite);
      V x = add(line[j], bias);
      if (residual != nullptr) {
        const float* r = residual[i * M + j] + c;
        x = add(x, kWhole ? load(r) : load_n(r, left));
      }
      // The common ones here; the switch would be a jump for each pixel.
      if (e.activation == Activation::kRelu) {
        x = max_keep_nan(zero(), x);
      } else if (e.activation != Activation::kNone) {
        x = activate_rarely(e, x);
      }
      if constexpr (kWhole) {
        store(x, out + c);
      } else {
        store_n(x, out + c, left);
      }
    }
  }
}

template <int T>
HWY_NOINLINE bool output_tile(const float* source, size_t stride, size_t channels,
                              float* const* target, const float* const* residual,
                              const Epilogue& e) {
  V not_finite = zero();
  size_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    output_channels<T, true>(source, stride, c, kLanes, target, residual, e, not_finite);
  }
  if (c < channels) {
    output_channels<T, false>(source, stride, c, channels - c, target, residual, e, not_finite);
  }
  return sum_lanes(not_finite) == 0.0f;  // infinity * 0 and NaN * 0 are NaN
}

// G g, one dimension of F(4, 3).
HWY_INLINE void weight_line_6(const V* g, V* o) {
  const V sixth = set(-1.0f / 6.0f), twelfth = set(1.0f / 12.0f), half_twelfth = set(1.0f / 24.0f);
  o[0] = mul(set(0.25f), g[0]);
  const V outer = mul(sixth, add(g[0], g[2])), middle = mul(sixth, g[1]);
  o[1] = add(outer, middle);
  o[2] = sub(outer, middle);
  const V far = fma(half_twelfth, g[0], mul(set(1.0f / 6.0f), g[2])), near = mul(twelfth, g[1]);
  o[3] = add(far, near);
  o[4] = sub(far, near);
  o[5] = g[2];
}

// The same of F(2, 3).
HWY_INLINE void weight_line_4(const V* g, V* o) {
  const V half = set(0.5f);
  const V outer = mul(half, add(g[0], g[2])), middle = mul(half, g[1]);
  o[0] = g[0];
  o[1] = add(outer, middle);
  o[2] = sub(outer, middle);
  o[3] = g[2];
}

template <int T>
HWY_NOINLINE void weight_columns(const float* taps, size_t channels, size_t nr, float* target,
                                 size_t stride) {
  for (size_t i = 0; i < channels; ++i, taps += 9 * nr, target += nr) {
    for (size_t j = 0; j < nr; j += kLanes) {
      V half[T][3];
#pragma GCC unroll 3
      for (int b = 0; b < 3; ++b) {
        V column[3], line[T];
#pragma GCC unroll 3
        for (int k = 0; k < 3; ++k) column[k] = load(taps + static_cast<size_t>(k * 3 + b) * nr + j);
        if constexpr (T == 6) {
          weight_line_6(column, line);
        } else {
          weight_line_4(column, line);
        }
#pragma GCC unroll 6
        for (int a = 0; a < T; ++a) half[a][b] = line[a];
      }
#pragma GCC unroll 6
      for (int a = 0; a < T; ++a) {
        V line[T];
        if constexpr (T == 6) {
          weight_line_6(half[a], line);
        } else {
          weight_line_4(half[a], line);
        }
#pragma GCC unroll 6
        for (int b = 0; b < T; ++b) store(line[b], target + static_cast<size_t>(a * T + b) * stride + j);
      }
    }
  }
}

void winograd_weights(int m, const float* taps, size_t channels, size_t nr, float* target,
                      size_t stride) {
  if (m == 4) {
    weight_columns<6>(taps, channels, nr, target, stride);
  } else {
    weight_columns<4>(taps, channels, nr, target, stride);
  }
}

void winograd_input(int m, const float* const* source, size_t channels, float* target,
                    size_t stride) {
  if (m == 4) {
    input_tile<6>(source, channels, target, stride);
  } else {
    input_tile<4>(source, channels, target, stride);
  }
}

bool winograd_output(int m, const float* source, size_t stride, size_t channels,
                     float* const* target, const float* const* residual, const Epilogue& e) {
  if (m == 4) return output_tile<6>(source, stride, channels, target, residual, e);
  return output_tile<4>(source, stride, channels, target, residual, e);
}

void finish_row(float* values, size_t n, const float* residual, const Epilogue& e) {
  for (size_t i = 0; i < n; i += kLanes) {
    const size_t left = n - i < kLanes ? n - i : kLanes;
    V x = load_n(values + i, left);
    if (e.bias) x = add(x, load_n(e.bias + i, left));
    if (residual) x = add(x, load_n(residual + i, left));
    store_n(activate(e.activation, e.alpha, e.beta, x), values + i, left);
  }
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
