// Operators that move elements: transposition, concatenation, splitting.
// FAST: transpose concat split
#include <algorithm>
#include <array>
#include <cstring>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxRank = 8;
constexpr size_t kLeastBytes = 64 * 1024;  // for another thread to be worth waking

size_t axis_of(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

// A permutation with neighbours that stay neighbours merged. dims and strides are the input's, in
// the output's order.
struct Permutation {
  size_t rank = 0;
  std::array<size_t, kMaxRank> dims = {}, strides = {};
};

Permutation permutation_of(std::span<const int64_t> shape, std::span<const int64_t> order) {
  std::array<size_t, kMaxRank> strides = {};
  size_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= static_cast<size_t>(shape[i]);
  }
  Permutation p;
  for (const int64_t axis : order) {
    const auto from = static_cast<size_t>(axis);
    const auto dim = static_cast<size_t>(shape[from]);
    if (dim == 1) continue;
    if (p.rank > 0 && p.strides[p.rank - 1] == strides[from] * dim) {
      p.dims[p.rank - 1] *= dim;
      p.strides[p.rank - 1] = strides[from];
      continue;
    }
    p.dims[p.rank] = dim;
    p.strides[p.rank] = strides[from];
    ++p.rank;
  }
  return p;
}

std::vector<int64_t> order_of(const Attributes& attributes, size_t rank) {
  std::vector<int64_t> order = attributes.ints("perm");
  if (!order.empty()) return order;
  for (size_t i = rank; i-- > 0;) order.push_back(static_cast<int64_t>(i));
  return order;
}

bool four_bytes(const KernelQuery& query) {
  return query.inputs[0].kind == ValueType::Kind::kTensor &&
         dtype_bytes(query.inputs[0].dtype) == 4 && query.inputs[0].dims.size() <= kMaxRank;
}

// The offset of position `index`, counted over the first `count` dimensions, and where it lies in the
// output, whose strides are `out`.
struct Place {
  size_t in = 0, out = 0;
};
Place place_of(const Permutation& p, const std::array<size_t, kMaxRank>& out, size_t skip,
               size_t index) {
  Place place;
  for (size_t i = p.rank - 1; i-- > 0;) {
    if (i == skip) continue;
    const size_t at = index % p.dims[i];
    index /= p.dims[i];
    place.in += at * p.strides[i];
    place.out += at * out[i];
  }
  return place;
}

Status transpose(const RunContext& context) {
  const TensorView& input = context.input(0);
  const float* x = static_cast<const float*>(input.data);
  auto* y = static_cast<float*>(context.output(0).data);
  const auto count = static_cast<size_t>(input.count());
  if (count == 0) return ok();
  const Permutation p = permutation_of(input.shape, order_of(context.attributes(), input.rank()));
  if (p.rank <= 1) {
    std::memcpy(y, x, count * sizeof(float));
    return ok();
  }
  std::array<size_t, kMaxRank> out = {};
  size_t step = 1;
  for (size_t i = p.rank; i-- > 0;) {
    out[i] = step;
    step *= p.dims[i];
  }
  const size_t last = p.rank - 1;
  const Workers workers = workers_of(context);
  if (p.strides[last] == 1) {  // runs stay together
    const size_t run = p.dims[last], runs = count / run;
    const size_t least = kLeastBytes / sizeof(float) / run + 1;
    workers.run(runs, workers.grain(runs, least), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        std::memcpy(y + i * run, x + place_of(p, out, p.rank, i).in, run * sizeof(float));
      }
    });
    return ok();
  }
  // Matrices of the input's innermost dimension by the output's, and all others around them.
  size_t inner = 0;
  while (p.strides[inner] != 1) ++inner;
  const size_t columns = p.dims[inner], rows = p.dims[last];
  const RowKernels& loops = *table_of(context).rows;
  const size_t matrices = count / columns / rows;
  const size_t bands = matrices >= 8 ? 1 : (columns + 63) / 64;  // of one large matrix
  const size_t band = (columns + bands - 1) / bands;
  const size_t least = kLeastBytes / sizeof(float) / (rows * band) + 1;
  const size_t items = matrices * bands;
  workers.run(items, workers.grain(items, least), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t first = i % bands * band;
      if (first >= columns) continue;
      const Place place = place_of(p, out, inner, i / bands);
      loops.transpose(x + place.in + first, p.strides[last], rows, std::min(band, columns - first),
                      y + place.out + first * out[inner], out[inner]);
    }
  });
  return ok();
}

bool plain_bytes(const KernelQuery& query) {
  for (const ValueType& input : query.inputs) {
    if (input.kind != ValueType::Kind::kTensor || input.dtype == DType::kString) return false;
  }
  return query.has_input(0) && !query.inputs[0].dims.empty();
}

Status concat(const RunContext& context) {
  const MutableTensorView& output = context.output(0);
  const size_t axis = axis_of(context.attributes().integer("axis", 0), output.rank());
  const size_t outer = extent(output.shape.first(axis));
  const size_t item = extent(output.shape.subspan(axis + 1)) * dtype_bytes(output.dtype);
  const size_t row = static_cast<size_t>(output.shape[axis]) * item;
  auto* to = static_cast<std::byte*>(output.data);
  const Workers workers = workers_of(context);
  const size_t least = kLeastBytes / std::max<size_t>(1, row) + 1;
  workers.run(outer, workers.grain(outer, least), [&](size_t begin, size_t end) {
    size_t at = 0;
    for (size_t i = 0; i < context.input_count(); ++i) {
      if (!context.has_input(i)) continue;
      const size_t bytes = static_cast<size_t>(context.input(i).shape[axis]) * item;
      const auto* from = static_cast<const std::byte*>(context.input(i).data);
      if (bytes > 0) {
        for (size_t r = begin; r < end; ++r) {
          std::memcpy(to + r * row + at, from + r * bytes, bytes);
        }
      }
      at += bytes;
    }
  });
  return ok();
}

Status split(const RunContext& context) {
  const TensorView& input = context.input(0);
  const size_t axis = axis_of(context.attributes().integer("axis", 0), input.rank());
  const size_t outer = extent(input.shape.first(axis));
  const size_t item = extent(input.shape.subspan(axis + 1)) * dtype_bytes(input.dtype);
  const size_t row = static_cast<size_t>(input.shape[axis]) * item;
  const auto* from = static_cast<const std::byte*>(input.data);
  size_t at = 0;
  for (size_t i = 0; i < context.output_count(); ++i) {
    const MutableTensorView& output = context.output(i);
    if (!output.present()) return Error{ErrorCode::kInternal, "Split has an absent output", "", ""};
    const size_t bytes = static_cast<size_t>(output.shape[axis]) * item;
    auto* to = static_cast<std::byte*>(output.data);
    if (bytes > 0) {
      for (size_t r = 0; r < outer; ++r) std::memcpy(to + r * bytes, from + r * row + at, bytes);
    }
    at += bytes;
  }
  return ok();
}

bool split_applies(const KernelQuery& query) {
  if (!plain_bytes(query)) return false;
  for (const ValueType& output : query.outputs) {
    if (output.dtype == DType::kUndefined) return false;
  }
  return true;
}

constexpr FastKernel kTranspose[] = {{.name = "transpose/blocks",
                                      .applies = four_bytes,
                                      .prepare = prepare_table,
                                      .pack_key = key_of_isa,
                                      .run = transpose}};
constexpr FastKernel kConcat[] = {{.name = "concat/copy", .applies = plain_bytes, .run = concat}};
constexpr FastKernel kSplit[] = {{.name = "split/copy", .applies = split_applies, .run = split}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_transpose = kTranspose;
extern constinit const std::span<const FastKernel> fast_concat = kConcat;
extern constinit const std::span<const FastKernel> fast_split = kSplit;

}  // namespace lanthorn
