// Reductions over axes: https://onnx.ai/onnx/operators/onnx__ReduceSum.html and its kin
// OPS: reduce_l1 reduce_l2 reduce_log_sum reduce_log_sum_exp reduce_max
// OPS: reduce_mean reduce_min reduce_prod reduce_sum reduce_sum_square
#include <cmath>
#include <limits>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kWideNumbers = kFloats | type_bit(DType::kI32) | type_bit(DType::kI64) |
                                  type_bit(DType::kU32) | type_bit(DType::kU64);
// Integers of every width: the text lists fewer, but older opsets and exporters write them.
constexpr uint64_t kOrdered = kNumbers | kBoolType;

// Sorted; nothing if the axes are not known. Attribute form is raised to an input on import.
Result<std::optional<std::vector<int64_t>>> reduced_axes(const InferContext& context) {
  using Axes = std::optional<std::vector<int64_t>>;
  std::optional<std::vector<int64_t>> axes = std::vector<int64_t>{};
  if (context.has_input(1)) axes = known_ints(context, 1);
  if (!axes) return Axes(std::nullopt);
  if (axes->empty() && context.has_input(1) && !context.dims(1).empty() &&
      !context.dims(1)[0].is_known()) {
    return Axes(std::nullopt);
  }
  if (axes->empty() && context.attributes().integer("noop_with_empty_axes", 0) != 0) return axes;
  if (axes->empty()) {
    for (int64_t i = 0; i < context.rank(0); ++i) axes->push_back(i);
    return axes;
  }
  LAN_TRY(axes, normal_axes(*axes, context.rank(0)));
  return axes;
}

Status infer(InferContext& context) {
  const bool keep = context.attributes().integer("keepdims", 1) != 0;
  LAN_TRY(const std::optional<std::vector<int64_t>> axes, reduced_axes(context));
  if (!axes) {
    if (keep) {
      context.set_output(0, context.dtype(0), unknown_dims(context.dims(0).size()));
    } else {
      context.set_output(0, ValueType::unranked(context.dtype(0)));
    }
    return ok();
  }
  Dims dims;
  for (int64_t i = 0; i < context.rank(0); ++i) {
    const bool reduced = std::binary_search(axes->begin(), axes->end(), i);
    if (!reduced) dims.push_back(context.dims(0)[static_cast<size_t>(i)]);
    if (reduced && keep) dims.push_back(1);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

using Fold = Dim (*)(const Dim&, const Dim&);

// Elements of a vector, or of nothing, folded to one.
template <Fold fold>
Status infer_folding(InferContext& context) {
  LAN_OK(infer(context));
  const std::optional<Dims> elements = context.elements(0);
  if (!elements || elements->empty() || context.rank(0) > 1 || !context.outputs[0].ranked)
    return ok();
  if (context.rank(0) == 1 && !product(context.outputs[0].dims).is(1)) return ok();
  Dim all = (*elements)[0];
  for (size_t i = 1; i < elements->size(); ++i) all = fold(all, (*elements)[i]);
  context.set_elements(0, {all});
  return ok();
}

Dim dim_add(const Dim& a, const Dim& b) { return a + b; }
Dim dim_mul(const Dim& a, const Dim& b) { return a * b; }

// The axes that stay, then those that go, as strides into the input.
struct Plan {
  Shape kept, reduced, kept_strides, reduced_strides;
  int64_t count = 1;  // elements folded into one
};

Plan plan_of(const RunContext& context) {
  const std::span<const int64_t> shape = context.input(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  std::vector<bool> goes(shape.size(), false);
  const bool has_axes = context.has_input(1) && context.input(1).count() > 0;
  if (has_axes) {
    for (const int64_t axis : wide_copy<int64_t>(context.input(1)))
      goes[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  } else if (context.attributes().integer("noop_with_empty_axes", 0) == 0) {
    goes.assign(shape.size(), true);
  }
  const Shape strides = contiguous_strides(shape);
  Plan plan;
  for (size_t i = 0; i < shape.size(); ++i) {
    (goes[i] ? plan.reduced : plan.kept).push_back(shape[i]);
    (goes[i] ? plan.reduced_strides : plan.kept_strides).push_back(strides[i]);
    if (goes[i]) plan.count *= shape[i];
  }
  return plan;
}

int64_t offset_of(std::span<const int64_t> index, std::span<const int64_t> strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

// What a reduction does: start, add one element, finish with the number of elements.
template <class W, class Reducer>
Status reduce(const RunContext& context, Reducer reducer) {
  const Plan plan = plan_of(context);
  const std::vector<W> values = wide_copy<W>(context.input(0));
  std::vector<int64_t> kept(plan.kept.size(), 0), reduced(plan.reduced.size(), 0);
  const int64_t outputs = context.output(0).count();
  std::vector<int64_t> offsets;  // of the elements that are folded, relative to the first
  for (bool more = plan.count > 0; more; more = next_index(plan.reduced, reduced)) {
    offsets.push_back(offset_of(reduced, plan.reduced_strides));
  }
  for (int64_t i = 0; i < outputs; ++i) {
    const int64_t first = offset_of(kept, plan.kept_strides);
    const W result = reducer(values, first, offsets);
    store_wide(&result, context.output(0), i, 1);
    next_index(plan.kept, kept);
  }
  return ok();
}

template <class Reducer>
Status reduce_numbers(const RunContext& context, Reducer reducer) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return reduce<double>(context, reducer);
    case WideKind::kSigned:
      return reduce<int64_t>(context, reducer);
    case WideKind::kUnsigned:
      return reduce<uint64_t>(context, reducer);
  }
  return ok();
}

template <class W, class F>
W folded(const std::vector<W>& values, int64_t first, const std::vector<int64_t>& offsets, W start,
         F function) {
  for (const int64_t offset : offsets)
    start = function(start, values[static_cast<size_t>(first + offset)]);
  return start;
}

template <class W>
W magnitude(W x) {
  if constexpr (std::is_same_v<W, double>) return std::fabs(x);
  return x < 0 ? wrapping_sub(W{0}, x) : x;
}

Status run_sum(const RunContext& context) {
  return reduce_numbers(
      context, []<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return folded(values, first, offsets, W{0}, wrapping_add<W>);
      });
}

Status run_prod(const RunContext& context) {
  return reduce_numbers(
      context, []<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return folded(values, first, offsets, W{1}, wrapping_mul<W>);
      });
}

Status run_l1(const RunContext& context) {
  return reduce_numbers(
      context, []<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return folded(values, first, offsets, W{0},
                      [](W sum, W x) { return wrapping_add(sum, magnitude(x)); });
      });
}

template <class W>
W sum_of_squares(const std::vector<W>& values, int64_t first, const std::vector<int64_t>& offsets) {
  return folded(values, first, offsets, W{0},
                [](W sum, W x) { return wrapping_add(sum, wrapping_mul(x, x)); });
}

Status run_sum_square(const RunContext& context) {
  return reduce_numbers(
      context, []<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return sum_of_squares(values, first, offsets);
      });
}

Status run_l2(const RunContext& context) {
  return reduce<double>(context, [](const auto& values, int64_t first, const auto& offsets) {
    return std::sqrt(sum_of_squares(values, first, offsets));
  });
}

Status run_mean(const RunContext& context) {
  return reduce_numbers(
      context, []<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        const W sum = folded(values, first, offsets, W{0}, wrapping_add<W>);
        if constexpr (std::is_same_v<W, double>) return sum / static_cast<W>(offsets.size());
        return offsets.empty() ? W{0} : static_cast<W>(sum / static_cast<W>(offsets.size()));
      });
}

Status run_log_sum(const RunContext& context) {
  return reduce<double>(context, [](const auto& values, int64_t first, const auto& offsets) {
    return std::log(folded(values, first, offsets, 0.0, wrapping_add<double>));
  });
}

// Relative to the largest, so that no exponential overflows.
Status run_log_sum_exp(const RunContext& context) {
  return reduce<double>(context, [](const auto& values, int64_t first, const auto& offsets) {
    constexpr double kLowest = -std::numeric_limits<double>::infinity();
    const double largest =
        folded(values, first, offsets, kLowest, [](double a, double b) { return a >= b ? a : b; });
    if (std::isinf(largest)) return largest;
    const double sum = folded(values, first, offsets, 0.0,
                              [=](double all, double x) { return all + std::exp(x - largest); });
    return largest + std::log(sum);
  });
}

// The start of a maximum or minimum: what an empty set gives for this type.
template <class W>
W extreme_of(DType dtype, bool lowest) {
  if constexpr (std::is_same_v<W, double>) {
    return lowest ? -std::numeric_limits<double>::infinity()
                  : std::numeric_limits<double>::infinity();
  } else {
    if (dtype == DType::kBool) return lowest ? 0 : 1;
    const auto bits = static_cast<unsigned>(dtype_bytes(dtype) * 8);
    const bool has_sign = (type_bit(dtype) & kSignedInts) != 0;
    const uint64_t all = bits == 64 ? UINT64_MAX : (uint64_t{1} << bits) - 1;
    if (!has_sign) return lowest ? W{0} : static_cast<W>(all);
    const auto high = static_cast<int64_t>(all >> 1);
    return static_cast<W>(lowest ? -high - 1 : high);
  }
}

template <class W>
bool is_nan(W x) {
  if constexpr (std::is_same_v<W, double>) return std::isnan(x);
  return false;
}

Status run_max(const RunContext& context) {
  const DType dtype = context.input(0).dtype;
  return reduce_numbers(
      context, [dtype]<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return folded(values, first, offsets, extreme_of<W>(dtype, true),
                      [](W a, W b) { return is_nan(a) || a >= b ? a : b; });
      });
}

Status run_min(const RunContext& context) {
  const DType dtype = context.input(0).dtype;
  return reduce_numbers(
      context, [dtype]<class W>(const std::vector<W>& values, int64_t first, const auto& offsets) {
        return folded(values, first, offsets, extreme_of<W>(dtype, false),
                      [](W a, W b) { return is_nan(a) || a <= b ? a : b; });
      });
}

consteval OpDef reduction(std::string_view name, int since, uint64_t types, Accuracy accuracy,
                          Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = since,
          .inputs = {{"data", types}, {"axes", kI64Type, true}},
          .outputs = {{"reduced"}},
          .accuracy = accuracy,
          .infer = rule,
          .reference = run};
}

}  // namespace

using enum Accuracy;
extern constinit const OpDef op_reduce_l1 =
    reduction("ReduceL1", 18, kWideNumbers, kSummed, infer, run_l1);
extern constinit const OpDef op_reduce_l2 =
    reduction("ReduceL2", 18, kWideNumbers, kSummed, infer, run_l2);
extern constinit const OpDef op_reduce_log_sum =
    reduction("ReduceLogSum", 28, kWideNumbers, kSummed, infer, run_log_sum);
extern constinit const OpDef op_reduce_log_sum_exp =
    reduction("ReduceLogSumExp", 28, kWideNumbers, kSummed, infer, run_log_sum_exp);
extern constinit const OpDef op_reduce_max =
    reduction("ReduceMax", 20, kOrdered, kExact, infer_folding<max>, run_max);
extern constinit const OpDef op_reduce_mean =
    reduction("ReduceMean", 18, kWideNumbers, kSummed, infer, run_mean);
extern constinit const OpDef op_reduce_min =
    reduction("ReduceMin", 20, kOrdered, kExact, infer_folding<min>, run_min);
extern constinit const OpDef op_reduce_prod =
    reduction("ReduceProd", 18, kWideNumbers, kSummed, infer_folding<dim_mul>, run_prod);
extern constinit const OpDef op_reduce_sum =
    reduction("ReduceSum", 13, kWideNumbers, kSummed, infer_folding<dim_add>, run_sum);
extern constinit const OpDef op_reduce_sum_square =
    reduction("ReduceSumSquare", 18, kWideNumbers, kSummed, infer, run_sum_square);

}  // namespace lanthorn
