// Products of small unpacked matrices, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/gemm_kernels.h"
#include "kernels/isa/gemm_tile.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

constexpr int kSmallRows = kAccumulators >= 24 ? 6 : kAccumulators >= 12 ? 4 : 2;

// R rows of C, NV vectors of columns; `tail` columns of the last vector if not 0.
template <int R, int NV>
HWY_NOINLINE void small_tile(const SmallGemmArgs& args, const float* a, const float* b, float* c,
                             size_t tail) {
  V sum[R][NV];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) sum[r][v] = zero();
  }
  for (size_t k = 0; k < args.k; ++k, b += args.ldb) {
    V bv[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      bv[v] = v == NV - 1 && tail ? load_n(b + v * kLanes, tail) : load(b + v * kLanes);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const V av = set(a[static_cast<size_t>(r) * args.lda + k]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sum[r][v] = fma(av, bv[v], sum[r][v]);
    }
  }
  const V scale = set(args.scale);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      float* out = c + static_cast<size_t>(r) * args.ldc + v * kLanes;
      const V x = mul(sum[r][v], scale);
      if (v == NV - 1 && tail) {
        store_n(x, out, tail);
      } else {
        store(x, out);
      }
    }
  }
}

template <int NV>
void small_columns(const SmallGemmArgs& args, size_t column, size_t tail) {
  const float* b = args.b + column;
  size_t i = 0;
  for (; i + kSmallRows <= args.m; i += kSmallRows) {
    small_tile<kSmallRows, NV>(args, args.a + i * args.lda, b, args.c + i * args.ldc + column, tail);
  }
  for (; i < args.m; ++i) {
    small_tile<1, NV>(args, args.a + i * args.lda, b, args.c + i * args.ldc + column, tail);
  }
}

void small_gemm(const SmallGemmArgs& args) {
  constexpr int kWide = kAccumulators / kSmallRows > kMaxVectors ? kMaxVectors
                                                                 : kAccumulators / kSmallRows;
  size_t j = 0;
  for (; j + kWide * kLanes <= args.n; j += kWide * kLanes) small_columns<kWide>(args, j, 0);
  for (; j + kLanes <= args.n; j += kLanes) small_columns<1>(args, j, 0);
  if (j < args.n) small_columns<1>(args, j, args.n - j);
}

// Dot products of R rows of A with NB rows of B, vectors along k.
template <int R, int NB>
HWY_NOINLINE void dot_tile(const SmallGemmArgs& args, const float* a, const float* b, float* c) {
  V sum[R][NB];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < NB; ++j) sum[r][j] = zero();
  }
  size_t k = 0;
  for (; k + kLanes <= args.k; k += kLanes) {
    V av[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) av[r] = load(a + static_cast<size_t>(r) * args.lda + k);
#pragma GCC unroll 8
    for (int j = 0; j < NB; ++j) {
      const V bv = load(b + static_cast<size_t>(j) * args.ldb + k);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r][j] = fma(av[r], bv, sum[r][j]);
    }
  }
  if (k < args.k) {
    const size_t left = args.k - k;
    V av[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) av[r] = load_n(a + static_cast<size_t>(r) * args.lda + k, left);
#pragma GCC unroll 8
    for (int j = 0; j < NB; ++j) {
      const V bv = load_n(b + static_cast<size_t>(j) * args.ldb + k, left);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r][j] = fma(av[r], bv, sum[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < NB; ++j) {
      c[static_cast<size_t>(r) * args.ldc + j] = args.scale * sum_lanes(sum[r][j]);
    }
  }
}

template <int R>
void dot_rows(const SmallGemmArgs& args, size_t i) {
  const float* a = args.a + i * args.lda;
  float* c = args.c + i * args.ldc;
  constexpr int kDots = kAccumulators >= 24 ? 4 : 2;
  size_t j = 0;
  for (; j + kDots <= args.n; j += kDots) dot_tile<R, kDots>(args, a, args.b + j * args.ldb, c + j);
  for (; j < args.n; ++j) dot_tile<R, 1>(args, a, args.b + j * args.ldb, c + j);
}

void small_gemm_transposed(const SmallGemmArgs& args) {
  size_t i = 0;
  for (; i + 4 <= args.m; i += 4) dot_rows<4>(args, i);
  for (; i < args.m; ++i) dot_rows<1>(args, i);
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
