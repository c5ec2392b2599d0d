// Comparisons with broadcasting, and the choice by one: https://onnx.ai/onnx/operators/
// OPS: equal greater greater_or_equal less less_or_equal where
#include <string>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

constexpr uint64_t kEqualTypes = kNumbers | kBoolType | kStringType;

// What is known of a comparison for all sizes of the symbols, from the range of a - b.
using DimComparison = std::optional<Dim> (*)(const DimRange&);

std::optional<Dim> is_equal(const DimRange& difference) {
  if (difference.low && difference.high && *difference.low == 0 && *difference.high == 0) return 1;
  if ((difference.low && *difference.low > 0) || (difference.high && *difference.high < 0))
    return 0;
  return std::nullopt;
}
std::optional<Dim> is_less(const DimRange& difference) {
  if (difference.high && *difference.high < 0) return 1;
  if (difference.low && *difference.low >= 0) return 0;
  return std::nullopt;
}
std::optional<Dim> is_greater(const DimRange& difference) {
  if (difference.low && *difference.low > 0) return 1;
  if (difference.high && *difference.high <= 0) return 0;
  return std::nullopt;
}
std::optional<Dim> is_less_or_equal(const DimRange& difference) {
  const std::optional<Dim> opposite = is_greater(difference);
  return opposite ? std::optional<Dim>(1 - *opposite) : std::nullopt;
}
std::optional<Dim> is_greater_or_equal(const DimRange& difference) {
  const std::optional<Dim> opposite = is_less(difference);
  return opposite ? std::optional<Dim>(1 - *opposite) : std::nullopt;
}

template <DimComparison compare>
Status infer(InferContext& context) {
  LAN_OK(infer_comparison(context));
  const size_t inputs[] = {0, 1};
  auto one = [](std::span<const Dim> args) { return compare(range_of(args[0] - args[1])); };
  if (std::optional<Dims> elements = broadcast_elements(context, inputs, one)) {
    context.set_elements(0, *std::move(elements));
  }
  return ok();
}

Status run_equal_strings(const RunContext& context) {
  const std::array shapes{context.input(0).shape, context.input(1).shape};
  const auto a = context.input(0).as<std::string>(), b = context.input(1).as<std::string>();
  const auto out = context.output(0).as<uint8_t>();
  for (BroadcastWalk walk(context.output(0).shape, shapes); !walk.done(); walk.next()) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      out[static_cast<size_t>(walk.at() + i)] =
          a[static_cast<size_t>(walk.at(0) + i * walk.step(0))] ==
          b[static_cast<size_t>(walk.at(1) + i * walk.step(1))];
    }
  }
  return ok();
}

Status run_equal(const RunContext& context) {
  if (context.input(0).dtype == DType::kString) return run_equal_strings(context);
  return map_numbers<2>(context, [](auto a, auto b) { return a == b; });
}
Status run_less(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return a < b; });
}
Status run_less_or_equal(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return a <= b; });
}
Status run_greater(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return a > b; });
}
Status run_greater_or_equal(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return a >= b; });
}

Status infer_where(InferContext& context) {
  LAN_OK(require_same_dtype(context, 1, 3));
  LAN_TRY(Dims dims, broadcast_inputs(context, 0, 3));
  context.set_output(0, context.dtype(1), std::move(dims));
  const size_t inputs[] = {0, 1, 2};
  auto choose = [](std::span<const Dim> args) -> std::optional<Dim> {
    if (args[1] == args[2]) return args[1];
    if (!args[0].is_known()) return std::nullopt;
    return args[0].is(0) ? args[2] : args[1];
  };
  if (std::optional<Dims> elements = broadcast_elements(context, inputs, choose)) {
    context.set_elements(0, *std::move(elements));
  }
  return ok();
}

Status run_where(const RunContext& context) {
  const std::array shapes{context.input(0).shape, context.input(1).shape, context.input(2).shape};
  const auto* condition = static_cast<const uint8_t*>(context.input(0).data);
  const DType dtype = context.output(0).dtype;
  for (BroadcastWalk walk(context.output(0).shape, shapes); !walk.done(); walk.next()) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      const size_t chosen = condition[walk.at(0) + i * walk.step(0)] != 0 ? 1 : 2;
      copy_elements(
          dtype,
          element_at(dtype, context.input(chosen).data, walk.at(chosen) + i * walk.step(chosen)),
          element_at(dtype, context.output(0).data, walk.at() + i), 1);
    }
  }
  return ok();
}

consteval OpDef comparison(std::string_view name, int since, uint64_t types,
                           Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = since,
          .inputs = {{"A", types}, {"B", types}},
          .outputs = {{"C"}},
          .infer = rule,
          .reference = run};
}

}  // namespace

extern constinit const OpDef op_equal =
    comparison("Equal", 19, kEqualTypes, infer<is_equal>, run_equal);
extern constinit const OpDef op_less = comparison("Less", 13, kNumbers, infer<is_less>, run_less);
extern constinit const OpDef op_less_or_equal =
    comparison("LessOrEqual", 16, kNumbers, infer<is_less_or_equal>, run_less_or_equal);
extern constinit const OpDef op_greater =
    comparison("Greater", 13, kNumbers, infer<is_greater>, run_greater);
extern constinit const OpDef op_greater_or_equal =
    comparison("GreaterOrEqual", 16, kNumbers, infer<is_greater_or_equal>, run_greater_or_equal);
extern constinit const OpDef op_where = {.name = "Where",
                                         .since = 16,
                                         .inputs = {{"condition", kBoolType}, {"X"}, {"Y"}},
                                         .outputs = {{"output"}},
                                         .infer = infer_where,
                                         .reference = run_where};

}  // namespace lanthorn
