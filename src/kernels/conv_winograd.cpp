// Convolution by Winograd's F(m x m, 3 x 3): (m + 2)^2 small matrix products over transformed tiles.
#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "kernels/conv_algorithms.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxSide = 6;
constexpr size_t kMaxElements = kMaxSide * kMaxSide;
// Elements of a transformed tile lie a power of two apart without this, all in one set of the cache.
constexpr size_t kSkew = 16;

struct Tiling {
  size_t m, side, elements;
  size_t down, across, per_image, total;
  size_t block;     // tiles that are transformed and multiplied at a time
  bool by_element;  // threads share one block and split its matrix products
  size_t in_stride, out_stride;

  size_t block_floats() const { return elements * (in_stride + out_stride); }
};

Tiling tile(const ConvSizes& s, ConvAlgorithm algorithm, size_t threads) {
  Tiling t{};
  t.m = algorithm == ConvAlgorithm::kWinograd4 ? 4 : 2;
  t.side = t.m + 2;
  t.elements = t.side * t.side;
  t.down = (s.out_h + t.m - 1) / t.m;
  t.across = (s.out_w + t.m - 1) / t.m;
  t.per_image = t.down * t.across;
  t.total = s.batch * t.per_image;
  // All tiles at once while transformed tiles stay in the outer caches; else blocks, and weights are
  // read again for each.
  constexpr size_t kMostFloats = 750'000;
  const size_t small_block = t.m == 4 ? 24 : 48;
  const size_t floats = t.elements * (s.in_c + s.out_c);
  const size_t fits = std::max(small_block, kMostFloats / floats);
  // Too few tiles per thread would make every thread read all weights for little work.
  t.by_element = threads > 1 && t.total < threads * 16;
  size_t block = t.total;
  if (t.by_element) {
    block = t.total;
  } else if (threads > 1) {
    block = std::min(fits, (t.total + threads - 1) / threads);
    if (t.total / threads > small_block * 3 / 2) block = std::min(block, small_block);
  } else if (t.total > fits) {
    block = small_block;
  }
  const size_t blocks = (t.total + block - 1) / block;
  t.block = (t.total + blocks - 1) / blocks;  // equal ones
  t.in_stride = round_up(t.block * s.in_c, 16) + kSkew;
  t.out_stride = round_up(t.block * s.out_c, 16) + kSkew;
  return t;
}

struct TilePlace {
  size_t image, y, x;  // of the first output pixel
};

TilePlace place(const Tiling& t, size_t index) {
  const size_t in_image = index % t.per_image;
  return {index / t.per_image, in_image / t.across * t.m, in_image % t.across * t.m};
}

void transform_input(const ConvCall& call, const Tiling& t, size_t index, float* target) {
  const ConvSizes& s = call.shape;
  const TilePlace at = place(t, index);
  const float* source[kMaxElements];
  const float* image = call.input + at.image * s.in_h * s.in_w * s.in_c;
  for (size_t i = 0; i < t.side; ++i) {
    const size_t y = at.y + i;  // counted from the edge of the padding
    const bool inside_y = y >= s.pad_top && y - s.pad_top < s.in_h;
    for (size_t j = 0; j < t.side; ++j) {
      const size_t x = at.x + j;
      const bool inside = inside_y && x >= s.pad_left && x - s.pad_left < s.in_w;
      source[i * t.side + j] =
          inside ? image + ((y - s.pad_top) * s.in_w + x - s.pad_left) * s.in_c
                 : call.packed.zeros.data();
    }
  }
  call.table.conv->winograd_input(static_cast<int>(t.m), source, s.in_c, target, t.in_stride);
}

// A tile whose sums are not finite, again and in plain order: the transforms would have spread an
// infinity or a NaN over pixels that do not see it.
void plain_tile(const ConvCall& call, const Tiling& t, const TilePlace& at) {
  const ConvSizes& s = call.shape;
  for (size_t y = at.y; y < std::min(s.out_h, at.y + t.m); ++y) {
    for (size_t x = at.x; x < std::min(s.out_w, at.x + t.m); ++x) {
      const size_t pixel = (at.image * s.out_h + y) * s.out_w + x;
      float* out = call.output + pixel * s.out_c;
      std::fill_n(out, s.out_c, 0.0f);
      for (size_t ky = 0; ky < 3; ++ky) {
        const size_t in_y = y + ky;
        if (in_y < s.pad_top || in_y - s.pad_top >= s.in_h) continue;
        for (size_t kx = 0; kx < 3; ++kx) {
          const size_t in_x = x + kx;
          if (in_x < s.pad_left || in_x - s.pad_left >= s.in_w) continue;
          const float* in =
              call.input +
              ((at.image * s.in_h + in_y - s.pad_top) * s.in_w + in_x - s.pad_left) * s.in_c;
          const float* weights = call.packed.weights + ky * 3 + kx;
          for (size_t o = 0; o < s.out_c; ++o) {
            float sum = out[o];
            for (size_t i = 0; i < s.in_c; ++i) sum += in[i] * weights[(o * s.in_c + i) * 9];
            out[o] = sum;
          }
        }
      }
      const float* residual =
          call.epilogue.residual ? call.epilogue.residual + pixel * s.out_c : nullptr;
      call.table.conv->finish_row(out, s.out_c, residual, call.epilogue);
    }
  }
}

void transform_output(const ConvCall& call, const Tiling& t, size_t index, const float* source) {
  const ConvSizes& s = call.shape;
  const TilePlace at = place(t, index);
  float* target[kMaxElements];
  const float* residual[kMaxElements];
  for (size_t i = 0; i < t.m; ++i) {
    for (size_t j = 0; j < t.m; ++j) {
      const bool inside = at.y + i < s.out_h && at.x + j < s.out_w;
      const size_t value =
          ((at.image * s.out_h + at.y + i) * s.out_w + at.x + j) * s.out_c;
      target[i * t.m + j] = inside ? call.output + value : nullptr;
      residual[i * t.m + j] =
          inside && call.epilogue.residual ? call.epilogue.residual + value : nullptr;
    }
  }
  const bool finite = call.table.conv->winograd_output(
      static_cast<int>(t.m), source, t.out_stride, s.out_c, target,
      call.epilogue.residual ? residual : nullptr, call.epilogue);
  if (!finite) plain_tile(call, t, at);
}

void multiply_element(const ConvCall& call, const Tiling& t, size_t e, size_t tiles, float* in,
                      float* out, size_t panel0, size_t panel1) {
  const PackedMatrix& b = call.packed.matrices[e];
  GemmArgs args;
  args.a = in + e * t.in_stride;
  args.lda = call.shape.in_c;
  args.tap_k = call.shape.in_c;
  args.b = b.data.data();
  args.nr = b.nr;
  args.n = b.n;
  args.c = out + e * t.out_stride;
  args.ldc = call.shape.out_c;
  call.table.gemm->gemm(args, 0, tiles, panel0, panel1);
}

void by_tiles(const ConvCall& call, const Tiling& t) {
  const size_t blocks = (t.total + t.block - 1) / t.block;
  ScratchSlots slots(call.workers.count());
  call.workers.run(blocks, 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    float* in = call.scratch + lease.index() * t.block_floats();
    float* out = in + t.elements * t.in_stride;
    for (size_t block = begin; block < end; ++block) {
      const size_t first = block * t.block;
      const size_t tiles = std::min(t.block, t.total - first);
      for (size_t i = 0; i < tiles; ++i) {
        transform_input(call, t, first + i, in + i * call.shape.in_c);
      }
      for (size_t e = 0; e < t.elements; ++e) {
        multiply_element(call, t, e, tiles, in, out, 0, call.packed.matrices[e].panels());
      }
      for (size_t i = 0; i < tiles; ++i) {
        transform_output(call, t, first + i, out + i * call.shape.out_c);
      }
    }
  });
}

void by_elements(const ConvCall& call, const Tiling& t) {
  float* in = call.scratch;
  float* out = in + t.elements * t.in_stride;
  call.workers.run(t.total, call.workers.grain(t.total, 1, 2), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) transform_input(call, t, i, in + i * call.shape.in_c);
  });
  const size_t panels = call.packed.matrices[0].panels();
  const size_t threads = static_cast<size_t>(call.workers.count());
  const size_t parts = std::min(panels, (threads + 7) / 8);  // 16 or 36 elements feed some threads
  const size_t width = (panels + parts - 1) / parts;
  call.workers.run(t.elements * parts, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t panel = i % parts * width;
      if (panel >= panels) continue;
      multiply_element(call, t, i / parts, t.total, in, out, panel,
                       std::min(panels, panel + width));
    }
  });
  call.workers.run(t.total, call.workers.grain(t.total, 1, 2), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) transform_output(call, t, i, out + i * call.shape.out_c);
  });
}

// G of g' = G g G^T (Lavin and Gray, section 4).
constexpr double kG4[6][3] = {{1.0 / 4, 0, 0},           {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                              {-1.0 / 6, 1.0 / 6, -1.0 / 6}, {1.0 / 24, 1.0 / 12, 1.0 / 6},
                              {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}};
constexpr double kG2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

void transform_weights(const double (*g)[3], size_t side, const float* w, float* to, size_t step) {
  double half[kMaxSide][3];
  for (size_t a = 0; a < side; ++a) {
    for (size_t b = 0; b < 3; ++b) {
      half[a][b] = 0;
      for (size_t k = 0; k < 3; ++k) half[a][b] += g[a][k] * static_cast<double>(w[k * 3 + b]);
    }
  }
  for (size_t a = 0; a < side; ++a) {
    for (size_t b = 0; b < side; ++b) {
      double sum = 0;
      for (size_t k = 0; k < 3; ++k) sum += half[a][k] * g[b][k];
      to[(a * side + b) * step] = static_cast<float>(sum);
    }
  }
}

}  // namespace

void pack_winograd(const KernelTable& table, const Workers& workers, const ConvSizes& s,
                   const float* weights, PackedConv* packed) {
  const bool four = packed->algorithm == ConvAlgorithm::kWinograd4;
  const size_t side = four ? 6 : 4, elements = side * side;
  const size_t nr = table.gemm->panel_width(s.out_c);
  const size_t panels = (s.out_c + nr - 1) / nr;
  packed->matrices.resize(elements);
  for (PackedMatrix& matrix : packed->matrices) {
    matrix.k = s.in_c;
    matrix.n = s.out_c;
    matrix.nr = nr;
    matrix.data = FloatBuffer(panels * nr * s.in_c);
  }
  // Panel by panel, so that the transformed weights of all elements never lie in memory twice.
  workers.run(panels, 1, [&](size_t begin, size_t end) {
    FloatBuffer part(elements * nr);
    for (size_t panel = begin; panel < end; ++panel) {
      const size_t columns = std::min(nr, s.out_c - panel * nr);
      for (size_t i = 0; i < s.in_c; ++i) {
        for (size_t j = 0; j < columns; ++j) {
          transform_weights(four ? kG4 : kG2, side,
                            weights + ((panel * nr + j) * s.in_c + i) * 9, part.data() + j, nr);
        }
        for (size_t e = 0; e < elements; ++e) {
          float* to = packed->matrices[e].data.data() + panel * nr * s.in_c + i * nr;
          std::memcpy(to, part.data() + e * nr, columns * sizeof(float));
          std::fill(to + columns, to + nr, 0.0f);
        }
      }
    }
  });
  packed->weights = weights;
  packed->zeros = FloatBuffer(s.in_c);
  std::fill_n(packed->zeros.data(), s.in_c, 0.0f);
}

size_t winograd_scratch_floats(const ConvSizes& s, ConvAlgorithm algorithm, int threads) {
  if (s.pixels() == 0) return 0;
  // A run may have fewer threads than were planned for, and then blocks of another size.
  size_t most = 0;
  for (int n = 1; n <= threads; ++n) {
    const Tiling t = tile(s, algorithm, static_cast<size_t>(n));
    most = std::max(most, t.block_floats() * (t.by_element ? 1 : static_cast<size_t>(n)));
  }
  return most;
}

void convolve_winograd(const ConvCall& call) {
  const Tiling t = tile(call.shape, call.packed.algorithm,
                        static_cast<size_t>(call.workers.count()));
  if (t.by_element) {
    by_elements(call, t);
  } else {
    by_tiles(call, t);
  }
}

}  // namespace lanthorn
