#include "kernels/low_precision_kernels.h"

#include "kernels/isa/dot.h"
#include "kernels/isa/gemm_tile.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

constexpr int kVectors = kMaxVectors >= 4 ? 3 : 2;
constexpr size_t kWidth = kVectors * kLanes;
constexpr size_t kRows = static_cast<size_t>(tile_rows(kVectors));

// Four bytes of memory in every lane.
HWY_INLINE VI broadcast_4_bytes(const void* p) {
  int32_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return hn::Set(DI(), word);
}
HWY_INLINE VI load_ints(const void* p) {
  return hn::LoadU(DI(), static_cast<const int32_t*>(p));
}

// What the shared store of tiles needs to know: all of k is done, and sums lie in scratch.
Tile finished_tile(const Epilogue& e, float* scratch, float* c, size_t ldc, size_t columns,
                   size_t row, size_t column) {
  Tile tile = {};
  tile.c = c + row * ldc + column;
  tile.ldc = ldc;
  tile.columns = columns;
  tile.first = tile.last = true;
  tile.scratch = scratch;
  tile.epilogue = &e;
  tile.bias = e.bias ? e.bias + column : nullptr;
  tile.residual = e.residual ? e.residual + row * e.residual_stride + column : nullptr;
  return tile;
}

template <int R>
HWY_NOINLINE void bf16_tile(const uint16_t* a, size_t lda, const uint16_t* b, size_t k_pairs,
                            float* scratch) {
  V sum[R][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();
  }
  for (size_t k = 0; k < k_pairs; ++k, a += 2, b += 2 * kWidth) {
    VI bv[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) bv[v] = load_ints(b + v * 2 * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const VI av = broadcast_4_bytes(a + static_cast<size_t>(r) * lda);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = dot_bf16(sum[r][v], av, bv[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(sum[r][v], scratch + (r * kVectors + v) * kLanes);
  }
}

template <int R>
HWY_NOINLINE void u8s8_tile(const U8S8GemmArgs& args, const uint8_t* a, const int8_t* b, size_t row,
                            size_t column, float* scratch) {
  Sums sum[R][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = zero_sums();
  }
  for (size_t k = 0; k < args.k_quads; ++k, a += 4, b += 4 * kWidth) {
    VI bv[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) bv[v] = load_ints(b + v * 4 * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const VI av = broadcast_4_bytes(a + static_cast<size_t>(r) * args.lda);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = dot_u8s8(sum[r][v], av, bv[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const VI zero_point = hn::Set(DI(), args.row_zero[row + static_cast<size_t>(r)]);
    const V scale = set(args.row_scale[row + static_cast<size_t>(r)]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const size_t at = column + static_cast<size_t>(v) * kLanes;
      const VI shift = hn::Mul(zero_point, load_ints(args.column_sum + at));
      const V exact = hn::ConvertTo(D(), hn::Sub(vector_of(sum[r][v]), shift));
      store(mul(exact, mul(scale, load(args.column_scale + at))),
            scratch + (r * kVectors + v) * kLanes);
    }
  }
}

// Full tiles, then halves of one, then single rows.
template <class Full, class Half, class One>
HWY_INLINE void for_tiles(size_t m0, size_t m1, const Full& full, const Half& half,
                          const One& one) {
  size_t i = m0;
  for (; i + kRows <= m1; i += kRows) full(i);
  for (; i + kRows / 2 <= m1; i += kRows / 2) half(i);
  for (; i < m1; ++i) one(i);
}

void gemm_bf16(const Bf16GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1) {
  HWY_ALIGN float scratch[kRows * kWidth];
  for (size_t panel = panel0; panel < panel1; ++panel) {
    const size_t column = panel * kWidth;
    const size_t columns = args.n - column < kWidth ? args.n - column : kWidth;
    const uint16_t* b = args.b + panel * kWidth * args.k_pairs * 2;
    const auto finish = [&](size_t row, size_t rows) {
      const Tile tile =
          finished_tile(args.epilogue, scratch, args.c, args.ldc, columns, row, column);
      finish_tile(tile, rows, kVectors);
    };
    for_tiles(
        m0, m1,
        [&](size_t i) {
          bf16_tile<kRows>(args.a + i * args.lda, args.lda, b, args.k_pairs, scratch);
          finish(i, kRows);
        },
        [&](size_t i) {
          bf16_tile<kRows / 2>(args.a + i * args.lda, args.lda, b, args.k_pairs, scratch);
          finish(i, kRows / 2);
        },
        [&](size_t i) {
          bf16_tile<1>(args.a + i * args.lda, args.lda, b, args.k_pairs, scratch);
          finish(i, 1);
        });
  }
}

void gemm_u8s8(const U8S8GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1) {
  HWY_ALIGN float scratch[kRows * kWidth];
  for (size_t panel = panel0; panel < panel1; ++panel) {
    const size_t column = panel * kWidth;
    const size_t columns = args.n - column < kWidth ? args.n - column : kWidth;
    const int8_t* b = args.b + panel * kWidth * args.k_quads * 4;
    const auto finish = [&](size_t row, size_t rows) {
      const Tile tile =
          finished_tile(args.epilogue, scratch, args.c, args.ldc, columns, row, column);
      finish_tile(tile, rows, kVectors);
    };
    for_tiles(
        m0, m1,
        [&](size_t i) {
          u8s8_tile<kRows>(args, args.a + i * args.lda, b, i, column, scratch);
          finish(i, kRows);
        },
        [&](size_t i) {
          u8s8_tile<kRows / 2>(args, args.a + i * args.lda, b, i, column, scratch);
          finish(i, kRows / 2);
        },
        [&](size_t i) {
          u8s8_tile<1>(args, args.a + i * args.lda, b, i, column, scratch);
          finish(i, 1);
        });
  }
}

void to_bf16(const float* x, uint16_t* y, size_t n) {
  size_t i = 0;
  const hn::Rebind<uint16_t, DI> half;
  const VI one = hn::Set(DI(), 1), below_half = hn::Set(DI(), 0x7fff);
  for (; i + kLanes <= n; i += kLanes) {
    const V v = load(x + i);
    const VI bits = hn::BitCast(DI(), v);
    // Logical shifts: what is demoted must not be negative.
    const auto high = [](VI w) {
      return hn::BitCast(DI(), hn::ShiftRight<16>(hn::BitCast(hn::RebindToUnsigned<DI>(), w)));
    };
    const VI odd = hn::And(high(bits), one);
    const VI rounded = high(hn::Add(hn::Add(bits, below_half), odd));
    const VI quiet = hn::Or(high(bits), hn::Set(DI(), 0x40));
    const VI chosen = hn::IfThenElse(hn::RebindMask(DI(), hn::Eq(v, v)), rounded, quiet);
    hn::StoreU(hn::DemoteTo(half, chosen), half, y + i);
  }
  for (; i < n; ++i) {
    uint32_t bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const uint32_t quiet = (bits >> 16) | 0x40;  // rounding up could make a NaN an infinity
    y[i] = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
  }
}

void quantize_rows(const float* x, size_t rows, size_t k, size_t k_padded, uint8_t* q, float* scale,
                   int32_t* zero_out) {
  for (size_t r = 0; r < rows; ++r, x += k, q += k_padded) {
    V low = zero(), high = zero();  // 0 is always exact, so that padding is
    for (size_t i = 0; i < k; i += kLanes) {
      const V v = load_n(x + i, k - i < kLanes ? k - i : kLanes);
      low = min_or_nan(low, v);
      high = max_or_nan(high, v);
    }
    const float range = max_lanes(high) - min_lanes(low);
    // A row with an infinity or NaN has a NaN for its scale, and so has its product.
    const bool finite = range - range == 0.0f && !any_nan(add(low, high));
    float s = finite ? range / 255.0f : __builtin_nanf("");
    if (s == 0.0f) s = 1.0f;
    const float inverse = 1.0f / s;
    const int32_t zero_point = finite ? static_cast<int32_t>(-min_lanes(low) * inverse + 0.5f) : 0;
    scale[r] = s;
    zero_out[r] = zero_point;
    for (size_t i = 0; i < k; ++i) {
      const float v = finite ? x[i] * inverse : 0.0f;
      int32_t byte = static_cast<int32_t>(v < 0.0f ? v - 0.5f : v + 0.5f) + zero_point;
      byte = byte < 0 ? 0 : byte > 255 ? 255 : byte;
      q[i] = static_cast<uint8_t>(byte);
    }
    for (size_t i = k; i < k_padded; ++i) q[i] = static_cast<uint8_t>(zero_point);
  }
}

}  // namespace

extern const LowPrecisionKernels low_precision_kernels;
const LowPrecisionKernels low_precision_kernels = {
    .panel_width = kWidth,
    .tile_rows = kRows,
    .native_bf16 = kNativeBf16,
    .native_u8s8 = kNativeU8S8,
    .to_bf16 = to_bf16,
    .gemm_bf16 = gemm_bf16,
    .gemm_u8s8 = gemm_u8s8,
    .quantize_rows = quantize_rows,
};

}  // namespace LAN_ISA
}  // namespace lanthorn
