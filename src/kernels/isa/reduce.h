// Reductions of rows, columns and pooling windows, internal to each file that includes this (see
// simd.h).
#pragma once

#include "kernels/array_kernels.h"
#include "kernels/isa/simd.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

struct SumStep {
  static HWY_INLINE V start() { return zero(); }
  static HWY_INLINE V step(V sum, V x) { return add(sum, x); }
  static HWY_INLINE V join(V a, V b) { return add(a, b); }
  static HWY_INLINE float lanes(V v) { return sum_lanes(v); }
};
struct SumSquareStep : SumStep {
  static HWY_INLINE V step(V sum, V x) { return fma(x, x, sum); }
};
struct MaxStep {
  static HWY_INLINE V start() { return set(-__builtin_inff()); }
  static HWY_INLINE V step(V most, V x) { return max_or_nan(most, x); }
  static HWY_INLINE V join(V a, V b) { return max_or_nan(a, b); }
  static HWY_INLINE float lanes(V v) { return any_nan(v) ? __builtin_nanf("") : max_lanes(v); }
};
struct MinStep {
  static HWY_INLINE V start() { return set(__builtin_inff()); }
  static HWY_INLINE V step(V least, V x) { return min_or_nan(least, x); }
  static HWY_INLINE V join(V a, V b) { return min_or_nan(a, b); }
  static HWY_INLINE float lanes(V v) { return any_nan(v) ? __builtin_nanf("") : min_lanes(v); }
};

template <class Step>
void reduce_rows_by(const float* x, float* y, size_t rows, size_t n, float scale) {
  for (size_t r = 0; r < rows; ++r, x += n) {
    V a = Step::start(), b = a, c = a, d = a;
    size_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
      a = Step::step(a, load(x + i));
      b = Step::step(b, load(x + i + kLanes));
      c = Step::step(c, load(x + i + 2 * kLanes));
      d = Step::step(d, load(x + i + 3 * kLanes));
    }
    for (; i + kLanes <= n; i += kLanes) a = Step::step(a, load(x + i));
    if (i < n) {
      const size_t left = n - i;
      b = keep_n(Step::step(b, load_n(x + i, left)), left, b);
    }
    const float all = Step::lanes(Step::join(Step::join(a, b), Step::join(c, d)));
    y[r] = all * scale;
  }
}

void reduce_rows(Reduction op, const float* x, float* y, size_t rows, size_t n) {
  switch (op) {
    case Reduction::kSum: return reduce_rows_by<SumStep>(x, y, rows, n, 1.0f);
    case Reduction::kMean:
      return reduce_rows_by<SumStep>(x, y, rows, n, 1.0f / static_cast<float>(n));
    case Reduction::kMax: return reduce_rows_by<MaxStep>(x, y, rows, n, 1.0f);
    case Reduction::kMin: return reduce_rows_by<MinStep>(x, y, rows, n, 1.0f);
    case Reduction::kSumSquare: return reduce_rows_by<SumSquareStep>(x, y, rows, n, 1.0f);
  }
}

template <class Step>
void reduce_columns_by(const float* x, float* y, size_t n, size_t inner, float scale) {
  const V factor = set(scale);
  size_t i = 0;
  for (; i + 4 * kLanes <= inner; i += 4 * kLanes) {
    V a = Step::start(), b = a, c = a, d = a;
    for (size_t k = 0; k < n; ++k) {
      const float* p = x + k * inner + i;
      a = Step::step(a, load(p));
      b = Step::step(b, load(p + kLanes));
      c = Step::step(c, load(p + 2 * kLanes));
      d = Step::step(d, load(p + 3 * kLanes));
    }
    store(mul(a, factor), y + i);
    store(mul(b, factor), y + i + kLanes);
    store(mul(c, factor), y + i + 2 * kLanes);
    store(mul(d, factor), y + i + 3 * kLanes);
  }
  for (; i < inner; i += kLanes) {
    const size_t left = inner - i < kLanes ? inner - i : kLanes;
    V a = Step::start();
    for (size_t k = 0; k < n; ++k) a = Step::step(a, load_n(x + k * inner + i, left));
    store_n(mul(a, factor), y + i, left);
  }
}

void reduce_columns(Reduction op, const float* x, float* y, size_t n, size_t inner) {
  switch (op) {
    case Reduction::kSum: return reduce_columns_by<SumStep>(x, y, n, inner, 1.0f);
    case Reduction::kMean:
      return reduce_columns_by<SumStep>(x, y, n, inner, 1.0f / static_cast<float>(n));
    case Reduction::kMax: return reduce_columns_by<MaxStep>(x, y, n, inner, 1.0f);
    case Reduction::kMin: return reduce_columns_by<MinStep>(x, y, n, inner, 1.0f);
    case Reduction::kSumSquare: return reduce_columns_by<SumSquareStep>(x, y, n, inner, 1.0f);
  }
}

template <class Step>
HWY_INLINE void taps_by(const float* const* taps, size_t count, float scale, float* y,
                        size_t channels) {
  const V factor = set(scale);
  size_t c = 0;
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes) {
    V a = load(taps[0] + c), b = load(taps[0] + c + kLanes);
    for (size_t t = 1; t < count; ++t) {
      a = Step::step(a, load(taps[t] + c));
      b = Step::step(b, load(taps[t] + c + kLanes));
    }
    store(mul(a, factor), y + c);
    store(mul(b, factor), y + c + kLanes);
  }
  for (; c < channels; c += kLanes) {
    const size_t left = channels - c < kLanes ? channels - c : kLanes;
    V a = load_n(taps[0] + c, left);
    for (size_t t = 1; t < count; ++t) a = Step::step(a, load_n(taps[t] + c, left));
    store_n(mul(a, factor), y + c, left);
  }
}

void max_of_taps(const float* const* taps, size_t count, float* y, size_t channels) {
  taps_by<MaxStep>(taps, count, 1.0f, y, channels);
}

void sum_of_taps(const float* const* taps, size_t count, float scale, float* y, size_t channels) {
  taps_by<SumStep>(taps, count, scale, y, channels);
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
