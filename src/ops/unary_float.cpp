// Functions of one real number: https://onnx.ai/onnx/operators/
// OPS: acos acosh asin asinh atan atanh ceil cos cosh erf exp
// OPS: floor log reciprocal round sigmoid sin sinh softplus softsign
// OPS: sqrt tan tanh mish hard_swish
#include <cmath>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

double reciprocal(double x) { return 1.0 / x; }
double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
// log(1 + e^x) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double softplus_or_nan(double x) { return std::isnan(x) ? x : softplus(x); }
double softsign(double x) {
  return std::isinf(x) ? std::copysign(1.0, x) : x / (1.0 + std::fabs(x));
}
double mish(double x) { return x * std::tanh(softplus_or_nan(x)); }
double hard_swish(double x) { return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0); }

template <double (*function)(double)>
Status reference(const RunContext& context) {
  return map_wide<double, 1>(context, function);
}

consteval OpDef unary(std::string_view name, int since, Accuracy accuracy,
                      Status (*run)(const RunContext&),
                      Status (*rule)(InferContext&) = infer_same) {
  return {.name = name,
          .since = since,
          .inputs = {{"X", kFloats}},
          .outputs = {{"Y"}},
          .accuracy = accuracy,
          .infer = rule,
          .reference = run};
}

}  // namespace

using enum Accuracy;
extern constinit const OpDef op_acos = unary("Acos", 22, kRounding, reference<std::acos>);
extern constinit const OpDef op_acosh = unary("Acosh", 22, kRounding, reference<std::acosh>);
extern constinit const OpDef op_asin = unary("Asin", 22, kRounding, reference<std::asin>);
extern constinit const OpDef op_asinh = unary("Asinh", 22, kRounding, reference<std::asinh>);
extern constinit const OpDef op_atan = unary("Atan", 22, kRounding, reference<std::atan>);
extern constinit const OpDef op_atanh = unary("Atanh", 22, kRounding, reference<std::atanh>);
extern constinit const OpDef op_ceil =
    unary("Ceil", 13, kExact, reference<std::ceil>, infer_identity);
extern constinit const OpDef op_cos = unary("Cos", 22, kRounding, reference<std::cos>);
extern constinit const OpDef op_cosh = unary("Cosh", 22, kRounding, reference<std::cosh>);
extern constinit const OpDef op_erf = unary("Erf", 13, kRounding, reference<std::erf>);
extern constinit const OpDef op_exp = unary("Exp", 13, kRounding, reference<std::exp>);
extern constinit const OpDef op_floor =
    unary("Floor", 13, kExact, reference<std::floor>, infer_identity);
extern constinit const OpDef op_log = unary("Log", 13, kRounding, reference<std::log>);
extern constinit const OpDef op_reciprocal =
    unary("Reciprocal", 13, kRounding, reference<reciprocal>);
// To nearest even, which is what nearbyint does in the rounding mode that nothing here changes.
extern constinit const OpDef op_round =
    unary("Round", 22, kExact, reference<std::nearbyint>, infer_identity);
extern constinit const OpDef op_sigmoid = unary("Sigmoid", 13, kRounding, reference<sigmoid>);
extern constinit const OpDef op_sin = unary("Sin", 22, kRounding, reference<std::sin>);
extern constinit const OpDef op_sinh = unary("Sinh", 22, kRounding, reference<std::sinh>);
extern constinit const OpDef op_softplus =
    unary("Softplus", 22, kRounding, reference<softplus_or_nan>);
extern constinit const OpDef op_softsign = unary("Softsign", 22, kRounding, reference<softsign>);
extern constinit const OpDef op_sqrt = unary("Sqrt", 13, kRounding, reference<std::sqrt>);
extern constinit const OpDef op_tan = unary("Tan", 22, kRounding, reference<std::tan>);
extern constinit const OpDef op_tanh = unary("Tanh", 13, kRounding, reference<std::tanh>);
extern constinit const OpDef op_mish = unary("Mish", 22, kRounding, reference<mish>);
extern constinit const OpDef op_hard_swish =
    unary("HardSwish", 22, kRounding, reference<hard_swish>);

}  // namespace lanthorn
