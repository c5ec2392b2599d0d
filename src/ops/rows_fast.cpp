// Operators that work on rows of float32: softmax, normalization, reduction.
// FAST: softmax log_softmax layer_normalization rms_normalization
// FAST: reduce_mean reduce_sum reduce_max reduce_min reduce_sum_square
#include <algorithm>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

// [outer][middle][inner], of which the operator works along the middle.
struct Parts {
  size_t outer = 1, middle = 1, inner = 1;
};

Parts split_at(std::span<const int64_t> shape, size_t begin, size_t end) {
  return {extent(shape.first(begin)), extent(shape.subspan(begin, end - begin)),
          extent(shape.subspan(end))};
}

size_t normalized(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

// Rows for a thread to be worth waking: about 10 us.
size_t least_rows(size_t row) { return std::max<size_t>(1, 16384 / std::max<size_t>(1, row)); }

bool has_elements(const KernelQuery& query) {
  return all_float32(query) && !query.inputs[0].dims.empty() &&
         extent(dims_of(query.inputs[0])) > 0;
}

// Softmax

size_t softmax_scratch(const KernelQuery& query) {
  const std::vector<int64_t> dims = dims_of(query.inputs[0]);
  const size_t axis = normalized(query.node.attributes.integer("axis", -1), dims.size());
  const Parts parts = split_at(dims, axis, axis + 1);
  if (parts.inner == 1) return 0;
  return 2 * parts.inner * sizeof(float) * static_cast<size_t>(std::max(query.threads, 1));
}

template <bool kLog>
Status softmax(const RunContext& context) {
  const RowKernels& loops = *table_of(context).rows;
  const TensorView& input = context.input(0);
  const size_t axis = normalized(context.attributes().integer("axis", -1), input.rank());
  const Parts p = split_at(input.shape, axis, axis + 1);
  const float* x = floats(input);
  float* y = floats(context.output(0));
  const Workers workers = workers_of(context);
  const size_t size = p.middle * p.inner;
  ScratchSlots slots(workers.count());
  workers.run(p.outer, workers.grain(p.outer, least_rows(size)), [&](size_t begin, size_t end) {
    if (p.inner == 1) {
      return loops.softmax(x + begin * size, y + begin * size, end - begin, size, kLog);
    }
    const ScratchSlots::Lease lease(slots);
    float* scratch = reinterpret_cast<float*>(context.scratch().data()) + lease.index() * 2 * p.inner;
    for (size_t i = begin; i < end; ++i) {
      loops.softmax_columns(x + i * size, y + i * size, p.middle, p.inner, kLog, scratch);
    }
  });
  return ok();
}

// Normalization of the last dimensions

bool norm_applies(const KernelQuery& query) {
  if (!has_elements(query)) return false;
  const std::vector<int64_t> dims = dims_of(query.inputs[0]);
  const size_t axis = normalized(query.node.attributes.integer("axis", -1), dims.size());
  const size_t n = extent(std::span(dims).subspan(axis));
  for (size_t i = 1; i < query.inputs.size(); ++i) {
    if (query.has_input(i) && extent(dims_of(query.inputs[i])) != n) return false;
  }
  return query.has_input(1);
}

Status layer_norm(const RunContext& context) {
  const RowKernels& loops = *table_of(context).rows;
  const TensorView& input = context.input(0);
  const Attributes& attributes = context.attributes();
  const size_t axis = normalized(attributes.integer("axis", -1), input.rank());
  const Parts p = split_at(input.shape, axis, input.rank());
  const auto output = [&](size_t i) -> float* {
    return i < context.output_count() && context.output(i).present() ? floats(context.output(i))
                                                                     : nullptr;
  };
  const float epsilon = attributes.real("epsilon", 1e-5f);
  const Workers workers = workers_of(context);
  workers.run(p.outer, workers.grain(p.outer, least_rows(p.middle)), [&](size_t begin, size_t end) {
    RowKernels::LayerNorm args = {};
    args.x = floats(input) + begin * p.middle;
    args.scale = floats(context.input(1));
    args.shift = floats_or_null(context, 2);
    args.epsilon = epsilon;
    args.y = floats(context.output(0)) + begin * p.middle;
    args.mean = output(1) ? output(1) + begin : nullptr;
    args.inverse_deviation = output(2) ? output(2) + begin : nullptr;
    loops.layer_norm(args, end - begin, p.middle);
  });
  return ok();
}

Status rms_norm(const RunContext& context) {
  const RowKernels& loops = *table_of(context).rows;
  const TensorView& input = context.input(0);
  const size_t axis = normalized(context.attributes().integer("axis", -1), input.rank());
  const Parts p = split_at(input.shape, axis, input.rank());
  const float epsilon = context.attributes().real("epsilon", 1e-5f);
  const Workers workers = workers_of(context);
  workers.run(p.outer, workers.grain(p.outer, least_rows(p.middle)), [&](size_t begin, size_t end) {
    loops.rms_norm(floats(input) + begin * p.middle, floats(context.input(1)), epsilon,
                   floats(context.output(0)) + begin * p.middle, end - begin, p.middle);
  });
  return ok();
}

// Reductions over dimensions that lie side by side

struct PreparedReduction {
  const KernelTable* table = nullptr;
  size_t begin = 0, end = 0;  // the dimensions
};

// The reduced dimensions [begin, end), if they are known and lie side by side.
std::optional<std::pair<size_t, size_t>> reduced(const KernelQuery& query) {
  const size_t rank = query.inputs[0].dims.size();
  std::vector<int64_t> axes;
  if (query.inputs.size() > 1 && query.has_input(1)) {
    if (query.constants[1] == nullptr) return std::nullopt;
    axes = query.constants[1]->to_ints().value_or(std::vector<int64_t>());
  }
  if (axes.empty()) {
    if (query.node.attributes.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
    return std::pair<size_t, size_t>(0, rank);
  }
  std::vector<size_t> sorted;
  for (const int64_t axis : axes) sorted.push_back(normalized(axis, rank));
  std::ranges::sort(sorted);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] != sorted[i - 1] + 1) return std::nullopt;
  }
  if (sorted.back() >= rank) return std::nullopt;
  return std::pair<size_t, size_t>(sorted.front(), sorted.back() + 1);
}

bool reduce_applies(const KernelQuery& query) {
  return query.has_input(0) && query.inputs[0].dtype == DType::kF32 &&
         query.outputs[0].dtype == DType::kF32 && extent(dims_of(query.inputs[0])) > 0 &&
         reduced(query).has_value();
}

Result<std::shared_ptr<const void>> reduce_prepare(const KernelQuery& query) {
  auto prepared = std::make_shared<PreparedReduction>();
  prepared->table = &kernels(query.isa);
  const auto range = *reduced(query);
  prepared->begin = range.first;
  prepared->end = range.second;
  return std::shared_ptr<const void>(std::move(prepared));
}

template <Reduction kOp>
Status reduce(const RunContext& context) {
  const auto& prepared = *static_cast<const PreparedReduction*>(context.prepared());
  const RowKernels& loops = *prepared.table->rows;
  const Parts p = split_at(context.input(0).shape, prepared.begin, prepared.end);
  const float* x = floats(context.input(0));
  float* y = floats(context.output(0));
  const size_t size = p.middle * p.inner;
  const Workers workers = workers_of(context);
  workers.run(p.outer, workers.grain(p.outer, least_rows(size)), [&](size_t begin, size_t end) {
    if (p.inner == 1) return loops.reduce_rows(kOp, x + begin * size, y + begin, end - begin, size);
    for (size_t i = begin; i < end; ++i) {
      loops.reduce_columns(kOp, x + i * size, y + i * p.inner, p.middle, p.inner);
    }
  });
  return ok();
}

constexpr FastKernel row_kernel(std::string_view name, bool (*applies)(const KernelQuery&),
                                Status (*run)(const RunContext&),
                                size_t (*scratch)(const KernelQuery&) = nullptr) {
  return {.name = name,
          .applies = applies,
          .prepare = prepare_table,
          .pack_key = key_of_isa,
          .scratch_bytes = scratch,
          .run = run};
}

constexpr FastKernel reduction(std::string_view name, Status (*run)(const RunContext&)) {
  return {.name = name,
          .applies = reduce_applies,
          .prepare = reduce_prepare,
          .pack_key = key_of_isa,
          .run = run};
}

constexpr FastKernel kSoftmax[] = {
    row_kernel("softmax/vector", has_elements, softmax<false>, softmax_scratch)};
constexpr FastKernel kLogSoftmax[] = {
    row_kernel("log_softmax/vector", has_elements, softmax<true>, softmax_scratch)};
constexpr FastKernel kLayerNorm[] = {
    row_kernel("layer_normalization/vector", norm_applies, layer_norm)};
constexpr FastKernel kRmsNorm[] = {row_kernel("rms_normalization/vector", norm_applies, rms_norm)};
constexpr FastKernel kMean[] = {reduction("reduce_mean/vector", reduce<Reduction::kMean>)};
constexpr FastKernel kSum[] = {reduction("reduce_sum/vector", reduce<Reduction::kSum>)};
constexpr FastKernel kMax[] = {reduction("reduce_max/vector", reduce<Reduction::kMax>)};
constexpr FastKernel kMin[] = {reduction("reduce_min/vector", reduce<Reduction::kMin>)};
constexpr FastKernel kSumSquare[] = {
    reduction("reduce_sum_square/vector", reduce<Reduction::kSumSquare>)};

}  // namespace

extern constinit const std::span<const FastKernel> fast_softmax = kSoftmax;
extern constinit const std::span<const FastKernel> fast_log_softmax = kLogSoftmax;
extern constinit const std::span<const FastKernel> fast_layer_normalization = kLayerNorm;
extern constinit const std::span<const FastKernel> fast_rms_normalization = kRmsNorm;
extern constinit const std::span<const FastKernel> fast_reduce_mean = kMean;
extern constinit const std::span<const FastKernel> fast_reduce_sum = kSum;
extern constinit const std::span<const FastKernel> fast_reduce_max = kMax;
extern constinit const std::span<const FastKernel> fast_reduce_min = kMin;
extern constinit const std::span<const FastKernel> fast_reduce_sum_square = kSumSquare;

}  // namespace lanthorn
