// Running sums and products along an axis: https://onnx.ai/onnx/operators/onnx__CumSum.html
// OPS: cum_prod cum_sum
#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  if (!product(context.dims(1)).is(1) && all_known(context.dims(1)))
    return refused("the axis must be one number");
  if (const std::optional<std::vector<int64_t>> axis = known_ints(context, 1)) {
    LAN_TRY([[maybe_unused]] const int64_t normal, normal_axis((*axis)[0], context.rank(0)));
  }
  context.set_output(0, context.input(0));
  return ok();
}

template <class W, class F>
Status accumulate(const RunContext& context, W start, F function) {
  int64_t given = 0;
  load_wide(context.input(1), 0, 1, &given, 1);
  LAN_TRY(const int64_t axis, normal_axis(given, static_cast<int64_t>(context.input(0).rank())));
  const bool exclusive = context.attributes().integer("exclusive", 0) != 0;
  const bool reverse = context.attributes().integer("reverse", 0) != 0;
  const AxisView view = view_axis(context.input(0).shape, axis);
  if (context.input(0).count() == 0) return ok();
  std::vector<W> values = wide_copy<W>(context.input(0));
  for (int64_t i = 0; i < view.outer * view.inner; ++i) {
    W* first = values.data() + i / view.inner * view.size * view.inner + i % view.inner;
    W all = start;
    for (int64_t step = 0; step < view.size; ++step) {
      W& at = first[(reverse ? view.size - 1 - step : step) * view.inner];
      const W before = all;
      all = function(all, at);
      at = exclusive ? before : all;
    }
  }
  store_wide(values.data(), context.output(0), 0, values.size());
  return ok();
}

Status run_sum(const RunContext& context) {
  if (is_floating(context.input(0).dtype))
    return accumulate<double>(context, 0, wrapping_add<double>);
  return accumulate<int64_t>(context, 0, wrapping_add<int64_t>);
}

Status run_prod(const RunContext& context) {
  if (is_floating(context.input(0).dtype))
    return accumulate<double>(context, 1, wrapping_mul<double>);
  return accumulate<int64_t>(context, 1, wrapping_mul<int64_t>);
}

constexpr uint64_t kAxisTypes = type_bit(DType::kI32) | type_bit(DType::kI64);

}  // namespace

extern constinit const OpDef op_cum_prod = {.name = "CumProd",
                                            .since = 26,
                                            .inputs = {{"x", kNumbers}, {"axis", kAxisTypes}},
                                            .outputs = {{"y"}},
                                            .accuracy = Accuracy::kSummed,
                                            .infer = infer,
                                            .reference = run_prod};
extern constinit const OpDef op_cum_sum = {.name = "CumSum",
                                           .since = 14,
                                           .inputs = {{"x", kNumbers}, {"axis", kAxisTypes}},
                                           .outputs = {{"y"}},
                                           .accuracy = Accuracy::kSummed,
                                           .infer = infer,
                                           .reference = run_sum};

}  // namespace lanthorn
