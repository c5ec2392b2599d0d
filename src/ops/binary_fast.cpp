// Arithmetic of two float32 arrays with broadcasting.
// FAST: add sub mul div max min
#include <algorithm>
#include <array>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxRank = 8;

// The output's dimensions, neighbours merged where both inputs run through them alike; strides are 0
// where an input repeats.
struct Walk {
  size_t rank = 0;
  std::array<size_t, kMaxRank> dims = {}, a = {}, b = {};
};

// Strides of `shape` under the output's dimensions.
std::array<size_t, kMaxRank> strides_under(std::span<const int64_t> shape,
                                           std::span<const int64_t> out) {
  std::array<size_t, kMaxRank> strides = {};
  size_t step = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t from = shape.size() - 1 - i, to = out.size() - 1 - i;
    strides[to] = shape[from] == 1 ? 0 : step;
    step *= static_cast<size_t>(shape[from]);
  }
  return strides;
}

Walk walk_of(std::span<const int64_t> a, std::span<const int64_t> b, std::span<const int64_t> out) {
  const auto a_strides = strides_under(a, out), b_strides = strides_under(b, out);
  Walk walk;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto dim = static_cast<size_t>(out[i]);
    if (dim == 1) continue;
    if (walk.rank > 0) {
      const size_t last = walk.rank - 1;
      if (walk.a[last] == a_strides[i] * dim && walk.b[last] == b_strides[i] * dim) {
        walk.dims[last] *= dim;
        walk.a[last] = a_strides[i];
        walk.b[last] = b_strides[i];
        continue;
      }
    }
    walk.dims[walk.rank] = dim;
    walk.a[walk.rank] = a_strides[i];
    walk.b[walk.rank] = b_strides[i];
    ++walk.rank;
  }
  if (walk.rank == 0) {
    walk.rank = 1;
    walk.dims[0] = 1;
    walk.a[0] = walk.b[0] = 1;
  }
  return walk;
}

void run_line(const ElementwiseKernels& loops, Binary op, const float* a, size_t a_step,
              const float* b, size_t b_step, float* y, size_t n) {
  if (a_step != 0 && b_step != 0) {
    loops.binary(op, a, b, y, n);
  } else if (a_step != 0) {
    loops.binary_scalar(op, a, *b, false, y, n);
  } else {
    loops.binary_scalar(op, b, *a, true, y, n);
  }
}

template <Binary kOp>
Status run(const RunContext& context) {
  const ElementwiseKernels& loops = *table_of(context).elementwise;
  const float* a = floats(context.input(0));
  const float* b = floats(context.input(1));
  float* y = floats(context.output(0));
  const auto count = static_cast<size_t>(context.output(0).count());
  if (count == 0) return ok();
  const Walk walk = walk_of(context.input(0).shape, context.input(1).shape, context.output(0).shape);
  const size_t inner = walk.rank - 1, length = walk.dims[inner];
  const Workers workers = workers_of(context);
  constexpr size_t kLeast = 16384;  // some microseconds
  if (walk.rank == 1) {
    workers.run(length, workers.grain(length, kLeast), [&](size_t begin, size_t end) {
      run_line(loops, kOp, a + begin * walk.a[0], walk.a[0], b + begin * walk.b[0], walk.b[0],
               y + begin, end - begin);
    });
    return ok();
  }
  const size_t lines = count / length;
  workers.run(lines, workers.grain(lines, kLeast / length + 1), [&](size_t begin, size_t end) {
    // Where the first line is, then like an odometer.
    std::array<size_t, kMaxRank> at = {};
    size_t rest = begin, a_at = 0, b_at = 0;
    for (size_t i = inner; i-- > 0;) {
      at[i] = rest % walk.dims[i];
      rest /= walk.dims[i];
      a_at += at[i] * walk.a[i];
      b_at += at[i] * walk.b[i];
    }
    for (size_t line = begin; line < end; ++line) {
      run_line(loops, kOp, a + a_at, walk.a[inner], b + b_at, walk.b[inner], y + line * length,
               length);
      for (size_t i = inner; i-- > 0;) {
        a_at += walk.a[i];
        b_at += walk.b[i];
        if (++at[i] < walk.dims[i]) break;
        a_at -= walk.a[i] * walk.dims[i];
        b_at -= walk.b[i] * walk.dims[i];
        at[i] = 0;
      }
    }
  });
  return ok();
}

bool applies(const KernelQuery& query) {
  return all_float32(query) && query.inputs.size() == 2 && query.has_input(1) &&
         query.outputs[0].dims.size() <= kMaxRank;
}

bool applies_in_place(const KernelQuery& query) {
  return applies(query) && dims_of(query.inputs[0]) == dims_of(query.outputs[0]);
}

template <Binary kOp>
constexpr std::array<FastKernel, 2> kernels_of() {
  return {FastKernel{.name = "binary/in_place",
                     .applies = applies_in_place,
                     .prepare = prepare_table,
                     .pack_key = key_of_isa,
                     .run = run<kOp>,
                     .in_place = true},
          FastKernel{.name = "binary/broadcast",
                     .applies = applies,
                     .prepare = prepare_table,
                     .pack_key = key_of_isa,
                     .run = run<kOp>}};
}

constexpr auto kAdd = kernels_of<Binary::kAdd>();
constexpr auto kSub = kernels_of<Binary::kSub>();
constexpr auto kMul = kernels_of<Binary::kMul>();
constexpr auto kDiv = kernels_of<Binary::kDiv>();
constexpr auto kMax = kernels_of<Binary::kMax>();
constexpr auto kMin = kernels_of<Binary::kMin>();

}  // namespace

extern constinit const std::span<const FastKernel> fast_add = kAdd;
extern constinit const std::span<const FastKernel> fast_sub = kSub;
extern constinit const std::span<const FastKernel> fast_mul = kMul;
extern constinit const std::span<const FastKernel> fast_div = kDiv;
extern constinit const std::span<const FastKernel> fast_max = kMax;
extern constinit const std::span<const FastKernel> fast_min = kMin;

}  // namespace lanthorn
