// Clip: https://onnx.ai/onnx/operators/onnx__Clip.html
#include <limits>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  for (size_t i = 1; i < context.input_count(); ++i) {
    // Exporters write bounds of shape [1] too, which all runtimes take.
    if (context.has_input(i) && context.rank(i) > 0 && !product(context.dims(i)).is(1)) {
      return refused("a bound has the shape " + dims_text(context.dims(i)) +
                     ", but it must be one number");
    }
  }
  context.set_output(0, context.input(0));
  std::optional<Dims> elements = context.elements(0);
  if (!elements) return ok();
  for (size_t i = 1; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const std::optional<Dims> bound = context.elements(i);
    if (!bound) return ok();
    for (Dim& element : *elements)
      element = i == 1 ? max(element, (*bound)[0]) : min(element, (*bound)[0]);
  }
  context.set_elements(0, *std::move(elements));
  return ok();
}

template <class W>
Status clip(const RunContext& context) {
  const bool has_low = context.has_input(1), has_high = context.has_input(2);
  W low{}, high{};
  if (has_low) load_wide(context.input(1), 0, 1, &low, 1);
  if (has_high) load_wide(context.input(2), 0, 1, &high, 1);
  // Where the bounds cross, the upper one wins; NaN stays.
  return map_wide<W, 1>(context, [=](W x) {
    if (has_low && x < low) x = low;
    return has_high && x > high ? high : x;
  });
}

Status reference(const RunContext& context) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return clip<double>(context);
    case WideKind::kSigned:
      return clip<int64_t>(context);
    case WideKind::kUnsigned:
      return clip<uint64_t>(context);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_clip = {
    .name = "Clip",
    .since = 13,
    .inputs = {{"input", kNumbers}, {"min", kNumbers, true}, {"max", kNumbers, true}},
    .outputs = {{"output"}},
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
