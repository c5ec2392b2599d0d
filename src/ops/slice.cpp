// Slice: https://onnx.ai/onnx/operators/onnx__Slice.html
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

struct Range {
  int64_t first = 0, count = 0;
};

// Which elements of a known dimension a slice takes; all numbers as the operator's text clamps
// them.
Range range_in(int64_t size, int64_t start, int64_t end, int64_t step) {
  // Adding the size to the smallest integer cannot overflow, and any larger number needs no wrap.
  start = start < 0 ? start + size : start;
  end = end < 0 ? end + size : end;
  Range range;
  if (step > 0) {
    range.first = std::clamp<int64_t>(start, 0, size);
    const int64_t last = std::clamp<int64_t>(end, 0, size);
    if (last > range.first) range.count = (last - range.first - 1) / step + 1;
  } else {
    range.first = std::clamp<int64_t>(start, -1, size - 1);
    const int64_t last = std::clamp<int64_t>(end, -1, size - 1);
    // The magnitude of the smallest integer does not fit, but one step of it leaves any array.
    const int64_t back = step == INT64_MIN ? INT64_MAX : -step;
    if (last < range.first) range.count = (range.first - last - 1) / back + 1;
  }
  return range;
}

bool is_far(const Dim& end, bool up) {
  return end.is_known() && (up ? end.value() >= INT32_MAX : end.value() <= -INT32_MAX);
}

// A bound of a slice forward as a place in [0, size], or nothing if its sign is not known.
std::optional<Dim> place_of(const Dim& bound, const Dim& size, bool clamp_high) {
  const DimRange range = range_of(bound);
  if (range.low && *range.low >= 0) return clamp_high ? min(bound, size) : bound;
  if (range.high && *range.high < 0) return max(size + bound, 0);
  return std::nullopt;
}

Dim sliced(const Dim& size, const Dim& start, const Dim& end, const Dim& step) {
  if (!step.is_known()) return Dim::unknown();
  if (size.is_known() && start.is_known() && end.is_known()) {
    return range_in(size.value(), start.value(), end.value(), step.value()).count;
  }
  if (step.value() < 0) {
    const bool from_the_end = start.is(-1) || is_far(start, true);
    if (!from_the_end || !is_far(end, false) || step.value() == INT64_MIN) return Dim::unknown();
    return ceil_div(size, -step.value());
  }
  // A start beyond the end needs no clamp from above: the difference is negative and becomes 0.
  const std::optional<Dim> first = place_of(start, size, false), last = place_of(end, size, true);
  if (!first || !last) return Dim::unknown();
  if (*last == size && step.is(1) && start.is_known() && start.value() < 0 &&
      start.value() > INT64_MIN) {
    return min(size, -start.value());
  }
  return max(ceil_div(*last - *first, step), 0);
}

Status infer(InferContext& context) {
  Dims dims = context.dims(0);
  std::optional<Dims> starts = context.elements(1), ends = context.elements(2);
  const std::optional<std::vector<int64_t>> given =
      context.has_input(3) ? known_ints(context, 3) : std::optional(std::vector<int64_t>{});
  if (!given) {
    context.set_output(0, context.dtype(0), unknown_dims(dims.size()));
    return ok();
  }
  std::vector<int64_t> axes = *given;
  const Dim length = context.dims(1).empty() ? Dim(1) : context.dims(1)[0];
  if (!context.has_input(3)) {
    const std::optional<int64_t> count = length.known();
    if (!count) {
      context.set_output(0, context.dtype(0), unknown_dims(dims.size()));
      return ok();
    }
    for (int64_t i = 0; i < std::min(*count, context.rank(0) + 1); ++i) axes.push_back(i);
  }
  LAN_TRY([[maybe_unused]] const auto sorted, normal_axes(axes, context.rank(0)));
  if (!starts) starts = unknown_dims(axes.size());
  if (!ends) ends = unknown_dims(axes.size());
  std::optional<Dims> steps = context.has_input(4) ? context.elements(4) : Dims(axes.size(), 1);
  if (!steps) steps = unknown_dims(axes.size());
  if (starts->size() != axes.size() || ends->size() != axes.size() ||
      steps->size() != axes.size()) {
    return refused("starts, ends, axes and steps are not equally many");
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    if ((*steps)[i].is(0)) return refused("a step is 0");
    Dim& dim = dims[static_cast<size_t>(axes[i] < 0 ? axes[i] + context.rank(0) : axes[i])];
    dim = sliced(dim, (*starts)[i], (*ends)[i], (*steps)[i]);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  const std::optional<Dims> elements = context.elements(0);
  if (!elements || context.rank(0) != 1 || axes.size() != 1) return ok();
  const Dim &start = (*starts)[0], &end = (*ends)[0], &step = (*steps)[0];
  if (!start.is_known() || !end.is_known() || !step.is_known()) return ok();
  const Range range =
      range_in(static_cast<int64_t>(elements->size()), start.value(), end.value(), step.value());
  Dims taken;
  for (int64_t i = 0; i < range.count; ++i)
    taken.push_back((*elements)[static_cast<size_t>(range.first + i * step.value())]);
  context.set_elements(0, std::move(taken));
  return ok();
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const std::vector<int64_t> starts = wide_copy<int64_t>(context.input(1)),
                             ends = wide_copy<int64_t>(context.input(2));
  const std::vector<int64_t> axes =
      context.has_input(3) ? wide_copy<int64_t>(context.input(3)) : std::vector<int64_t>{};
  const std::vector<int64_t> steps =
      context.has_input(4) ? wide_copy<int64_t>(context.input(4)) : std::vector<int64_t>{};
  Shape strides = contiguous_strides(from.shape);
  int64_t first = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t given = axes.empty() ? static_cast<int64_t>(i) : axes[i];
    const auto axis =
        static_cast<size_t>(given < 0 ? given + static_cast<int64_t>(from.rank()) : given);
    const int64_t step = steps.empty() ? 1 : steps[i];
    const Range range = range_in(from.shape[axis], starts[i], ends[i], step);
    first += range.count > 0 ? range.first * strides[axis] : 0;
    // With one element the step is never taken, and it may be too large to multiply.
    strides[axis] *= range.count > 1 ? step : 1;
  }
  if (to.count() > 0) {
    copy_strided(from.dtype, to.shape, element_at(from.dtype, from.data, first), strides, to.data,
                 contiguous_strides(to.shape));
  }
  return ok();
}

constexpr uint64_t kIndexTypes = type_bit(DType::kI32) | type_bit(DType::kI64);

}  // namespace

extern constinit const OpDef op_slice = {.name = "Slice",
                                         .since = 13,
                                         .inputs = {{"data"},
                                                    {"starts", kIndexTypes},
                                                    {"ends", kIndexTypes},
                                                    {"axes", kIndexTypes, true},
                                                    {"steps", kIndexTypes, true}},
                                         .outputs = {{"output"}},
                                         .infer = infer,
                                         .reference = reference};

}  // namespace lanthorn
