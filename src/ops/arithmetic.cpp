// Arithmetic of two numbers with broadcasting: https://onnx.ai/onnx/operators/
// OPS: add div mod mul pow sub
#include <cmath>
#include <limits>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

using DimFunction = Dim (*)(const Dim&, const Dim&);

template <DimFunction function>
Status infer(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  propagate(context, function);
  return ok();
}

Dim dim_add(const Dim& a, const Dim& b) { return a + b; }
Dim dim_sub(const Dim& a, const Dim& b) { return a - b; }
Dim dim_mul(const Dim& a, const Dim& b) { return a * b; }

// Rounds toward zero, which floor_div does for numbers that are not negative.
Dim truncated_div(const Dim& a, const Dim& b) {
  if (const std::optional<Dim> exact = exact_div(a, b)) return *exact;
  const DimRange left = range_of(a), right = range_of(b);
  if (left.low && *left.low >= 0 && right.low && *right.low >= 0) return floor_div(a, b);
  if (!a.is_known() || !b.is_known() || b.is(0)) return Dim::unknown();
  // The one quotient that does not fit is that of the smallest number by -1.
  return b.is(-1) ? 0 - a : Dim(a.value() / b.value());
}

Status infer_div(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  if (is_integer(context.dtype(0))) {
    propagate(context, truncated_div);
    return ok();
  }
  const size_t inputs[] = {0, 1};
  auto whole = [](std::span<const Dim> args) { return exact_div(args[0], args[1]); };
  if (std::optional<Dims> elements = broadcast_elements(context, inputs, whole)) {
    context.set_elements(0, *std::move(elements));
  }
  return ok();
}

Status infer_mod(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  if (is_integer(context.dtype(0)) && context.attributes().integer("fmod", 0) == 0)
    propagate(context, mod);
  return ok();
}

Status infer_pow(InferContext& context) {
  LAN_TRY(Dims dims, broadcast_inputs(context, 0, 2));
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status run_add(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return wrapping_add(a, b); });
}
Status run_sub(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return wrapping_sub(a, b); });
}
Status run_mul(const RunContext& context) {
  return map_numbers<2>(context, [](auto a, auto b) { return wrapping_mul(a, b); });
}

Status answer_unless_by_zero(bool by_zero) {
  if (!by_zero) return ok();
  return Error{ErrorCode::kInvalidInput, "an integer is divided by zero", "", ""};
}

Status run_div(const RunContext& context) {
  bool by_zero = false;
  LAN_OK(map_numbers<2>(context, [&by_zero](auto a, auto b) {
    using W = decltype(a);
    if constexpr (std::is_same_v<W, double>) {
      return a / b;
    } else {
      by_zero |= b == 0;
      if (b == 0) return W{0};
      if constexpr (std::is_signed_v<W>) {
        if (b == -1) return wrapping_sub(W{0}, a);
      }
      return static_cast<W>(a / b);
    }
  }));
  return answer_unless_by_zero(by_zero);
}

// The special cases are the table in the operator's text.
double floored_mod(double a, double b) {
  if (std::isinf(b) && std::isfinite(a) && a != 0) return (a < 0) == (b < 0) ? a : b;
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return std::isnan(rest) || (rest < 0) == (b < 0) ? rest : rest + b;
}

Status run_mod(const RunContext& context) {
  const bool truncate = context.attributes().integer("fmod", 0) != 0;
  bool by_zero = false;
  LAN_OK(map_numbers<2>(context, [&by_zero, truncate](auto a, auto b) {
    using W = decltype(a);
    if constexpr (std::is_same_v<W, double>) {
      return truncate ? std::fmod(a, b) : floored_mod(a, b);
    } else {
      by_zero |= b == 0;
      if (b == 0) return W{0};
      if constexpr (std::is_signed_v<W>) {
        if (b == -1) return W{0};
      }
      const auto rest = static_cast<W>(a % b);
      return static_cast<W>(!truncate && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    }
  }));
  return answer_unless_by_zero(by_zero);
}

int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  int64_t power = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) power = wrapping_mul(power, base);
    base = wrapping_mul(base, base);
  }
  return power;
}

Status run_pow(const RunContext& context) {
  const bool whole = is_integer(context.input(0).dtype) && is_integer(context.input(1).dtype);
  if (whole) return map_wide<int64_t, 2>(context, integer_power);
  return map_wide<double, 2>(context, [](double x, double y) { return std::pow(x, y); });
}

consteval OpDef binary(std::string_view name, int since, Accuracy accuracy,
                       Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = since,
          .inputs = {{"A", kNumbers}, {"B", kNumbers}},
          .outputs = {{"C"}},
          .accuracy = accuracy,
          .infer = rule,
          .reference = run};
}

}  // namespace

using enum Accuracy;
extern constinit const OpDef op_add = binary("Add", 14, kRounding, infer<dim_add>, run_add);
extern constinit const OpDef op_sub = binary("Sub", 14, kRounding, infer<dim_sub>, run_sub);
extern constinit const OpDef op_mul = binary("Mul", 14, kRounding, infer<dim_mul>, run_mul);
extern constinit const OpDef op_div = binary("Div", 14, kRounding, infer_div, run_div);
extern constinit const OpDef op_mod = binary("Mod", 28, kRounding, infer_mod, run_mod);
extern constinit const OpDef op_pow = binary("Pow", 15, kRounding, infer_pow, run_pow);

}  // namespace lanthorn
