#include "kernels/conv_bf16.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace lanthorn {
namespace {

// Of gathered rows, so that they stay in the second cache while all panels of the weights pass over them.
constexpr size_t kBlockBytes = 256 << 10;

bool is_pointwise(const ConvSizes& s) {
  return s.taps() == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_top == 0 && s.pad_left == 0 &&
         s.out_h == s.in_h && s.out_w == s.in_w;
}

size_t row_values(const ConvSizes& s) { return round_up(s.taps() * s.in_c, 2); }

size_t block_pixels(const ConvSizes& s, size_t threads) {
  const size_t fits = std::max<size_t>(kBlockBytes / (row_values(s) * sizeof(uint16_t)), 16);
  const size_t share = (s.pixels() + threads - 1) / threads;
  return std::max<size_t>(std::min(fits, share), 1);
}

size_t input_bytes(const ConvSizes& s) {
  return round_up(s.batch * s.in_h * s.in_w * s.in_c * sizeof(uint16_t), 64);
}
size_t block_bytes(const ConvSizes& s, size_t threads) {
  return round_up(block_pixels(s, threads) * row_values(s) * sizeof(uint16_t), 64);
}

// The taps of `count` output pixels from `first` on, one row each; zeros in the padding.
void gather(const ConvSizes& s, const uint16_t* input, size_t first, size_t count, uint16_t* rows) {
  const size_t row = row_values(s), used = s.taps() * s.in_c;
  for (size_t p = first; p < first + count; ++p, rows += row) {
    const size_t x = p % s.out_w, y = p / s.out_w % s.out_h, image = p / s.out_w / s.out_h;
    uint16_t* to = rows;
    for (size_t ky = 0; ky < s.kernel_h; ++ky) {
      const size_t in_y = y * s.stride_h + ky * s.dilation_h;  // counted from the edge of the padding
      const bool inside_y = in_y >= s.pad_top && in_y - s.pad_top < s.in_h;
      for (size_t kx = 0; kx < s.kernel_w; ++kx, to += s.in_c) {
        const size_t in_x = x * s.stride_w + kx * s.dilation_w;
        if (inside_y && in_x >= s.pad_left && in_x - s.pad_left < s.in_w) {
          const size_t pixel = (image * s.in_h + in_y - s.pad_top) * s.in_w + in_x - s.pad_left;
          std::memcpy(to, input + pixel * s.in_c, s.in_c * sizeof(uint16_t));
        } else {
          std::memset(to, 0, s.in_c * sizeof(uint16_t));
        }
      }
    }
    if (used < row) rows[used] = 0;
  }
}

}  // namespace

bool conv_bf16_applies(const ConvSizes& s) { return s.groups == 1 && s.in_c >= 8 && s.pixels() > 0; }

PackedBf16 pack_conv_bf16(const KernelTable& table, const ConvSizes& s, const float* weights) {
  const size_t taps = s.taps(), k = taps * s.in_c;
  return pack_bf16_columns(table, k, s.out_c, [&](size_t j, float* column) {
    const float* from = weights + j * k;
    for (size_t t = 0; t < taps; ++t) {
      for (size_t i = 0; i < s.in_c; ++i) *column++ = from[i * taps + t];
    }
  });
}

size_t conv_bf16_scratch_bytes(const ConvSizes& s, int threads) {
  if (is_pointwise(s)) return bf16_scratch_bytes(s.pixels(), s.in_c);
  size_t blocks = 0;  // a run may have fewer threads, and then larger blocks
  for (int n = 1; n <= threads; ++n) {
    blocks = std::max(blocks, static_cast<size_t>(n) * block_bytes(s, static_cast<size_t>(n)));
  }
  return input_bytes(s) + blocks;
}

void convolve_bf16(const KernelTable& table, const Workers& workers, const ConvSizes& s, const PackedBf16& packed,
                   const float* input, float* output, const Epilogue& epilogue, void* scratch) {
  if (is_pointwise(s)) {
    return multiply_bf16(table, workers, input, s.pixels(), packed, output, s.out_c, epilogue, scratch);
  }
  auto* rounded = static_cast<uint16_t*>(scratch);
  auto* blocks = static_cast<std::byte*>(scratch) + input_bytes(s);
  const size_t lines = s.batch * s.in_h, line = s.in_w * s.in_c;
  workers.run(lines, workers.grain(lines, 16384 / (line + 1) + 1), [&](size_t begin, size_t end) {
    table.low_precision->to_bf16(input + begin * line, rounded + begin * line, (end - begin) * line);
  });
  const auto threads = static_cast<size_t>(workers.count());
  const size_t block = block_pixels(s, threads), bytes = block_bytes(s, threads);
  ScratchSlots slots(workers.count());
  workers.run((s.pixels() + block - 1) / block, 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    auto* rows = reinterpret_cast<uint16_t*>(blocks + lease.index() * bytes);
    Bf16GemmArgs args;
    args.a = rows;
    args.lda = row_values(s);
    args.b = packed.values();
    args.k_pairs = packed.pairs();
    args.nr = packed.nr;
    args.n = packed.n;
    args.ldc = s.out_c;
    for (size_t i = begin; i < end; ++i) {
      const size_t first = i * block, count = std::min(block, s.pixels() - first);
      gather(s, rounded, first, count, rows);
      args.c = output + first * s.out_c;
      args.epilogue = epilogue;
      if (epilogue.residual) args.epilogue.residual = epilogue.residual + first * epilogue.residual_stride;
      table.low_precision->gemm_bf16(args, 0, count, 0, packed.panels());
    }
  });
}

}  // namespace lanthorn
