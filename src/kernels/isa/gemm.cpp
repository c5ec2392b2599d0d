#include "kernels/gemm_kernels.h"

#include "kernels/isa/gemm_tile.h"
#include "kernels/isa/small_gemm.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

size_t panel_width(size_t n) {
  // The smallest padded width wins; narrow tiles load more per multiplication, so they cost more.
  double best_cost = 0;
  size_t best = 0;
  for (int nv = 1; nv <= kMaxVectors; ++nv) {
    const size_t width = static_cast<size_t>(nv) * kLanes;
    const double factor = nv == 1 ? 1.15 : nv == 2 ? 1.02 : 1.0;
    const double cost = static_cast<double>((n + width - 1) / width * width) * factor;
    if (best == 0 || cost <= best_cost) {
      best_cost = cost;
      best = width;
    }
  }
  return best;
}

size_t tile_rows_of(size_t nr) { return static_cast<size_t>(tile_rows(static_cast<int>(nr / kLanes))); }

template <int NV>
void gemm_nv(const GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1) {
  constexpr size_t kRows = tile_rows(NV);
  constexpr size_t nr = NV * kLanes;
  const bool indirect = args.rows != nullptr;
  const MicroKernel* const table = indirect ? kMicroKernels<NV, true> : kMicroKernels<NV, false>;
  const size_t k = args.taps * args.tap_k;
  const size_t k_block = args.k_block ? args.k_block : 512;
  const size_t m_block = args.m_block ? args.m_block : m1 - m0;
  const Epilogue& e = args.epilogue;
  const Activation act = e.activation;
  const bool in_registers =
      act == Activation::kNone || act == Activation::kRelu || act == Activation::kClip;
  HWY_ALIGN float scratch[kRows * nr];

  Tile tile;
  tile.epilogue = &e;
  tile.lda = args.lda;
  tile.tap_stride = args.tap_stride;
  tile.rows_stride = args.rows_stride;
  tile.ldc = args.ldc;
  tile.tap_k = args.tap_k;
  for (size_t mb = m0; mb < m1; mb += m_block) {
    const size_t mb_end = m1 - mb < m_block ? m1 : mb + m_block;
    // Passes over k: whole taps together while they fit, or parts of one tap.
    size_t tap = 0, k0 = 0;
    do {
      size_t taps = 1, kc = args.tap_k - k0;
      if (kc > k_block) {
        // Two nearly equal last parts rather than a full and a short one.
        kc = kc < 2 * k_block ? (kc + 1) / 2 : k_block;
      } else if (k0 == 0 && args.tap_k > 0) {
        const size_t fit = k_block / args.tap_k;
        taps = fit < 1 ? 1 : fit;
        const size_t left = args.taps - tap;
        if (left <= taps) {
          taps = left;
        } else if (left < 2 * taps) {
          taps = (left + 1) / 2;
        }
      }
      tile.first = tap == 0 && k0 == 0 && !args.accumulate;
      tile.last = tap + taps == args.taps && k0 + kc == args.tap_k;
      tile.taps = taps;
      tile.kc = kc;
      for (size_t panel = panel0; panel < panel1; ++panel) {
        const size_t column = panel * nr;
        tile.columns = args.n - column < nr ? args.n - column : nr;
        tile.b = args.b + panel * nr * k + (tap * args.tap_k + k0) * nr;
        tile.bias = e.bias ? e.bias + column : nullptr;
        const bool plain = tile.columns == nr && (!tile.last || in_registers);
        tile.scratch = plain ? nullptr : scratch;
        for (size_t row = mb; row < mb_end;) {
          size_t rows = mb_end - row;
          if (rows > kRows) rows = rows < 2 * kRows ? (rows + 1) / 2 : kRows;
          if (indirect) {
            tile.rows = args.rows + tap * args.rows_stride + row;
            tile.rows_offset = args.rows_offset + k0;
          } else {
            tile.a = args.a + row * args.lda + tap * args.tap_stride + k0;
          }
          tile.c = args.c + row * args.ldc + column;
          tile.residual =
              e.residual ? e.residual + row * e.residual_stride + column : nullptr;
          table[rows](tile);
          if (!plain) finish_tile(tile, rows, NV);
          row += rows;
        }
      }
      k0 += kc;
      if (k0 >= args.tap_k) {
        k0 = 0;
        tap += taps;
      }
    } while (tap < args.taps);
  }
}

void gemm(const GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1) {
  switch (args.nr / kLanes) {
    case 1: return gemm_nv<1>(args, m0, m1, panel0, panel1);
    case 2: return gemm_nv<2>(args, m0, m1, panel0, panel1);
    case 3:
      if constexpr (kMaxVectors >= 3) return gemm_nv<3>(args, m0, m1, panel0, panel1);
      break;
    default:
      if constexpr (kMaxVectors >= 4) return gemm_nv<4>(args, m0, m1, panel0, panel1);
      break;
  }
}

void pack(const float* b, size_t k_stride, size_t n_stride, size_t k, size_t n, size_t nr,
          size_t panel0, size_t panel1, float* packed) {
  for (size_t panel = panel0; panel < panel1; ++panel) {
    float* out = packed + panel * nr * k;
    const size_t column = panel * nr;
    const size_t columns = n - column < nr ? n - column : nr;
    const float* source = b + column * n_stride;
    if (n_stride == 1) {
      for (size_t i = 0; i < k; ++i, out += nr) {
        const float* from = source + i * k_stride;
        size_t j = 0;
        for (; j + kLanes <= columns; j += kLanes) store(load(from + j), out + j);
        for (; j < columns; ++j) out[j] = from[j];
        for (; j < nr; ++j) out[j] = 0.0f;
      }
      continue;
    }
    // Rows of the source run along k: walk blocks that stay in the first cache for both sides.
    constexpr size_t kBlock = 16;
    for (size_t i0 = 0; i0 < k; i0 += kBlock) {
      const size_t i1 = k - i0 < kBlock ? k : i0 + kBlock;
      for (size_t j = 0; j < columns; ++j) {
        const float* from = source + j * n_stride;
        for (size_t i = i0; i < i1; ++i) out[i * nr + j] = from[i * k_stride];
      }
      for (size_t j = columns; j < nr; ++j) {
        for (size_t i = i0; i < i1; ++i) out[i * nr + j] = 0.0f;
      }
    }
  }
}

}  // namespace

extern const GemmKernels gemm_kernels;
const GemmKernels gemm_kernels = {
    .panel_width = panel_width,
    .tile_rows = tile_rows_of,
    .max_panel_width = kMaxVectors * kLanes,
    .gemm = gemm,
    .pack = pack,
    .small_gemm = small_gemm,
    .small_gemm_transposed = small_gemm_transposed,
};

}  // namespace LAN_ISA
}  // namespace lanthorn
