// Direct convolutions: as matrix products over row pointers, over padded rows, and depthwise.
#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "kernels/conv_algorithms.h"

namespace lanthorn {
namespace {

// Pixels whose row pointers are made at once: enough for several tiles of every kernel, few enough to
// stay in the first cache.
constexpr size_t kPointers = 2048;
size_t indirect_block(const ConvSizes& s) {
  return std::clamp<size_t>(kPointers / s.taps(), 24, 192);
}

// Output rows for which `convolve_rows` copies input at once.
size_t rows_block(const ConvSizes& s) {
  return std::clamp<size_t>(16 / s.stride_h, 1, std::max<size_t>(1, s.out_h));
}

size_t padded_width(const ConvSizes& s) {
  return std::max((s.out_w - 1) * s.stride_w + s.kernel_w, s.pad_left + s.in_w);
}

size_t rows_copied(const ConvSizes& s) {
  return (rows_block(s) - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
}

bool copies_rows(const ConvSizes& s) {
  const size_t reach_h = (s.out_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  const size_t reach_w = (s.out_w - 1) * s.stride_w + s.kernel_w;
  return s.pad_top > 0 || s.pad_left > 0 || reach_h > s.in_h || reach_w > s.in_w;
}

Epilogue shifted(const Epilogue& e, size_t row, size_t column) {
  Epilogue moved = e;
  if (moved.bias) moved.bias += column;
  if (moved.residual) moved.residual += row * e.residual_stride + column;
  return moved;
}

// The input rows that output rows from `y` on need, with zeros where there is padding.
void copy_rows(const ConvCall& call, size_t image, size_t y, size_t rows, float* to) {
  const ConvSizes& s = call.shape;
  const size_t width = padded_width(s) * s.in_c;
  const size_t before = s.pad_left * s.in_c;
  const size_t inside = std::min(s.in_w * s.in_c, width - before);
  for (size_t r = 0; r < rows; ++r, to += width) {
    const size_t in_y = y * s.stride_h + r;  // counted from the edge of the padding
    if (in_y < s.pad_top || in_y - s.pad_top >= s.in_h) {
      std::fill_n(to, width, 0.0f);
      continue;
    }
    std::fill_n(to, before, 0.0f);
    std::memcpy(to + before,
                call.input + (image * s.in_h + in_y - s.pad_top) * s.in_w * s.in_c,
                inside * sizeof(float));
    std::fill_n(to + before + inside, width - before - inside, 0.0f);
  }
}

void rows_piece(const ConvCall& call, size_t image, size_t y0, size_t y1, float* scratch) {
  const ConvSizes& s = call.shape;
  const PackedMatrix& b = call.packed.matrices[0];
  const bool copies = copies_rows(s);
  GemmArgs args;
  args.taps = s.kernel_h;
  args.tap_k = s.kernel_w * s.in_c;
  args.lda = s.stride_w * s.in_c;
  args.b = b.data.data();
  args.nr = b.nr;
  args.n = b.n;
  args.ldc = s.out_c;
  const size_t width = (copies ? padded_width(s) : s.in_w) * s.in_c;
  args.tap_stride = s.dilation_h * width;
  if (copies) {
    const size_t rows = (y1 - y0 - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
    copy_rows(call, image, y0, rows, scratch);
  }
  for (size_t y = y0; y < y1; ++y) {
    args.a = copies ? scratch + (y - y0) * s.stride_h * width
                    : call.input + (image * s.in_h + y * s.stride_h) * width;
    const size_t pixel = (image * s.out_h + y) * s.out_w;
    args.c = call.output + pixel * s.out_c;
    args.epilogue = shifted(call.epilogue, pixel, 0);
    call.table.gemm->gemm(args, 0, s.out_w, 0, b.panels());
  }
}

// pointers[tap * stride + i] is where tap `tap` of output pixel first + i reads its channels.
void make_pointers(const ConvCall& call, size_t first, size_t count, const float** pointers,
                   size_t stride) {
  const ConvSizes& s = call.shape;
  const float* zeros = call.packed.zeros.data();
  size_t done = 0;
  while (done < count) {  // one run of pixels of one output row at a time
    const size_t pixel = first + done;
    const size_t x0 = pixel % s.out_w;
    const size_t y = pixel / s.out_w % s.out_h;
    const size_t image = pixel / s.out_w / s.out_h;
    const size_t run = std::min(count - done, s.out_w - x0);
    for (size_t ky = 0; ky < s.kernel_h; ++ky) {
      const size_t in_y = y * s.stride_h + ky * s.dilation_h;
      const bool inside_y = in_y >= s.pad_top && in_y - s.pad_top < s.in_h;
      for (size_t kx = 0; kx < s.kernel_w; ++kx) {
        const float** out = pointers + (ky * s.kernel_w + kx) * stride + done;
        if (!inside_y) {
          std::fill_n(out, run, zeros);
          continue;
        }
        const float* row = call.input + (image * s.in_h + in_y - s.pad_top) * s.in_w * s.in_c;
        size_t in_x = x0 * s.stride_w + kx * s.dilation_w;
        for (size_t i = 0; i < run; ++i, in_x += s.stride_w) {
          const bool inside = in_x >= s.pad_left && in_x - s.pad_left < s.in_w;
          out[i] = inside ? row + (in_x - s.pad_left) * s.in_c : zeros;
        }
      }
    }
    done += run;
  }
}

struct PixelPart {
  size_t pixel0, pixel1, panel0, panel1;
};

void indirect_piece(const ConvCall& call, const PixelPart& part, size_t group0, size_t group1,
                    float* scratch) {
  const ConvSizes& s = call.shape;
  const size_t block = indirect_block(s);
  const float** pointers = reinterpret_cast<const float**>(scratch);
  GemmArgs args;
  args.rows = pointers;
  args.rows_stride = block;
  args.taps = s.taps();
  args.tap_k = s.group_in();
  args.ldc = s.out_c;
  for (size_t pixel = part.pixel0; pixel < part.pixel1; pixel += block) {
    const size_t count = std::min(block, part.pixel1 - pixel);
    make_pointers(call, pixel, count, pointers, block);
    for (size_t g = group0; g < group1; ++g) {
      const PackedMatrix& b = call.packed.matrices[g];
      const size_t column = g * s.group_out();
      args.b = b.data.data();
      args.nr = b.nr;
      args.n = b.n;
      args.rows_offset = g * s.group_in();
      args.c = call.output + pixel * s.out_c + column;
      args.epilogue = shifted(call.epilogue, pixel, column);
      call.table.gemm->gemm(args, 0, count, part.panel0, std::min(part.panel1, b.panels()));
    }
  }
}

}  // namespace

size_t rows_scratch_floats(const ConvSizes& s, int threads) {
  if (s.pixels() == 0 || !copies_rows(s)) return 0;
  return static_cast<size_t>(threads) * round_up(rows_copied(s) * padded_width(s) * s.in_c, 16);
}

void convolve_rows(const ConvCall& call) {
  const ConvSizes& s = call.shape;
  const size_t block = rows_block(s);
  const size_t blocks = (s.out_h + block - 1) / block;
  const size_t slot_floats = rows_scratch_floats(s, 1);
  ScratchSlots slots(call.workers.count());
  call.workers.run(s.batch * blocks, 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    for (size_t i = begin; i < end; ++i) {
      const size_t y = i % blocks * block;
      rows_piece(call, i / blocks, y, std::min(s.out_h, y + block),
                 call.scratch + lease.index() * slot_floats);
    }
  });
}

size_t indirect_scratch_floats(const ConvSizes& s, int threads) {
  constexpr size_t kFloatsPerPointer = sizeof(const float*) / sizeof(float);
  return static_cast<size_t>(threads) *
         round_up(indirect_block(s) * s.taps() * kFloatsPerPointer, 16);
}

void convolve_indirect(const ConvCall& call) {
  const ConvSizes& s = call.shape;
  const PackedMatrix& b = call.packed.matrices[0];
  const size_t slot_floats = indirect_scratch_floats(s, 1);
  const size_t threads = static_cast<size_t>(call.workers.count());
  const size_t tile_rows = call.table.gemm->tile_rows(b.nr);
  GemmSplit split = split_gemm(s.pixels(), b.k * s.groups, b.panels(), b.nr, tile_rows, threads);
  size_t row_parts = (s.pixels() + split.rows - 1) / split.rows;
  const size_t panel_parts = (b.panels() + split.panels - 1) / split.panels;
  size_t group_parts = 1;
  if (row_parts * panel_parts < threads && s.groups > 1) {
    group_parts = std::min(s.groups, threads);
  }
  const size_t groups = (s.groups + group_parts - 1) / group_parts;
  ScratchSlots slots(call.workers.count());
  call.workers.run(row_parts * panel_parts * group_parts, 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    for (size_t i = begin; i < end; ++i) {
      const size_t row = i % row_parts, panel = i / row_parts % panel_parts;
      const size_t group = i / row_parts / panel_parts;
      const PixelPart part{row * split.rows, std::min(s.pixels(), (row + 1) * split.rows),
                           panel * split.panels, (panel + 1) * split.panels};
      indirect_piece(call, part, std::min(s.groups, group * groups),
                     std::min(s.groups, (group + 1) * groups),
                     call.scratch + lease.index() * slot_floats);
    }
  });
}

void pack_grouped(const KernelTable& table, const ConvSizes& s, const float* weights,
                  PackedConv* packed) {
  const size_t lanes = table.conv->lanes, group = s.group_in(), taps = s.taps();
  packed->grouped = FloatBuffer(s.out_c * group * taps);
  float* to = packed->grouped.data();
  for (size_t channel = 0; channel < s.out_c; channel += lanes) {
    for (size_t t = 0; t < taps; ++t) {
      for (size_t k = 0; k < group; ++k) {
        for (size_t l = 0; l < lanes; ++l) *to++ = weights[((channel + l) * group + k) * taps + t];
      }
    }
  }
}

void convolve_grouped(const ConvCall& call) {
  const ConvSizes& s = call.shape;
  const size_t block = indirect_block(s);
  const size_t slot_floats = indirect_scratch_floats(s, 1);
  // Pieces of some 50 us, or one block of pixels.
  const size_t work = s.out_c * s.group_in() * s.taps() * block;
  const size_t blocks = (s.pixels() + block - 1) / block;
  ScratchSlots slots(call.workers.count());
  call.workers.run(blocks, 2'000'000 / (work + 1) + 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    const float** pointers =
        reinterpret_cast<const float**>(call.scratch + lease.index() * slot_floats);
    GroupedArgs args;
    args.rows = pointers;
    args.rows_stride = block;
    args.taps = s.taps();
    args.group = s.group_in();
    args.channels = s.out_c;
    args.weights = call.packed.grouped.data();
    for (size_t i = begin; i < end; ++i) {
      const size_t pixel = i * block, count = std::min(block, s.pixels() - pixel);
      make_pointers(call, pixel, count, pointers, block);
      args.c = call.output + pixel * s.out_c;
      args.epilogue = shifted(call.epilogue, pixel, 0);
      call.table.conv->grouped(args, count, 0, s.out_c);
    }
  });
}

void convolve_depthwise(const ConvCall& call) {
  const ConvSizes& s = call.shape;
  const size_t row_work = s.out_w * s.in_c * s.taps();
  const size_t least = std::max<size_t>(1, 100'000 / std::max<size_t>(1, row_work));
  const size_t rows = s.batch * s.out_h;
  call.workers.run(rows, call.workers.grain(rows, least), [&](size_t begin, size_t end) {
    const float* inputs[kMaxDepthwiseRows];
    DepthwiseRow row;
    row.input_rows = inputs;
    row.weights = call.packed.depthwise.data();
    row.bias = call.epilogue.bias;
    row.channels = s.in_c;
    row.in_w = s.in_w;
    row.out_w = s.out_w;
    row.kernel_h = s.kernel_h;
    row.kernel_w = s.kernel_w;
    row.stride_w = s.stride_w;
    row.dilation_w = s.dilation_w;
    row.pad_left = s.pad_left;
    row.activation = call.epilogue.activation;
    row.alpha = call.epilogue.alpha;
    row.beta = call.epilogue.beta;
    for (size_t i = begin; i < end; ++i) {
      const size_t image = i / s.out_h, y = i % s.out_h;
      for (size_t ky = 0; ky < s.kernel_h; ++ky) {
        const size_t in_y = y * s.stride_h + ky * s.dilation_h;
        const bool inside = in_y >= s.pad_top && in_y - s.pad_top < s.in_h;
        inputs[ky] =
            inside ? call.input + (image * s.in_h + in_y - s.pad_top) * s.in_w * s.in_c : nullptr;
      }
      row.output = call.output + i * s.out_w * s.in_c;
      row.residual =
          call.epilogue.residual ? call.epilogue.residual + i * s.out_w * s.in_c : nullptr;
      call.table.conv->depthwise_row(row);
    }
  });
}

}  // namespace lanthorn
