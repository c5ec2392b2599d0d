// Element-wise functions of one operand.
#include <cmath>

#include "script/aten/arithmetic_shared.h"
#include "script/aten/sizes_shared.h"

namespace lanthorn::script {
namespace {

constexpr char kExp[] = "Exp", kLog[] = "Log", kSqrt[] = "Sqrt", kReciprocal[] = "Reciprocal", kSin[] = "Sin",
               kCos[] = "Cos", kTan[] = "Tan", kAsin[] = "Asin", kAcos[] = "Acos", kAtan[] = "Atan",
               kSinh[] = "Sinh", kCosh[] = "Cosh", kAsinh[] = "Asinh", kAcosh[] = "Acosh", kAtanh[] = "Atanh",
               kErf[] = "Erf", kAbs[] = "Abs", kFloor[] = "Floor", kCeil[] = "Ceil", kRound[] = "Round";

/// The operand of a floating-point function: integers become float32.
ValueId floating(Emitter& e, const Args& args) {
  const TensorRef x = args.tensor(0);
  return e.read(x, float_type(x->dtype));
}

template <const char* kOp>
Result<Value> function(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op(kOp, {floating(e, args)}));
}

template <const char* kOp>
Result<Value> same_type(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op(kOp, {e.read(args.tensor(0))}));
}

// Integers are round already.
template <const char* kOp>
Result<Value> rounding(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return e.result(e.op("Identity", {e.read(x)}));
  return e.result(e.op(kOp, {e.read(x)}));
}

Result<Value> trunc(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return e.result(e.op("Identity", {e.read(x)}));
  return e.result(truncate(e, e.read(x)));
}

Result<Value> frac(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  return e.result(e.op("Sub", {x, truncate(e, x)}));
}

// (self, decimals)
Result<Value> round_decimals(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t decimals, lowering.concrete(args.integer(1)));
  const ValueId x = e.read(args.tensor(0));
  const DType dtype = e.dtype(x);
  if (!is_floating(dtype)) return e.result(e.op("Identity", {x}));
  if (decimals == 0) return e.result(e.op("Round", {x}));
  const ValueId factor = e.number(std::pow(10.0, static_cast<double>(std::abs(decimals))), dtype);
  if (decimals > 0) return e.result(e.op("Div", {e.op("Round", {e.op("Mul", {x, factor})}), factor}));
  return e.result(e.op("Mul", {e.op("Round", {e.op("Div", {x, factor})}), factor}));
}

Result<Value> neg(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (auto sized = sized_binary(lowering, Value(Dim(0)), args[0], x->dtype,
                                [](const Dim& a, const Dim& b) { return a - b; })) {
    return *std::move(sized);
  }
  Emitter e(lowering);
  const bool wraps = x->dtype == DType::kU8 || x->dtype == DType::kU16 || x->dtype == DType::kU32 ||
                     x->dtype == DType::kU64;  // Neg has no unsigned form
  if (wraps) return e.result(e.op("Sub", {e.integer(0, x->dtype), e.read(x)}));
  return e.result(e.op("Neg", {e.read(x)}));
}

Result<Value> rsqrt(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Reciprocal", {e.op("Sqrt", {floating(e, args)})}));
}

Result<Value> square(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  return e.result(e.op("Mul", {x, x}));
}

template <int kBase>
Result<Value> log_base(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = floating(e, args);
  const DType dtype = e.dtype(x);
  return e.result(e.op("Mul", {e.op("Log", {x}), e.number(1.0 / std::log(double{kBase}), dtype)}));
}

Result<Value> exp2(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = floating(e, args);
  return e.result(e.op("Pow", {e.number(2, e.dtype(x)), x}));
}

// exp(x) - 1 = 2 sinh(x/2) exp(x/2), which keeps its digits near 0.
Result<Value> expm1(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = floating(e, args);
  const DType dtype = e.dtype(x);
  const ValueId half = e.op("Mul", {x, e.number(0.5, dtype)});
  const ValueId near = e.op("Mul", {e.op("Mul", {e.op("Sinh", {half}), e.op("Exp", {half})}), e.number(2, dtype)});
  const ValueId far = e.op("Sub", {e.op("Exp", {x}), e.number(1, dtype)});
  const ValueId small = e.op("Less", {e.op("Abs", {x}), e.number(1, dtype)});
  return e.result(e.op("Where", {small, near, far}));
}

// log(1 + x), corrected by what the addition lost: u = 1 + x, log(u) * x / (u - 1).
Result<Value> log1p(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = floating(e, args);
  const DType dtype = e.dtype(x);
  const ValueId one = e.number(1, dtype);
  const ValueId u = e.op("Add", {x, one});
  const ValueId gained = e.op("Sub", {u, one});
  const ValueId exact = e.op("Equal", {gained, x});
  const ValueId lost = e.op("Equal", {gained, e.number(0, dtype)});
  const ValueId log = e.op("Log", {u});
  const ValueId corrected = e.op("Div", {e.op("Mul", {log, x}), e.op("Where", {lost, one, gained})});
  return e.result(e.op("Where", {lost, x, e.op("Where", {exact, log, corrected})}));
}

Result<Value> erfc(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = floating(e, args);
  return e.result(e.op("Sub", {e.number(1, e.dtype(x)), e.op("Erf", {x})}));
}

// NaN has the sign 0 in PyTorch.
Result<Value> sign(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  const DType dtype = e.dtype(x);
  if (dtype == DType::kBool) return e.result(e.op("Identity", {x}));
  const ValueId sign = e.op("Sign", {x});
  if (!is_floating(dtype)) return e.result(sign);
  return e.result(e.op("Where", {e.op("IsNaN", {x}), e.number(0, dtype), sign}));
}

ValueId never(Emitter& e, const TensorRef& x) {
  return e.expand(e.constant(Tensor::scalar_bool(false)), x->dims);
}

Result<Value> isnan(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(is_floating(x->dtype) ? e.op("IsNaN", {e.read(x)}) : never(e, x));
}

template <bool kNegative, bool kPositive>
Result<Value> isinf(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return e.result(never(e, x));
  return e.result(e.op("IsInf", {e.read(x)},
                       {{"detect_negative", int64_t{kNegative}}, {"detect_positive", int64_t{kPositive}}}));
}

Result<Value> isfinite(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return e.result(e.op("Not", {never(e, x)}));
  const ValueId value = e.read(x);
  return e.result(e.op("Not", {e.op("Or", {e.op("IsNaN", {value}), e.op("IsInf", {value})})}));
}

// log(x / (1 - x)), x clamped to [eps, 1 - eps]
Result<Value> logit(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  ValueId x = floating(e, args);
  const DType dtype = e.dtype(x);
  if (!args.is_none(1)) {
    x = e.op("Clip", {x, e.number(args.real(1), dtype), e.number(1 - args.real(1), dtype)});
  }
  return e.result(e.op("Log", {e.op("Div", {x, e.op("Sub", {e.number(1, dtype), x})})}));
}

// (self, nan, posinf, neginf)
Result<Value> nan_to_num(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return e.result(e.op("Identity", {e.read(x)}));
  const auto number = [&](size_t i, double otherwise) {
    return e.number(args.is_none(i) ? otherwise : args.real(i), x->dtype);
  };
  ValueId y = e.read(x);
  y = e.op("Where", {e.op("IsNaN", {y}), number(1, 0), y});
  y = e.op("Where", {e.op("IsInf", {y}, {{"detect_negative", int64_t{0}}}), number(2, highest_of(x->dtype)), y});
  y = e.op("Where", {e.op("IsInf", {y}, {{"detect_positive", int64_t{0}}}), number(3, lowest_of(x->dtype)), y});
  return e.result(y);
}

template <bool kToRadians>
Result<Value> angle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  constexpr double kPi = 3.14159265358979323846;
  const ValueId x = floating(e, args);
  return e.result(e.op("Mul", {x, e.number(kToRadians ? kPi / 180 : 180 / kPi, e.dtype(x))}));
}

Result<Value> same(Lowering&, const Args& args) { return args[0]; }

constexpr AtenRow kRows[] = {
    {"aten::abs(Tensor self) -> Tensor", same_type<kAbs>},
    {"aten::absolute(Tensor self) -> Tensor", same_type<kAbs>},
    {"aten::neg(Tensor self) -> Tensor", neg},
    {"aten::negative(Tensor self) -> Tensor", neg},
    {"aten::positive(Tensor(a) self) -> Tensor(a)", same},
    {"aten::exp(Tensor self) -> Tensor", function<kExp>},
    {"aten::exp2(Tensor self) -> Tensor", exp2},
    {"aten::expm1(Tensor self) -> Tensor", expm1},
    {"aten::log(Tensor self) -> Tensor", function<kLog>},
    {"aten::log2(Tensor self) -> Tensor", log_base<2>},
    {"aten::log10(Tensor self) -> Tensor", log_base<10>},
    {"aten::log1p(Tensor self) -> Tensor", log1p},
    {"aten::sqrt(Tensor self) -> Tensor", function<kSqrt>},
    {"aten::rsqrt(Tensor self) -> Tensor", rsqrt},
    {"aten::reciprocal(Tensor self) -> Tensor", function<kReciprocal>},
    {"aten::square(Tensor self) -> Tensor", square},
    {"aten::sin(Tensor self) -> Tensor", function<kSin>},
    {"aten::cos(Tensor self) -> Tensor", function<kCos>},
    {"aten::tan(Tensor self) -> Tensor", function<kTan>},
    {"aten::asin(Tensor self) -> Tensor", function<kAsin>},
    {"aten::acos(Tensor self) -> Tensor", function<kAcos>},
    {"aten::atan(Tensor self) -> Tensor", function<kAtan>},
    {"aten::arctan(Tensor self) -> Tensor", function<kAtan>},
    {"aten::sinh(Tensor self) -> Tensor", function<kSinh>},
    {"aten::cosh(Tensor self) -> Tensor", function<kCosh>},
    {"aten::asinh(Tensor self) -> Tensor", function<kAsinh>},
    {"aten::acosh(Tensor self) -> Tensor", function<kAcosh>},
    {"aten::atanh(Tensor self) -> Tensor", function<kAtanh>},
    {"aten::erf(Tensor self) -> Tensor", function<kErf>},
    {"aten::special_erf(Tensor self) -> Tensor", function<kErf>},
    {"aten::erfc(Tensor self) -> Tensor", erfc},
    {"aten::floor(Tensor self) -> Tensor", rounding<kFloor>},
    {"aten::ceil(Tensor self) -> Tensor", rounding<kCeil>},
    {"aten::round(Tensor self) -> Tensor", rounding<kRound>},
    {"aten::round.decimals(Tensor self, *, int decimals) -> Tensor", round_decimals},
    {"aten::trunc(Tensor self) -> Tensor", trunc},
    {"aten::fix(Tensor self) -> Tensor", trunc},
    {"aten::frac(Tensor self) -> Tensor", frac},
    {"aten::sign(Tensor self) -> Tensor", sign},
    {"aten::sgn(Tensor self) -> Tensor", sign},
    {"aten::isnan(Tensor self) -> Tensor", isnan},
    {"aten::isinf(Tensor self) -> Tensor", isinf<true, true>},
    {"aten::isposinf(Tensor self) -> Tensor", isinf<false, true>},
    {"aten::isneginf(Tensor self) -> Tensor", isinf<true, false>},
    {"aten::isfinite(Tensor self) -> Tensor", isfinite},
    {"aten::logit(Tensor self, float? eps=None) -> Tensor", logit},
    {"aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
     nan_to_num},
    {"aten::deg2rad(Tensor self) -> Tensor", angle<true>},
    {"aten::rad2deg(Tensor self) -> Tensor", angle<false>},
};

}  // namespace

extern const std::span<const AtenRow> aten_unary = kRows;

}  // namespace lanthorn::script
