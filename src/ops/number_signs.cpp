// Operators of one number of any kind, and tests of one number: https://onnx.ai/onnx/operators/
// OPS: abs bitwise_not is_inf is_nan neg not sign
#include <cmath>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kTestedFloats = kFloats | type_bit(DType::kF8E4M3FN) |
                                   type_bit(DType::kF8E4M3FNUZ) | type_bit(DType::kF8E5M2) |
                                   type_bit(DType::kF8E5M2FNUZ);

Status infer_abs(InferContext& context) {
  LAN_OK(infer_same(context));
  propagate(context, [](const Dim& x) { return max(x, 0 - x); });
  return ok();
}

Status infer_neg(InferContext& context) {
  LAN_OK(infer_same(context));
  propagate(context, [](const Dim& x) { return 0 - x; });
  return ok();
}

Status infer_sign(InferContext& context) {
  LAN_OK(infer_same(context));
  propagate(context, [](const Dim& x) { return max(min(x, 1), -1); });
  return ok();
}

Status infer_not(InferContext& context) {
  LAN_OK(infer_same(context));
  propagate(context, [](const Dim& x) { return 1 - x; });
  return ok();
}

Status infer_bitwise_not(InferContext& context) {
  context.set_output(0, context.input(0));
  return ok();
}

Status infer_test(InferContext& context) {
  context.set_output(0, DType::kBool, context.dims(0));
  return ok();
}

Status run_abs(const RunContext& context) {
  return map_numbers<1>(context, [](auto x) {
    using W = decltype(x);
    if constexpr (std::is_same_v<W, double>) return std::fabs(x);
    return x < 0 ? wrapping_sub(W{0}, x) : x;
  });
}

Status run_neg(const RunContext& context) {
  return map_numbers<1>(context, [](auto x) {
    if constexpr (std::is_same_v<decltype(x), double>) return -x;
    return wrapping_sub(decltype(x){0}, x);
  });
}

Status run_sign(const RunContext& context) {
  return map_numbers<1>(context, [](auto x) {
    using W = decltype(x);
    if constexpr (std::is_same_v<W, double>) {
      if (std::isnan(x)) return x;
    }
    return static_cast<W>((x > 0) - (x < 0));
  });
}

Status run_not(const RunContext& context) {
  return map_wide<int64_t, 1>(context, [](int64_t x) { return x == 0; });
}

Status run_bitwise_not(const RunContext& context) {
  return map_integers<1>(context, [](auto x) { return ~x; });
}

Status run_is_nan(const RunContext& context) {
  return map_wide<double, 1>(context, [](double x) { return std::isnan(x) ? 1.0 : 0.0; });
}

Status run_is_inf(const RunContext& context) {
  const bool negative = context.attributes().integer("detect_negative", 1) != 0;
  const bool positive = context.attributes().integer("detect_positive", 1) != 0;
  return map_wide<double, 1>(context, [=](double x) {
    return std::isinf(x) && (x < 0 ? negative : positive) ? 1.0 : 0.0;
  });
}

}  // namespace

extern constinit const OpDef op_abs = {.name = "Abs",
                                       .since = 13,
                                       .inputs = {{"X", kNumbers}},
                                       .outputs = {{"Y"}},
                                       .infer = infer_abs,
                                       .reference = run_abs};
extern constinit const OpDef op_neg = {.name = "Neg",
                                       .since = 13,
                                       .inputs = {{"X", kFloats | kSignedInts}},
                                       .outputs = {{"Y"}},
                                       .infer = infer_neg,
                                       .reference = run_neg};
extern constinit const OpDef op_sign = {.name = "Sign",
                                        .since = 13,
                                        .inputs = {{"input", kNumbers}},
                                        .outputs = {{"output"}},
                                        .infer = infer_sign,
                                        .reference = run_sign};
extern constinit const OpDef op_not = {.name = "Not",
                                       .since = 1,
                                       .inputs = {{"X", kBoolType}},
                                       .outputs = {{"Y"}},
                                       .infer = infer_not,
                                       .reference = run_not};
extern constinit const OpDef op_bitwise_not = {.name = "BitwiseNot",
                                               .since = 18,
                                               .inputs = {{"X", kSignedInts | kUnsignedInts}},
                                               .outputs = {{"Y"}},
                                               .infer = infer_bitwise_not,
                                               .reference = run_bitwise_not};
extern constinit const OpDef op_is_nan = {.name = "IsNaN",
                                          .since = 20,
                                          .inputs = {{"X", kTestedFloats}},
                                          .outputs = {{"Y"}},
                                          .infer = infer_test,
                                          .reference = run_is_nan};
extern constinit const OpDef op_is_inf = {.name = "IsInf",
                                          .since = 20,
                                          .inputs = {{"X", kTestedFloats}},
                                          .outputs = {{"Y"}},
                                          .infer = infer_test,
                                          .reference = run_is_inf};

}  // namespace lanthorn
