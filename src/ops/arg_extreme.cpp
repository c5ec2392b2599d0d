// Where the largest or smallest is: https://onnx.ai/onnx/operators/onnx__ArgMax.html
// OPS: arg_max arg_min
#include <cmath>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  Dims dims = context.dims(0);
  if (dims[static_cast<size_t>(axis)].is(0)) return refused("there is no largest of no elements");
  if (context.attributes().integer("keepdims", 1) != 0) {
    dims[static_cast<size_t>(axis)] = 1;
  } else {
    dims.erase(dims.begin() + axis);
  }
  context.set_output(0, DType::kI64, std::move(dims));
  return ok();
}

// True if `x` replaces `best`. NaN is more extreme than all numbers, as in NumPy and PyTorch.
template <class W>
bool replaces(W x, W best, bool largest, bool last) {
  if constexpr (std::is_same_v<W, double>) {
    if (std::isnan(best)) return last && std::isnan(x);
    if (std::isnan(x)) return true;
  }
  return (largest ? x > best : x < best) || (last && x == best);
}

template <class W>
Status find(const RunContext& context, bool largest) {
  const auto rank = static_cast<int64_t>(context.input(0).rank());
  LAN_TRY(const int64_t axis, normal_axis(context.attributes().integer("axis", 0), rank));
  const AxisView view = view_axis(context.input(0).shape, axis);
  const bool last = context.attributes().integer("select_last_index", 0) != 0;
  const std::vector<W> values = wide_copy<W>(context.input(0));
  const auto out = context.output(0).as<int64_t>();
  for (int64_t i = 0; i < view.outer * view.inner; ++i) {
    const int64_t first = i / view.inner * view.size * view.inner + i % view.inner;
    int64_t best = 0;
    for (int64_t k = 1; k < view.size; ++k) {
      const W x = values[static_cast<size_t>(first + k * view.inner)];
      if (replaces(x, values[static_cast<size_t>(first + best * view.inner)], largest, last))
        best = k;
    }
    out[static_cast<size_t>(i)] = best;
  }
  return ok();
}

template <bool largest>
Status reference(const RunContext& context) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return find<double>(context, largest);
    case WideKind::kSigned:
      return find<int64_t>(context, largest);
    case WideKind::kUnsigned:
      return find<uint64_t>(context, largest);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_arg_max = {.name = "ArgMax",
                                           .since = 13,
                                           .inputs = {{"data", kNumbers}},
                                           .outputs = {{"reduced"}},
                                           .infer = infer,
                                           .reference = reference<true>};
extern constinit const OpDef op_arg_min = {.name = "ArgMin",
                                           .since = 13,
                                           .inputs = {{"data", kNumbers}},
                                           .outputs = {{"reduced"}},
                                           .infer = infer,
                                           .reference = reference<false>};

}  // namespace lanthorn
