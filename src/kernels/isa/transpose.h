// Transposition, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/isa/simd.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

#if HWY_TARGET != HWY_SCALAR
using D4 = hn::FixedTag<float, 4>;
using D2 = hn::FixedTag<double, 2>;

// Four rows of four values become four columns.
HWY_INLINE void transpose_4x4(const float* x, size_t x_stride, float* y, size_t y_stride) {
  const D4 d;
  const D2 pairs;
  const auto r0 = hn::LoadU(d, x), r1 = hn::LoadU(d, x + x_stride);
  const auto r2 = hn::LoadU(d, x + 2 * x_stride), r3 = hn::LoadU(d, x + 3 * x_stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, y);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, y + y_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, y + 2 * y_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, y + 3 * y_stride);
}
#else
HWY_INLINE void transpose_4x4(const float* x, size_t x_stride, float* y, size_t y_stride) {
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) y[j * y_stride + i] = x[i * x_stride + j];
  }
}
#endif

void transpose(const float* x, size_t x_stride, size_t rows, size_t columns, float* y,
               size_t y_stride) {
  if (rows == 3 && y_stride == 3) {  // three planes become pixels
    size_t j = 0;
#if HWY_TARGET != HWY_SCALAR
    for (; j + kLanes <= columns; j += kLanes) {
      hn::StoreInterleaved3(load(x + j), load(x + x_stride + j), load(x + 2 * x_stride + j), D(),
                            y + j * 3);
    }
#endif
    for (; j < columns; ++j) {
      for (size_t i = 0; i < 3; ++i) y[j * 3 + i] = x[i * x_stride + j];
    }
    return;
  }
  // Blocks of 16 columns: each cache line of y is filled by consecutive stores.
  constexpr size_t kBlock = 16;
  for (size_t j0 = 0; j0 < columns; j0 += kBlock) {
    const size_t j1 = columns - j0 < kBlock ? columns : j0 + kBlock;
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      size_t j = j0;
      for (; j + 4 <= j1; j += 4) {
        transpose_4x4(x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride);
      }
      for (; j < j1; ++j) {
        for (size_t r = i; r < i + 4; ++r) y[j * y_stride + r] = x[r * x_stride + j];
      }
    }
    for (; i < rows; ++i) {
      for (size_t j = j0; j < j1; ++j) y[j * y_stride + i] = x[i * x_stride + j];
    }
  }
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
