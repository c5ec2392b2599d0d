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
// Input times output channels from which on weights of F(4, 3) are transformed in each run. Held
// transformed they would be four times as many, and reading those takes as long as transforming.
constexpr size_t kLeanChannels = 128 * 128;

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

/// Output channels [begin, end).
struct Channels {
  size_t begin, end;
  size_t count() const { return end - begin; }
};

Epilogue shifted(const Epilogue& e, size_t channel) {
  Epilogue moved = e;
  if (moved.bias) moved.bias += channel;
  return moved;
}

// The weight as it was before its transform.
float plain_weight(const PackedConv& packed, size_t in_c, size_t o, size_t i, size_t ky, size_t kx) {
  const size_t panel = o / packed.nr * packed.nr * in_c, column = o % packed.nr;
  if (packed.taps.size() > 0) {
    return packed.taps.data()[panel * 9 + (i * 9 + ky * 3 + kx) * packed.nr + column];
  }
  // Along one axis an outer tap has an element of its own (times 1/4, the first of F4), and the middle
  // one is all that two elements differ in (by -1/3 of it in F4).
  const bool four = packed.algorithm == ConvAlgorithm::kWinograd4;
  const size_t side = four ? 6 : 4;
  const auto element = [&](size_t a, size_t b) {
    return packed.matrices[a * side + b].data.data()[panel + i * packed.nr + column];
  };
  const auto along = [&](size_t k, const auto& at) {
    if (k == 0) return four ? 4.0f * at(0) : at(0);
    if (k == 2) return at(side - 1);
    return four ? -3.0f * (at(1) - at(2)) : at(1) - at(2);
  };
  return along(ky, [&](size_t a) { return along(kx, [&](size_t b) { return element(a, b); }); });
}

// A tile whose sums are not finite, again and in plain order: the transforms would have spread an
// infinity or a NaN over pixels that do not see it.
void plain_tile(const ConvCall& call, const Tiling& t, const TilePlace& at, const Channels& channels) {
  const ConvSizes& s = call.shape;
  for (size_t y = at.y; y < std::min(s.out_h, at.y + t.m); ++y) {
    for (size_t x = at.x; x < std::min(s.out_w, at.x + t.m); ++x) {
      const size_t pixel = (at.image * s.out_h + y) * s.out_w + x;
      float* out = call.output + pixel * s.out_c;
      std::fill_n(out + channels.begin, channels.count(), 0.0f);
      for (size_t ky = 0; ky < 3; ++ky) {
        const size_t in_y = y + ky;
        if (in_y < s.pad_top || in_y - s.pad_top >= s.in_h) continue;
        for (size_t kx = 0; kx < 3; ++kx) {
          const size_t in_x = x + kx;
          if (in_x < s.pad_left || in_x - s.pad_left >= s.in_w) continue;
          const float* in =
              call.input +
              ((at.image * s.in_h + in_y - s.pad_top) * s.in_w + in_x - s.pad_left) * s.in_c;
          for (size_t o = channels.begin; o < channels.end; ++o) {
            float sum = out[o];
            for (size_t i = 0; i < s.in_c; ++i) sum += in[i] * plain_weight(call.packed, s.in_c, o, i, ky, kx);
            out[o] = sum;
          }
        }
      }
      const float* residual =
          call.epilogue.residual ? call.epilogue.residual + pixel * s.out_c + channels.begin : nullptr;
      call.table.conv->finish_row(out + channels.begin, channels.count(), residual,
                                  shifted(call.epilogue, channels.begin));
    }
  }
}

// `source` has the elements of one tile, the first of `channels` first, `stride` apart.
void transform_output(const ConvCall& call, const Tiling& t, size_t index, const Channels& channels,
                      const float* source, size_t stride) {
  const ConvSizes& s = call.shape;
  const TilePlace at = place(t, index);
  float* target[kMaxElements];
  const float* residual[kMaxElements];
  for (size_t i = 0; i < t.m; ++i) {
    for (size_t j = 0; j < t.m; ++j) {
      const bool inside = at.y + i < s.out_h && at.x + j < s.out_w;
      const size_t value =
          ((at.image * s.out_h + at.y + i) * s.out_w + at.x + j) * s.out_c + channels.begin;
      target[i * t.m + j] = inside ? call.output + value : nullptr;
      residual[i * t.m + j] =
          inside && call.epilogue.residual ? call.epilogue.residual + value : nullptr;
    }
  }
  const bool finite = call.table.conv->winograd_output(
      static_cast<int>(t.m), source, stride, channels.count(), target,
      call.epilogue.residual ? residual : nullptr, shifted(call.epilogue, channels.begin));
  if (!finite) plain_tile(call, t, at, channels);
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
        transform_output(call, t, first + i, {0, call.shape.out_c}, out + i * call.shape.out_c, t.out_stride);
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
    for (size_t i = begin; i < end; ++i) {
      transform_output(call, t, i, {0, call.shape.out_c}, out + i * call.shape.out_c, t.out_stride);
    }
  });
}

// ---- weights that are transformed as they are used -------------------------------------------------
// One panel of output channels at a time: some of its input channels are transformed into a buffer that
// stays in the second cache, and multiplied with all tiles of a block.

struct LeanTiling {
  size_t m, elements;
  size_t nr, panels;
  size_t depth;        // input channels that are transformed at a time
  size_t block;        // tiles that are multiplied at a time
  size_t group;        // tiles whose inputs are transformed before any is multiplied: several blocks
  size_t in_stride, out_stride;

  size_t shared_floats() const { return elements * in_stride; }
  size_t weight_stride() const { return round_up(depth * nr, 16) + kSkew; }
  size_t thread_floats() const { return elements * (out_stride + weight_stride()); }
};

LeanTiling lean_tile(const ConvSizes& s, const Tiling& t, size_t nr, size_t threads) {
  static const size_t cache_floats = cache_sizes().l2 / sizeof(float);
  LeanTiling lean{.m = t.m, .elements = t.elements, .nr = nr, .panels = (s.out_c + nr - 1) / nr};
  const size_t fits = std::max<size_t>(cache_floats * 3 / 8 / (t.elements * nr), 8);
  const size_t passes = (s.in_c + fits - 1) / fits;
  lean.depth = (s.in_c + passes - 1) / passes;
  // So many tiles that transforming weights is little work beside multiplying them; but all threads
  // get something.
  constexpr size_t kMostTiles = 64, kMostShared = 2'000'000;
  const size_t shares = (threads + lean.panels - 1) / lean.panels;
  const size_t most = std::clamp<size_t>((t.total + shares - 1) / shares, 1, kMostTiles);
  const size_t blocks = (t.total + most - 1) / most;
  lean.block = (t.total + blocks - 1) / blocks;
  lean.group = std::max<size_t>(kMostShared / (t.elements * s.in_c) / lean.block, shares) * lean.block;
  lean.group = std::min(lean.group, blocks * lean.block);
  lean.in_stride = round_up(lean.group * s.in_c, 16) + kSkew;
  lean.out_stride = round_up(lean.block * nr, 16) + kSkew;
  return lean;
}

// Panel `panel` of tiles [first, first + tiles), whose transformed inputs start at `in`.
void lean_piece(const ConvCall& call, const Tiling& t, const LeanTiling& lean, size_t panel, size_t first, size_t tiles,
                const float* in, float* out, float* weights) {
  const ConvSizes& s = call.shape;
  const Channels channels{panel * lean.nr, std::min(s.out_c, (panel + 1) * lean.nr)};
  const float* taps = call.packed.taps.data() + panel * lean.nr * s.in_c * 9;
  GemmArgs args;
  args.lda = s.in_c;
  args.nr = args.n = args.ldc = lean.nr;
  for (size_t k = 0; k < s.in_c; k += lean.depth) {
    args.tap_k = std::min(lean.depth, s.in_c - k);
    args.accumulate = k > 0;
    call.table.conv->winograd_weights(static_cast<int>(t.m), taps + k * 9 * lean.nr, args.tap_k, lean.nr, weights,
                                      lean.weight_stride());
    // What comes next is read while this is multiplied: transforming alone would wait for memory.
    const float* next = taps + (k + lean.depth) * 9 * lean.nr;
    const size_t ahead = k + lean.depth < s.in_c ? std::min(lean.depth, s.in_c - k - lean.depth) * 9 * lean.nr
                         : panel + 1 < lean.panels ? lean.depth * 9 * lean.nr : 0;
    const size_t share = round_up(ahead / t.elements, 16) + 16;
    for (size_t e = 0; e < t.elements; ++e) {
      for (size_t i = e * share; i < std::min((e + 1) * share, ahead); i += 16) __builtin_prefetch(next + i, 0, 2);
      args.a = in + e * lean.in_stride + k;
      args.b = weights + e * lean.weight_stride();
      args.c = out + e * lean.out_stride;
      call.table.gemm->gemm(args, 0, tiles, 0, 1);
    }
  }
  for (size_t i = 0; i < tiles; ++i) {
    transform_output(call, t, first + i, channels, out + i * lean.nr, lean.out_stride);
  }
}

void convolve_lean(const ConvCall& call, Tiling t) {
  const ConvSizes& s = call.shape;
  const LeanTiling lean = lean_tile(s, t, call.packed.nr, static_cast<size_t>(call.workers.count()));
  t.in_stride = lean.in_stride;
  float* const in = call.scratch;
  for (size_t group = 0; group < t.total; group += lean.group) {
    const size_t tiles = std::min(lean.group, t.total - group);
    call.workers.run(tiles, call.workers.grain(tiles, 1, 2), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) transform_input(call, t, group + i, in + i * s.in_c);
    });
    const size_t blocks = (tiles + lean.block - 1) / lean.block;
    ScratchSlots slots(call.workers.count());
    call.workers.run(lean.panels * blocks, 1, [&](size_t begin, size_t end) {
      const ScratchSlots::Lease lease(slots);
      float* out = in + lean.shared_floats() + lease.index() * lean.thread_floats();
      for (size_t i = begin; i < end; ++i) {
        const size_t at = i % blocks * lean.block;
        lean_piece(call, t, lean, i / blocks, group + at, std::min(lean.block, tiles - at), in + at * s.in_c, out,
                   out + t.elements * lean.out_stride);
      }
    });
  }
}

// Transformed weights are worth holding where they are few, and those of F(2, 3), which are less than
// twice as many as they were.
bool holds_transformed(const ConvSizes& s, ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::kWinograd2 || s.in_c * s.out_c < kLeanChannels;
}

}  // namespace

void pack_winograd(const KernelTable& table, const Workers& workers, const ConvSizes& s,
                   const float* weights, PackedConv* packed) {
  const size_t nr = packed->nr = table.gemm->panel_width(s.out_c);
  const size_t panels = (s.out_c + nr - 1) / nr;
  // Each of the nine taps of an input channel is a row of the panel.
  packed->taps = FloatBuffer(panels * nr * s.in_c * 9);
  workers.run(panels, 1, [&](size_t begin, size_t end) {
    table.gemm->pack(weights, 1, s.in_c * 9, s.in_c * 9, s.out_c, nr, begin, end, packed->taps.data());
  });
  packed->zeros = FloatBuffer(s.in_c);
  std::fill_n(packed->zeros.data(), s.in_c, 0.0f);
  if (!holds_transformed(s, packed->algorithm)) return;
  const int m = packed->algorithm == ConvAlgorithm::kWinograd4 ? 4 : 2;
  const size_t elements = static_cast<size_t>((m + 2) * (m + 2)), step = s.in_c * nr;
  packed->matrices.resize(elements);
  for (PackedMatrix& matrix : packed->matrices) {
    matrix.k = s.in_c;
    matrix.n = s.out_c;
    matrix.nr = nr;
    matrix.data = FloatBuffer(panels * step);
  }
  FloatBuffer part(elements * step);
  for (size_t panel = 0; panel < panels; ++panel) {
    table.conv->winograd_weights(m, packed->taps.data() + panel * step * 9, s.in_c, nr, part.data(), step);
    for (size_t e = 0; e < elements; ++e) {
      std::memcpy(packed->matrices[e].data.data() + panel * step, part.data() + e * step, step * sizeof(float));
    }
  }
  // They can be told from the transformed ones, unless an infinity has spread there.
  float not_finite = 0.0f;
  for (size_t i = 0; i < packed->taps.size(); ++i) not_finite += packed->taps.data()[i] * 0.0f;
  if (not_finite == 0.0f) packed->taps = FloatBuffer();
}

size_t winograd_scratch_floats(const KernelTable& table, const ConvSizes& s, ConvAlgorithm algorithm, int threads) {
  if (s.pixels() == 0) return 0;
  // A run may have fewer threads than were planned for, and then blocks of another size.
  size_t most = 0;
  for (int n = 1; n <= threads; ++n) {
    const auto count = static_cast<size_t>(n);
    const Tiling t = tile(s, algorithm, count);
    if (holds_transformed(s, algorithm)) {
      most = std::max(most, t.block_floats() * (t.by_element ? 1 : count));
    } else {
      const LeanTiling lean = lean_tile(s, t, table.gemm->panel_width(s.out_c), count);
      most = std::max(most, lean.shared_floats() + count * lean.thread_floats());
    }
  }
  return most;
}

void convolve_winograd(const ConvCall& call) {
  const Tiling t = tile(call.shape, call.packed.algorithm,
                        static_cast<size_t>(call.workers.count()));
  if (call.packed.matrices.empty()) {
    convolve_lean(call, t);
  } else if (t.by_element) {
    by_elements(call, t);
  } else {
    by_tiles(call, t);
  }
}

}  // namespace lanthorn
