// Softmax and normalizations of rows, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/array_kernels.h"
#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

constexpr float kLowest = -__builtin_inff();

// The largest value of a row, NaN if one is.
HWY_INLINE float row_max(const float* x, size_t n) {
  V a = set(kLowest), b = a, nan = zero();
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const V u = load(x + i), v = load(x + i + kLanes);
    a = hn::Max(u, a);
    b = hn::Max(v, b);
    nan = add(nan, mul(add(u, v), zero()));  // also NaN for infinities; looked into below
  }
  for (; i < n; i += kLanes) {
    const size_t left = n - i < kLanes ? n - i : kLanes;
    const V v = keep_n(load_n(x + i, left), left, set(kLowest));
    a = hn::Max(v, a);
    nan = add(nan, mul(keep_n(v, left, zero()), zero()));
  }
  if (any_nan(nan)) {
    float most = kLowest;
    for (i = 0; i < n; ++i) {
      if (x[i] != x[i]) return x[i];
      if (x[i] > most) most = x[i];
    }
    return most;
  }
  return max_lanes(hn::Max(a, b));
}

// y = exp(x - most), and the sum of that.
HWY_INLINE float exp_row(const float* x, float* y, size_t n, float most, bool keep) {
  const V m = set(most);
  V a = zero(), b = zero();
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const V u = exp(sub(load(x + i), m)), v = exp(sub(load(x + i + kLanes), m));
    if (keep) {
      store(u, y + i);
      store(v, y + i + kLanes);
    }
    a = add(a, u);
    b = add(b, v);
  }
  for (; i < n; i += kLanes) {
    const size_t left = n - i < kLanes ? n - i : kLanes;
    const V v = keep_n(exp(sub(load_n(x + i, left), m)), left, zero());
    if (keep) store_n(v, y + i, left);
    a = add(a, v);
  }
  return sum_lanes(add(a, b));
}

void softmax(const float* x, float* y, size_t rows, size_t n, bool as_log) {
  for (size_t r = 0; r < rows; ++r, x += n, y += n) {
    const float most = row_max(x, n);
    const float sum = exp_row(x, y, n, most, !as_log);
    V factor = set(1.0f / sum), offset = zero();
    if (as_log) offset = hn::Neg(add(set(most), log(set(sum))));
    size_t i = 0;
    for (; i < n; i += kLanes) {
      const size_t left = n - i < kLanes ? n - i : kLanes;
      if (as_log) {
        // Two steps, as the largest value and the logarithm may be far apart.
        const V v = sub(load_n(x + i, left), set(most));
        store_n(sub(v, log(set(sum))), y + i, left);
      } else {
        store_n(mul(load_n(y + i, left), factor), y + i, left);
      }
    }
  }
}

void softmax_columns(const float* x, float* y, size_t n, size_t inner, bool as_log,
                     float* scratch) {
  float* most = scratch;
  float* sum = scratch + inner;
  for (size_t i = 0; i < inner; i += kLanes) {
    const size_t left = inner - i < kLanes ? inner - i : kLanes;
    V m = set(kLowest);
    for (size_t k = 0; k < n; ++k) m = max_or_nan(m, load_n(x + k * inner + i, left));
    store_n(m, most + i, left);
    store_n(zero(), sum + i, left);
  }
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = 0; i < inner; i += kLanes) {
      const size_t left = inner - i < kLanes ? inner - i : kLanes;
      const V shifted = sub(load_n(x + k * inner + i, left), load_n(most + i, left));
      const V e = exp(shifted);
      store_n(as_log ? shifted : e, y + k * inner + i, left);
      store_n(add(load_n(sum + i, left), e), sum + i, left);
    }
  }
  for (size_t i = 0; i < inner; i += kLanes) {
    const size_t left = inner - i < kLanes ? inner - i : kLanes;
    const V s = load_n(sum + i, left);
    store_n(as_log ? log(s) : div(set(1.0f), s), sum + i, left);
  }
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = 0; i < inner; i += kLanes) {
      const size_t left = inner - i < kLanes ? inner - i : kLanes;
      const V v = load_n(y + k * inner + i, left), s = load_n(sum + i, left);
      store_n(as_log ? sub(v, s) : mul(v, s), y + k * inner + i, left);
    }
  }
}

HWY_INLINE float inverse_root(float x) { return 1.0f / hn::GetLane(hn::Sqrt(set(x))); }

void layer_norm(const RowKernels::LayerNorm& args, size_t rows, size_t n) {
  const float per_value = 1.0f / static_cast<float>(n);
  for (size_t r = 0; r < rows; ++r) {
    const float* x = args.x + r * n;
    float* y = args.y + r * n;
    if (args.residual != nullptr) {
      const float* residual = args.residual + r * n;
      float* sum = args.sum != nullptr ? args.sum + r * n : y;
      for (size_t i = 0; i < n; i += kLanes) {
        const size_t left = n - i < kLanes ? n - i : kLanes;
        store_n(add(load_n(x + i, left), load_n(residual + i, left)), sum + i, left);
      }
      x = sum;
    }
    V a = zero(), b = zero();
    size_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      a = add(a, load(x + i));
      b = add(b, load(x + i + kLanes));
    }
    for (; i < n; i += kLanes) a = add(a, load_n(x + i, n - i < kLanes ? n - i : kLanes));
    const float mean = sum_lanes(add(a, b)) * per_value;
    const V m = set(mean);
    a = zero();
    b = zero();
    i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      const V u = sub(load(x + i), m), v = sub(load(x + i + kLanes), m);
      a = fma(u, u, a);
      b = fma(v, v, b);
    }
    for (; i < n; i += kLanes) {
      const size_t left = n - i < kLanes ? n - i : kLanes;
      const V u = keep_n(sub(load_n(x + i, left), m), left, zero());
      a = fma(u, u, a);
    }
    const float inverse = inverse_root(sum_lanes(add(a, b)) * per_value + args.epsilon);
    const V s = set(inverse);
    for (i = 0; i < n; i += kLanes) {
      const size_t left = n - i < kLanes ? n - i : kLanes;
      const V normal = mul(sub(load_n(x + i, left), m), s);
      const V shift = args.shift == nullptr ? zero() : load_n(args.shift + i, left);
      store_n(fma(normal, load_n(args.scale + i, left), shift), y + i, left);
    }
    if (args.mean != nullptr) args.mean[r] = mean;
    if (args.inverse_deviation != nullptr) args.inverse_deviation[r] = inverse;
  }
}

void rms_norm(const float* x, const float* scale, float epsilon, float* y, size_t rows, size_t n) {
  const float per_value = 1.0f / static_cast<float>(n);
  for (size_t r = 0; r < rows; ++r, x += n, y += n) {
    V a = zero(), b = zero();
    size_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      const V u = load(x + i), v = load(x + i + kLanes);
      a = fma(u, u, a);
      b = fma(v, v, b);
    }
    for (; i < n; i += kLanes) {
      const V u = load_n(x + i, n - i < kLanes ? n - i : kLanes);
      a = fma(u, u, a);
    }
    const V s = set(inverse_root(sum_lanes(add(a, b)) * per_value + epsilon));
    for (i = 0; i < n; i += kLanes) {
      const size_t left = n - i < kLanes ? n - i : kLanes;
      store_n(mul(mul(load_n(x + i, left), s), load_n(scale + i, left)), y + i, left);
    }
  }
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
