#include "kernels/low_precision.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "kernels/gemm.h"

namespace lanthorn {
namespace {

// Both kinds do several multiplications in the time of one, so splits weigh a shorter k.
constexpr size_t kBf16Speed = 2, kS8Speed = 4;

template <class Piece>
void split_over_threads(const Workers& workers, size_t m, size_t k, size_t panels, size_t nr,
                        size_t tile_rows, const Piece& piece) {
  const GemmSplit split = split_gemm(m, std::max<size_t>(k, 1), panels, nr, tile_rows,
                                     static_cast<size_t>(workers.count()));
  const size_t row_parts = (m + split.rows - 1) / split.rows;
  const size_t panel_parts = (panels + split.panels - 1) / split.panels;
  workers.run(row_parts * panel_parts, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t row = i % row_parts * split.rows, panel = i / row_parts * split.panels;
      piece(row, std::min(m, row + split.rows), panel, std::min(panels, panel + split.panels));
    }
  });
}

size_t bf16_row(size_t k) { return (k + 1) / 2 * 2; }
size_t s8_row(size_t k) { return (k + 3) / 4 * 4; }

}  // namespace

PackedBf16 pack_bf16_columns(const KernelTable& table, size_t k, size_t n,
                             const std::function<void(size_t j, float* to)>& read) {
  PackedBf16 packed{.k = k, .n = n, .nr = table.low_precision->panel_width};
  const size_t panel = packed.nr * packed.pairs() * 2;
  packed.words = FloatBuffer(packed.panels() * panel / 2);
  auto* const bits = reinterpret_cast<uint16_t*>(packed.words.data());
  std::memset(bits, 0, packed.panels() * panel * sizeof(uint16_t));
  std::vector<float> column(k);
  std::vector<uint16_t> rounded(k);
  for (size_t j = 0; j < n; ++j) {
    read(j, column.data());
    table.low_precision->to_bf16(column.data(), rounded.data(), k);
    uint16_t* to = bits + j / packed.nr * panel + j % packed.nr * 2;
    for (size_t i = 0; i < k; ++i) to[i / 2 * packed.nr * 2 + i % 2] = rounded[i];
  }
  return packed;
}

PackedBf16 pack_bf16(const KernelTable& table, const float* b, size_t k, size_t n, size_t k_stride,
                     size_t n_stride) {
  return pack_bf16_columns(table, k, n, [&](size_t j, float* column) {
    for (size_t i = 0; i < k; ++i) column[i] = b[i * k_stride + j * n_stride];
  });
}

PackedS8 pack_s8(const KernelTable& table, const float* b, size_t k, size_t n, size_t k_stride,
                 size_t n_stride) {
  PackedS8 packed{.k = k, .n = n, .nr = table.low_precision->panel_width};
  const size_t columns = packed.panels() * packed.nr;
  packed.bytes.assign(columns * packed.quads() * 4, 0);
  packed.scale.assign(columns, 0.0f);
  packed.column_sum.assign(columns, 0);
  for (size_t j = 0; j < n; ++j) {
    float most = 0.0f;
    for (size_t i = 0; i < k; ++i) most = std::max(most, std::fabs(b[i * k_stride + j * n_stride]));
    const float scale = most > 0.0f ? most / 127.0f : 1.0f;
    packed.scale[j] = scale;
    int8_t* to = packed.bytes.data() + j / packed.nr * packed.nr * packed.quads() * 4 +
                 j % packed.nr * 4;
    for (size_t i = 0; i < k; ++i) {
      const float q = std::nearbyint(b[i * k_stride + j * n_stride] / scale);
      const auto byte = static_cast<int8_t>(std::clamp(std::isnan(q) ? 0.0f : q, -127.0f, 127.0f));
      to[i / 4 * packed.nr * 4 + i % 4] = byte;
      packed.column_sum[j] += byte;
    }
  }
  return packed;
}

size_t bf16_scratch_bytes(size_t m, size_t k) { return m * bf16_row(k) * sizeof(uint16_t); }

size_t s8_scratch_bytes(size_t m, size_t k) {
  return round_up(m * s8_row(k), 64) + m * (sizeof(float) + sizeof(int32_t));
}

void multiply_bf16(const KernelTable& table, const Workers& workers, const float* a, size_t m,
                   const PackedBf16& b, float* c, size_t ldc, const Epilogue& epilogue,
                   void* scratch) {
  if (m == 0 || b.n == 0) return;
  auto* rounded = static_cast<uint16_t*>(scratch);
  const size_t row = bf16_row(b.k);
  workers.run(m, workers.grain(m, 16384 / (row + 1) + 1), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      table.low_precision->to_bf16(a + i * b.k, rounded + i * row, b.k);
      if (row > b.k) rounded[i * row + b.k] = 0;
    }
  });
  Bf16GemmArgs args;
  args.a = rounded;
  args.lda = row;
  args.b = b.values();
  args.k_pairs = b.pairs();
  args.nr = b.nr;
  args.n = b.n;
  args.c = c;
  args.ldc = ldc;
  args.epilogue = epilogue;
  split_over_threads(workers, m, b.k / kBf16Speed, b.panels(), b.nr,
                     table.low_precision->tile_rows,
                     [&](size_t m0, size_t m1, size_t panel0, size_t panel1) {
                       table.low_precision->gemm_bf16(args, m0, m1, panel0, panel1);
                     });
}

void multiply_s8(const KernelTable& table, const Workers& workers, const float* a, size_t m,
                 const PackedS8& b, float* c, size_t ldc, const Epilogue& epilogue, void* scratch) {
  if (m == 0 || b.n == 0) return;
  const size_t row = s8_row(b.k);
  auto* bytes = static_cast<uint8_t*>(scratch);
  auto* scale = reinterpret_cast<float*>(bytes + round_up(m * row, 64));
  auto* zero = reinterpret_cast<int32_t*>(scale + m);
  workers.run(m, workers.grain(m, 16384 / (row + 1) + 1), [&](size_t begin, size_t end) {
    table.low_precision->quantize_rows(a + begin * b.k, end - begin, b.k, row, bytes + begin * row,
                                       scale + begin, zero + begin);
  });
  U8S8GemmArgs args;
  args.a = bytes;
  args.lda = row;
  args.b = b.bytes.data();
  args.k_quads = b.quads();
  args.nr = b.nr;
  args.n = b.n;
  args.row_scale = scale;
  args.row_zero = zero;
  args.column_scale = b.scale.data();
  args.column_sum = b.column_sum.data();
  args.c = c;
  args.ldc = ldc;
  args.epilogue = epilogue;
  split_over_threads(workers, m, b.k / kS8Speed, b.panels(), b.nr, table.low_precision->tile_rows,
                     [&](size_t m0, size_t m1, size_t panel0, size_t panel1) {
                       table.low_precision->gemm_u8s8(args, m0, m1, panel0, panel1);
                     });
}

}  // namespace lanthorn
