// Operators of one or more numbers with broadcasting: https://onnx.ai/onnx/operators/
// OPS: max mean min sum
#include <cmath>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

using DimFunction = Dim (*)(const Dim&, const Dim&);

template <DimFunction function>
Status infer(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  std::vector<size_t> inputs(context.input_count());
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = i;
  auto fold = [](std::span<const Dim> args) {
    Dim all = args[0];
    for (const Dim& arg : args.subspan(1)) all = function(all, arg);
    return std::optional(all);
  };
  if (std::optional<Dims> elements = broadcast_elements(context, inputs, fold)) {
    context.set_elements(0, *std::move(elements));
  }
  return ok();
}

// Folds all inputs of a block before it is stored, so that a sum is rounded once.
template <class W, class F>
Status fold(const RunContext& context, F function, bool mean) {
  std::vector<std::span<const int64_t>> shapes;
  for (size_t k = 0; k < context.input_count(); ++k) shapes.push_back(context.input(k).shape);
  std::array<W, kWideBlock> all, one;
  for (BroadcastWalk walk(context.output(0).shape, shapes); !walk.done(); walk.next()) {
    for (int64_t done = 0; done < walk.length(); done += static_cast<int64_t>(kWideBlock)) {
      const auto count = static_cast<size_t>(std::min<int64_t>(kWideBlock, walk.length() - done));
      for (size_t k = 0; k < shapes.size(); ++k) {
        std::array<W, kWideBlock>& block = k == 0 ? all : one;
        load_wide(context.input(k), walk.at(k) + done * walk.step(k), walk.step(k), block.data(),
                  count);
        for (size_t i = 0; k > 0 && i < count; ++i) all[i] = function(all[i], one[i]);
      }
      for (size_t i = 0; mean && i < count; ++i) all[i] /= static_cast<W>(shapes.size());
      store_wide(all.data(), context.output(0), walk.at() + done, count);
    }
  }
  return ok();
}

template <class F>
Status fold_numbers(const RunContext& context, F function) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return fold<double>(context, function, false);
    case WideKind::kSigned:
      return fold<int64_t>(context, function, false);
    case WideKind::kUnsigned:
      return fold<uint64_t>(context, function, false);
  }
  return ok();
}

template <class W>
bool is_nan(W x) {
  if constexpr (std::is_same_v<W, double>) return std::isnan(x);
  return false;
}

// NaN wins, as in NumPy and PyTorch.
Status run_max(const RunContext& context) {
  return fold_numbers(context, [](auto a, auto b) { return is_nan(a) || a >= b ? a : b; });
}
Status run_min(const RunContext& context) {
  return fold_numbers(context, [](auto a, auto b) { return is_nan(a) || a <= b ? a : b; });
}
Status run_sum(const RunContext& context) {
  return fold<double>(
      context, [](double a, double b) { return a + b; }, false);
}
Status run_mean(const RunContext& context) {
  return fold<double>(
      context, [](double a, double b) { return a + b; }, true);
}

consteval OpDef variadic(std::string_view name, uint64_t types, Accuracy accuracy,
                         Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = 13,
          .inputs = {{"data_0", types, false, true}},
          .outputs = {{"result"}},
          .accuracy = accuracy,
          .infer = rule,
          .reference = run};
}

}  // namespace

extern constinit const OpDef op_max =
    variadic("Max", kNumbers, Accuracy::kExact, infer<max>, run_max);
extern constinit const OpDef op_min =
    variadic("Min", kNumbers, Accuracy::kExact, infer<min>, run_min);
extern constinit const OpDef op_sum =
    variadic("Sum", kFloats, Accuracy::kRounding, infer_broadcast, run_sum);
extern constinit const OpDef op_mean =
    variadic("Mean", kFloats, Accuracy::kRounding, infer_broadcast, run_mean);

}  // namespace lanthorn
