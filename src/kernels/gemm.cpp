#include "kernels/gemm.h"

#include <algorithm>

namespace lanthorn {
namespace {

// Rough speeds in units per nanosecond, only to weigh one split against another.
constexpr double kFlopsPerNs = 100.0;
constexpr double kBytesPerNs = 25.0;
constexpr double kPieceNs = 300.0;   // to hand out and start one piece
constexpr double kForkNs = 3000.0;   // to wake up another thread at all

}  // namespace

PackedMatrix pack_matrix(const KernelTable& table, const Workers& workers, const float* b, size_t k,
                         size_t n, size_t k_stride, size_t n_stride) {
  PackedMatrix packed{.k = k, .n = n, .nr = table.gemm->panel_width(n)};
  packed.data = FloatBuffer(packed.panels() * packed.nr * k);
  workers.run(packed.panels(), 1, [&](size_t begin, size_t end) {
    table.gemm->pack(b, k_stride, n_stride, k, n, packed.nr, begin, end, packed.data.data());
  });
  return packed;
}

GemmSplit split_gemm(size_t m, size_t k, size_t panels, size_t nr, size_t tile_rows,
                     size_t threads) {
  const GemmSplit whole{std::max<size_t>(m, 1), panels};
  if (threads <= 1 || m == 0 || panels == 0) return whole;
  const size_t tiles = (m + tile_rows - 1) / tile_rows;
  const double kd = static_cast<double>(k), nrd = static_cast<double>(nr);
  const auto cost = [&](size_t row_parts, size_t panel_parts) {
    const size_t part_tiles = (tiles + row_parts - 1) / row_parts;
    const size_t part_panels = (panels + panel_parts - 1) / panel_parts;
    const double rows = std::min<double>(static_cast<double>(part_tiles * tile_rows),
                                         static_cast<double>(m));
    const double columns = static_cast<double>(part_panels) * nrd;
    const double compute = rows * columns * kd * 2.0 / kFlopsPerNs;
    // Each piece reads its part of A and B at least once.
    const double read = (rows + columns) * kd * 4.0 / kBytesPerNs;
    const size_t pieces = row_parts * panel_parts;
    const double rounds = static_cast<double>((pieces + threads - 1) / threads);
    return rounds * (std::max(compute, columns * kd * 4.0 / kBytesPerNs) + 0.1 * read + kPieceNs) +
           (pieces > 1 ? kForkNs : 0.0);
  };
  GemmSplit best = whole;
  double best_cost = cost(1, 1);
  const size_t most = threads * 4;
  for (size_t panel_parts = 1; panel_parts <= std::min(panels, most); ++panel_parts) {
    for (size_t row_parts = 1; row_parts <= std::min(tiles, most / panel_parts); ++row_parts) {
      const double this_cost = cost(row_parts, panel_parts);
      if (this_cost < best_cost) {
        best_cost = this_cost;
        best = {(tiles + row_parts - 1) / row_parts * tile_rows,
                (panels + panel_parts - 1) / panel_parts};
      }
    }
  }
  return best;
}

void multiply(const KernelTable& table, const Workers& workers, GemmArgs args, size_t m) {
  if (m == 0 || args.n == 0) return;
  const size_t tile_rows = table.gemm->tile_rows(args.nr);
  const size_t panels = (args.n + args.nr - 1) / args.nr;
  const size_t k = args.taps * args.tap_k;
  if (args.k_block == 0) args.k_block = 512;
  if (args.m_block == 0 && panels > 1) {
    // The block of A that all panels of B pass over stays in the second cache.
    static const size_t cache_floats = cache_sizes().l2 / 4 / sizeof(float);
    const size_t kc = std::min<size_t>(std::max<size_t>(k, 1), args.k_block);
    args.m_block = std::max<size_t>(cache_floats / kc / tile_rows, 4) * tile_rows;
  }
  const GemmSplit split =
      split_gemm(m, k, panels, args.nr, tile_rows, static_cast<size_t>(workers.count()));
  const size_t row_parts = (m + split.rows - 1) / split.rows;
  const size_t panel_parts = (panels + split.panels - 1) / split.panels;
  const auto piece = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t row = i % row_parts * split.rows;
      const size_t panel = i / row_parts * split.panels;
      table.gemm->gemm(args, row, std::min(m, row + split.rows), panel,
                       std::min(panels, panel + split.panels));
    }
  };
  if (row_parts * panel_parts == 1) return piece(0, 1);
  workers.run(row_parts * panel_parts, 1, piece);
}

void multiply(const KernelTable& table, const Workers& workers, const float* a, size_t lda, size_t m,
              const PackedMatrix& b, float* c, size_t ldc, const Epilogue& epilogue) {
  GemmArgs args;
  args.a = a;
  args.lda = lda;
  args.tap_k = b.k;
  args.b = b.data.data();
  args.nr = b.nr;
  args.n = b.n;
  args.c = c;
  args.ldc = ldc;
  args.epilogue = epilogue;
  multiply(table, workers, args, m);
}

void multiply_batched(const KernelTable& table, const Workers& workers, const BatchedGemm& product) {
  const SmallGemmArgs& one = product.one;
  if (one.m == 0 || one.n == 0) return;
  const auto function =
      product.b_transposed ? table.gemm->small_gemm_transposed : table.gemm->small_gemm;
  // Few matrices: split their rows too. 24 is a multiple of all tiles' rows.
  constexpr size_t kRows = 24;
  const size_t threads = static_cast<size_t>(workers.count());
  const bool split_rows = threads > 1 && product.batch < threads * 4 && one.m > kRows;
  const size_t row_parts = split_rows ? (one.m + kRows - 1) / kRows : 1;
  const size_t flops = 2 * std::max<size_t>(one.k, 1) * one.n * (split_rows ? kRows : one.m);
  const size_t grain = std::max<size_t>(1, 400'000 / flops);  // about 10 us
  workers.run(product.batch * row_parts, workers.grain(product.batch * row_parts, grain),
              [&](size_t begin, size_t end) {
                for (size_t i = begin; i < end; ++i) {
                  const size_t matrix = i / row_parts;
                  const size_t row = split_rows ? i % row_parts * kRows : 0;
                  SmallGemmArgs args = one;
                  args.a += matrix * product.a_step + row * one.lda;
                  args.b += matrix * product.b_step;
                  args.c += matrix * product.c_step + row * one.ldc;
                  args.m = split_rows ? std::min(kRows, one.m - row) : one.m;
                  function(args);
                }
              });
}

}  // namespace lanthorn
