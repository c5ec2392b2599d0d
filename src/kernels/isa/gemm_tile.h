// The register tiles of the packed matrix product, internal to each file that includes this (see
// simd.h).
#pragma once

#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

// Rows of a tile that is `vectors` vectors wide: as many accumulators as registers allow beside the
// vectors of B and one value of A.
#if HWY_ARCH_ARM_A64
constexpr int tile_rows(int vectors) {
  return vectors == 4 ? 6 : vectors == 3 ? 7 : vectors == 2 ? 12 : 14;
}
constexpr int kMaxVectors = 4;
constexpr int kAccumulators = 24;
#elif HWY_TARGET <= HWY_AVX3
constexpr int tile_rows(int vectors) {
  return vectors == 4 ? 6 : vectors == 3 ? 8 : vectors == 2 ? 12 : 14;
}
constexpr int kMaxVectors = 4;
constexpr int kAccumulators = 24;
#elif HWY_TARGET <= HWY_AVX2
constexpr int tile_rows(int vectors) { return vectors == 3 ? 4 : vectors == 2 ? 6 : 12; }
constexpr int kMaxVectors = 3;
constexpr int kAccumulators = 12;
#else
constexpr int tile_rows(int) { return 4; }
constexpr int kMaxVectors = 2;
constexpr int kAccumulators = 8;
#endif

struct Tile {
  const float* a;  // or rows[r + t * rows_stride] + rows_offset
  size_t lda, tap_stride;
  const float* const* rows;
  size_t rows_stride, rows_offset;
  size_t taps, kc, tap_k;  // kc values of each of `taps` taps; several taps only if kc == tap_k
  const float* b;
  float* c;
  size_t ldc;
  size_t columns;  // of C; fewer than the tile has in the last panel
  bool first, last;
  float* scratch;  // where accumulators go if the plain store does not do
  const Epilogue* epilogue;
  const float* bias;
  const float* residual;
};

// Adds bias, residual and activation to sums in registers; x may be the old value of C already.
HWY_INLINE V finish_plain(const Epilogue& e, V x) {
  if (e.activation == Activation::kNone) return x;
  x = max_keep_nan(e.activation == Activation::kClip ? set(e.alpha) : zero(), x);
  if (e.activation == Activation::kClip) x = min_keep_nan(set(e.beta), x);
  return x;
}

// R rows, NV vectors. Small tiles keep several sets of sums, because the chain of additions into one
// register has the latency of a multiplication, not its throughput.
template <int R, int NV, bool kIndirect>
HWY_NOINLINE void micro_kernel(const Tile& tile) {
  constexpr int kSets = R * NV <= 2   ? (kAccumulators >= 8 ? 4 : 2)
                        : R * NV <= 6 ? (2 * R * NV <= kAccumulators ? 2 : 1)
                                      : 1;
  V sum[kSets][R][NV];
#pragma GCC unroll 4
  for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sum[s][r][v] = zero();
    }
  }
  const float* b = tile.b;
  const size_t lda = tile.lda;
  for (size_t t = 0; t < tile.taps; ++t) {
    const float* a = nullptr;
    const float* row[R];
    if constexpr (kIndirect) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) row[r] = tile.rows[t * tile.rows_stride + r] + tile.rows_offset;
    } else {
      a = tile.a + t * tile.tap_stride;
    }
    size_t k = 0;
    for (; k + kSets <= tile.kc; k += kSets) {
#pragma GCC unroll 4
      for (int s = 0; s < kSets; ++s) {
        if constexpr (R <= 4) {
          // Few rows: B comes from memory and is used once; stay some lines ahead of it.
#pragma GCC unroll 4
          for (int v = 0; v < NV; v += static_cast<int>(16 / kLanes)) {
            __builtin_prefetch(b + 1024 + (s * NV + v) * kLanes);
          }
        }
        V bv[NV];
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) bv[v] = hn::Load(D(), b + (s * NV + v) * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          V av;
          if constexpr (kIndirect) {
            av = set(row[r][k + s]);
          } else {
            av = set(a[static_cast<size_t>(r) * lda + s]);
          }
#pragma GCC unroll 4
          for (int v = 0; v < NV; ++v) sum[s][r][v] = fma(av, bv[v], sum[s][r][v]);
        }
      }
      a += kSets;
      b += kSets * NV * kLanes;
    }
    if constexpr (kSets > 1) {
      for (; k < tile.kc; ++k) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const V av = kIndirect ? set(row[r][k]) : set(a[static_cast<size_t>(r) * lda]);
#pragma GCC unroll 4
          for (int v = 0; v < NV; ++v) {
            sum[0][r][v] = fma(av, hn::Load(D(), b + v * kLanes), sum[0][r][v]);
          }
        }
        ++a;
        b += NV * kLanes;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
#pragma GCC unroll 4
      for (int s = 1; s < kSets; ++s) sum[0][r][v] = add(sum[0][r][v], sum[s][r][v]);
    }
  }
  if (tile.scratch != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) {
        hn::Store(sum[0][r][v], D(), tile.scratch + (r * NV + v) * kLanes);
      }
    }
    return;
  }
  const float* residual = tile.last ? tile.residual : nullptr;
  const size_t residual_stride = tile.epilogue->residual_stride;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* c = tile.c + static_cast<size_t>(r) * tile.ldc;
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      V x = sum[0][r][v];
      if (!tile.first) x = add(x, load(c + v * kLanes));
      if (tile.last) {
        if (tile.bias) x = add(x, load(tile.bias + v * kLanes));
        if (residual) {
          x = add(x, load(residual + static_cast<size_t>(r) * residual_stride + v * kLanes));
        }
        x = finish_plain(*tile.epilogue, x);
      }
      store(x, c + v * kLanes);
    }
  }
}

// Stores a tile that lies in scratch: ragged columns and activations that need many registers.
HWY_NOINLINE void finish_tile(const Tile& tile, size_t rows, size_t vectors) {
  const Epilogue& e = *tile.epilogue;
  for (size_t r = 0; r < rows; ++r) {
    float* c = tile.c + r * tile.ldc;
    const float* sums = tile.scratch + r * vectors * kLanes;
    for (size_t column = 0; column < tile.columns; column += kLanes) {
      const size_t left = tile.columns - column;
      const bool whole = left >= kLanes;
      V x = hn::Load(D(), sums + column);
      if (!tile.first) x = add(x, whole ? load(c + column) : load_n(c + column, left));
      if (tile.last) {
        if (tile.bias) {
          x = add(x, whole ? load(tile.bias + column) : load_n(tile.bias + column, left));
        }
        if (tile.residual) {
          const float* residual = tile.residual + r * e.residual_stride + column;
          x = add(x, whole ? load(residual) : load_n(residual, left));
        }
        x = activate(e.activation, e.alpha, e.beta, x);
      }
      if (whole) {
        store(x, c + column);
      } else {
        store_n(x, c + column, left);
      }
    }
  }
}

using MicroKernel = void (*)(const Tile&);

template <int NV, bool kIndirect, int... kRows>
struct MicroKernelTable {
  static constexpr MicroKernel kernels[] = {nullptr, micro_kernel<kRows, NV, kIndirect>...};
};
template <int NV, bool kIndirect, int kRows, int... kMore>
struct MakeTable : MakeTable<NV, kIndirect, kRows - 1, kRows, kMore...> {};
template <int NV, bool kIndirect, int... kMore>
struct MakeTable<NV, kIndirect, 0, kMore...> : MicroKernelTable<NV, kIndirect, kMore...> {};

// By number of rows.
template <int NV, bool kIndirect>
constexpr const MicroKernel* kMicroKernels = MakeTable<NV, kIndirect, tile_rows(NV)>::kernels;

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
