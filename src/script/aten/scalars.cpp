// Arithmetic on numbers of the program: integers that may be sizes, and floats.
#include <array>
#include <cmath>

#include "script/aten/numbers_shared.h"

namespace lanthorn::script {
namespace {

using Lower = Result<Value> (*)(Lowering&, const Args&);

/// Both as integers where both are, else as reals.
template <class OfInts, class OfReals>
Result<Value> arithmetic(Lowering& lowering, const Args& args, OfInts of_ints, OfReals of_reals) {
  const Dim* a = args[0].integer();
  const Dim* b = args[1].integer();
  if (a && b) return of_ints(*a, *b);
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return of_reals(x, y);
}

Value real(double value) { return Value::of_double(value); }

bool is_zero(const Value& value) {
  return (value.integer() && value.integer()->is(0)) || (value.real() && *value.real() == 0);
}

Result<Value> add(Lowering& lowering, const Args& args) {
  if (args[0].complex() || args[1].complex())
    return lowering.error(ErrorCode::kUnsupported, "complex numbers");
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(a + b); },
      [](double a, double b) { return real(a + b); });
}
Result<Value> sub(Lowering& lowering, const Args& args) {
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(a - b); },
      [](double a, double b) { return real(a - b); });
}
Result<Value> mul(Lowering& lowering, const Args& args) {
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(a * b); },
      [](double a, double b) { return real(a * b); });
}

/// True division: of integers too.
Result<Value> div(Lowering& lowering, const Args& args) {
  if (is_zero(args[1]))
    return lowering.error(ErrorCode::kInvalidInput, "the program divides by zero");
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return real(x / y);
}

Result<Value> floordiv(Lowering& lowering, const Args& args) {
  if (is_zero(args[1]))
    return lowering.error(ErrorCode::kInvalidInput, "the program divides by zero");
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(floor_div(a, b)); },
      [](double a, double b) { return real(std::floor(a / b)); });
}

Result<Value> remainder(Lowering& lowering, const Args& args) {
  if (is_zero(args[1]))
    return lowering.error(ErrorCode::kInvalidInput, "the program divides by zero");
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(mod(a, b)); },
      [](double a, double b) {
        const double rest = std::fmod(a, b);
        return real(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
      });
}

Result<Value> fmod_of(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return real(std::fmod(x, y));
}

/// A float even of two integers: the overload that TorchScript finds first says so.
Result<Value> pow_of(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return real(std::pow(x, y));
}

Result<Value> neg(Lowering& lowering, const Args& args) {
  if (const Dim* a = args[0].integer()) return Value(Dim(0) - *a);
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return real(-x);
}

Result<Value> abs_of(Lowering& lowering, const Args& args) {
  if (const Dim* a = args[0].integer()) {
    LAN_TRY(const bool negative, lowering.less(*a, Dim(0)));
    return Value(negative ? Dim(0) - *a : *a);
  }
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return real(std::fabs(x));
}

Result<Value> whole(Lowering& lowering, double value) {
  if (!(std::fabs(value) < 9.2e18))
    return lowering.error(ErrorCode::kInvalidInput, "a number does not fit an integer");
  return Value(Dim(static_cast<int64_t>(value)));
}

Result<Value> floor_of(Lowering& lowering, const Args& args) {
  if (args[0].integer()) return args[0];
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return whole(lowering, std::floor(x));
}
Result<Value> ceil_of(Lowering& lowering, const Args& args) {
  if (args[0].integer()) return args[0];
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return whole(lowering, std::ceil(x));
}
Result<Value> trunc_of(Lowering& lowering, const Args& args) {
  if (args[0].integer()) return args[0];
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return whole(lowering, std::trunc(x));
}
Result<Value> round_of(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return real(std::nearbyint(x));
}

template <double (*kFunction)(double)>
Result<Value> math(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return real(kFunction(x));
}
template <double (*kFunction)(double, double)>
Result<Value> math2(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return real(kFunction(x, y));
}
double log_to(double x, double base) { return std::log(x) / std::log(base); }
double degrees(double x) { return x * 180.0 / M_PI; }
double radians(double x) { return x * M_PI / 180.0; }

template <bool (*kTest)(double)>
Result<Value> test(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return Value::of_bool(kTest(x));
}
bool is_nan(double x) { return std::isnan(x); }
bool is_inf(double x) { return std::isinf(x); }
bool is_finite(double x) { return std::isfinite(x); }

Result<Value> lt(Lowering& lowering, const Args& args) {
  LAN_TRY(const int order, compare_values(lowering, args[0], args[1]));
  return Value::of_bool(order < 0);
}
Result<Value> gt(Lowering& lowering, const Args& args) {
  LAN_TRY(const int order, compare_values(lowering, args[1], args[0]));
  return Value::of_bool(order < 0);
}
Result<Value> le(Lowering& lowering, const Args& args) {
  if (args[0].integer() && args[1].integer()) {
    LAN_TRY(const bool more, lowering.less(*args[1].integer(), *args[0].integer()));
    return Value::of_bool(!more);
  }
  LAN_TRY(const int order, compare_values(lowering, args[0], args[1]));
  return Value::of_bool(order <= 0);
}
Result<Value> ge(Lowering& lowering, const Args& args) {
  if (args[0].integer() && args[1].integer()) {
    LAN_TRY(const bool less, lowering.less(*args[0].integer(), *args[1].integer()));
    return Value::of_bool(!less);
  }
  LAN_TRY(const int order, compare_values(lowering, args[0], args[1]));
  return Value::of_bool(order >= 0);
}

template <class OfBools, class OfInts>
Result<Value> bits(Lowering& lowering, const Args& args, OfBools of_bools, OfInts of_ints) {
  if (args[0].flag() && args[1].flag())
    return Value::of_bool(of_bools(*args[0].flag(), *args[1].flag()));
  LAN_TRY(const double x, real_number(lowering, args[0]));
  LAN_TRY(const double y, real_number(lowering, args[1]));
  return Value(Dim(of_ints(static_cast<int64_t>(x), static_cast<int64_t>(y))));
}
Result<Value> and_of(Lowering& lowering, const Args& args) {
  return bits(
      lowering, args, [](bool a, bool b) { return a && b; },
      [](int64_t a, int64_t b) { return a & b; });
}
Result<Value> or_of(Lowering& lowering, const Args& args) {
  return bits(
      lowering, args, [](bool a, bool b) { return a || b; },
      [](int64_t a, int64_t b) { return a | b; });
}
Result<Value> xor_of(Lowering& lowering, const Args& args) {
  return bits(
      lowering, args, [](bool a, bool b) { return a != b; },
      [](int64_t a, int64_t b) { return a ^ b; });
}
Result<Value> shift_left(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t by, lowering.concrete(args.integer(1)));
  if (by < 0 || by > 62)
    return lowering.error(ErrorCode::kInvalidInput, "a shift by " + std::to_string(by));
  return Value(args.integer(0) * Dim(int64_t{1} << by));
}
Result<Value> shift_right(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t by, lowering.concrete(args.integer(1)));
  if (by < 0 || by > 62)
    return lowering.error(ErrorCode::kInvalidInput, "a shift by " + std::to_string(by));
  return Value(floor_div(args.integer(0), Dim(int64_t{1} << by)));
}

Result<Value> minimum(Lowering& lowering, const Args& args) {
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(min(a, b)); },
      [](double a, double b) { return real(a < b ? a : b); });
}
Result<Value> maximum(Lowering& lowering, const Args& args) {
  return arithmetic(
      lowering, args, [](const Dim& a, const Dim& b) { return Value(max(a, b)); },
      [](double a, double b) { return real(a > b ? a : b); });
}

Result<Value> divmod(Lowering& lowering, const Args& args) {
  LAN_TRY(Value quotient, floordiv(lowering, args));
  LAN_TRY(Value rest, remainder(lowering, args));
  return make_tuple({std::move(quotient), std::move(rest)});
}

Result<Value> to_int(Lowering& lowering, const Args& args) {
  if (args[0].integer()) return args[0];
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return whole(lowering, std::trunc(x));
}
Result<Value> to_float(Lowering& lowering, const Args& args) {
  LAN_TRY(const double x, real_number(lowering, args[0]));
  return real(x);
}
Result<Value> to_number(Lowering&, const Args& args) { return args[0]; }

Result<Value> gcd_of(Lowering& lowering, const Args& args) {
  LAN_TRY(int64_t a, lowering.concrete(args.integer(0)));
  LAN_TRY(int64_t b, lowering.concrete(args.integer(1)));
  while (b != 0 && b != -1) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  if (b == -1) a = 1;
  return Value(Dim(a < 0 ? -a : a));
}

Result<Value> factorial(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t n, lowering.concrete(args.integer(0)));
  if (n < 0 || n > 20)
    return lowering.error(ErrorCode::kInvalidInput, "a factorial of " + std::to_string(n));
  int64_t product = 1;
  for (int64_t i = 2; i <= n; ++i) product *= i;
  return Value(Dim(product));
}

/// How often `for i in range(lo, hi, step)` runs, and what i is.
Result<Value> range_length(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t step, lowering.concrete(args.integer(2)));
  if (step == 0) return lowering.error(ErrorCode::kInvalidInput, "a range with a step of zero");
  const Dim distance =
      step > 0 ? args.integer(1) - args.integer(0) : args.integer(0) - args.integer(1);
  const Dim by(step > 0 ? step : -step);
  return Value(max(Dim(0), ceil_div(distance, by)));
}
Result<Value> derive_index(Lowering&, const Args& args) {
  return Value(args.integer(1) + args.integer(0) * args.integer(2));
}

constexpr AtenRow kRows[] = {
    {"aten::add.number(Scalar a, Scalar b) -> Scalar", add},
    {"aten::sub.number(Scalar a, Scalar b) -> Scalar", sub},
    {"aten::mul.number(Scalar a, Scalar b) -> Scalar", mul},
    {"aten::div.number(Scalar a, Scalar b) -> Scalar", div},
    {"aten::true_divide.number(Scalar a, Scalar b) -> Scalar", div},
    {"aten::floordiv.number(Scalar a, Scalar b) -> Scalar", floordiv},
    {"aten::floor_divide.number(Scalar a, Scalar b) -> Scalar", floordiv},
    {"aten::remainder.number(Scalar a, Scalar b) -> Scalar", remainder},
    {"aten::mathremainder.number(Scalar a, Scalar b) -> Scalar", math2<std::remainder>},
    {"aten::fmod.number(Scalar a, Scalar b) -> Scalar", fmod_of},
    {"aten::pow.number(Scalar a, Scalar b) -> Scalar", pow_of},
    {"aten::neg.number(Scalar a) -> Scalar", neg},
    {"prim::abs.number(Scalar a) -> Scalar", abs_of},
    {"aten::abs.number(Scalar a) -> Scalar", abs_of},
    {"aten::fabs.number(Scalar a) -> float", math<std::fabs>},
    {"aten::floor.number(Scalar a) -> int", floor_of},
    {"aten::ceil.number(Scalar a) -> int", ceil_of},
    {"aten::trunc.number(Scalar a) -> int", trunc_of},
    {"aten::round.number(Scalar a) -> float", round_of},
    {"aten::sqrt.number(Scalar a) -> float", math<std::sqrt>},
    {"aten::exp.number(Scalar a) -> float", math<std::exp>},
    {"aten::expm1.number(Scalar a) -> float", math<std::expm1>},
    {"aten::log.number(Scalar a) -> float", math<std::log>},
    {"aten::log.base(Scalar a, Scalar b) -> float", math2<log_to>},
    {"aten::log2.number(Scalar a) -> float", math<std::log2>},
    {"aten::log10.number(Scalar a) -> float", math<std::log10>},
    {"aten::log1p.number(Scalar a) -> float", math<std::log1p>},
    {"aten::sin.number(Scalar a) -> float", math<std::sin>},
    {"aten::cos.number(Scalar a) -> float", math<std::cos>},
    {"aten::tan.number(Scalar a) -> float", math<std::tan>},
    {"aten::asin.number(Scalar a) -> float", math<std::asin>},
    {"aten::acos.number(Scalar a) -> float", math<std::acos>},
    {"aten::atan.number(Scalar a) -> float", math<std::atan>},
    {"aten::sinh.number(Scalar a) -> float", math<std::sinh>},
    {"aten::cosh.number(Scalar a) -> float", math<std::cosh>},
    {"aten::tanh.number(Scalar a) -> float", math<std::tanh>},
    {"aten::asinh.number(Scalar a) -> float", math<std::asinh>},
    {"aten::acosh.number(Scalar a) -> float", math<std::acosh>},
    {"aten::atanh.number(Scalar a) -> float", math<std::atanh>},
    {"aten::atan2.number(Scalar a, Scalar b) -> float", math2<std::atan2>},
    {"aten::copysign.number(Scalar a, Scalar b) -> float", math2<std::copysign>},
    {"aten::hypot.number(Scalar a, Scalar b) -> float", math2<std::hypot>},
    {"aten::erf.number(Scalar a) -> float", math<std::erf>},
    {"aten::erfc.number(Scalar a) -> float", math<std::erfc>},
    {"aten::gamma.number(Scalar a) -> float", math<std::tgamma>},
    {"aten::lgamma.number(Scalar a) -> float", math<std::lgamma>},
    {"aten::degrees.number(Scalar a) -> float", math<degrees>},
    {"aten::radians.number(Scalar a) -> float", math<radians>},
    {"aten::isnan.number(Scalar a) -> bool", test<is_nan>},
    {"aten::isinf.number(Scalar a) -> bool", test<is_inf>},
    {"aten::isfinite.number(Scalar a) -> bool", test<is_finite>},
    {"aten::gcd.int(int a, int b) -> int", gcd_of},
    {"aten::factorial.int(int a) -> int", factorial},
    {"aten::lt.number(Scalar a, Scalar b) -> bool", lt},
    {"aten::gt.number(Scalar a, Scalar b) -> bool", gt},
    {"aten::le.number(Scalar a, Scalar b) -> bool", le},
    {"aten::ge.number(Scalar a, Scalar b) -> bool", ge},
    {"aten::lt.str(str a, str b) -> bool", lt},
    {"aten::gt.str(str a, str b) -> bool", gt},
    {"aten::le.str(str a, str b) -> bool", le},
    {"aten::ge.str(str a, str b) -> bool", ge},
    {"aten::lt.list(t[] a, t[] b) -> bool", lt},
    {"aten::gt.list(t[] a, t[] b) -> bool", gt},
    {"aten::le.list(t[] a, t[] b) -> bool", le},
    {"aten::ge.list(t[] a, t[] b) -> bool", ge},
    {"aten::__and__.bool(bool a, bool b) -> bool", and_of},
    {"aten::__and__.int(int a, int b) -> int", and_of},
    {"aten::__or__.bool(bool a, bool b) -> bool", or_of},
    {"aten::__or__.int(int a, int b) -> int", or_of},
    {"aten::__xor__.bool(bool a, bool b) -> bool", xor_of},
    {"aten::__xor__.int(int a, int b) -> int", xor_of},
    {"aten::__lshift__.int(int a, int b) -> int", shift_left},
    {"aten::__rshift__.int(int a, int b) -> int", shift_right},
    {"prim::min.number(Scalar a, Scalar b) -> Scalar", minimum},
    {"prim::max.number(Scalar a, Scalar b) -> Scalar", maximum},
    {"aten::min.number(Scalar a, Scalar b) -> Scalar", minimum},
    {"aten::max.number(Scalar a, Scalar b) -> Scalar", maximum},
    {"aten::divmod.number(Scalar a, Scalar b) -> (Scalar, Scalar)", divmod},
    {"aten::Int.Scalar(Scalar a) -> int", to_int},
    {"aten::Int.bool(bool a) -> int", to_int},
    {"aten::Float.Scalar(Scalar a) -> float", to_float},
    {"aten::Float.bool(bool a) -> float", to_float},
    {"aten::ScalarImplicit.number(Scalar a) -> Scalar", to_number},
    {"aten::IntImplicit.int(int a) -> int", to_number},
    {"aten::FloatImplicit.float(float a) -> float", to_number},
    {"aten::__range_length(int lo, int hi, int step) -> int", range_length},
    {"aten::__derive_index(int index, int start, int step) -> int", derive_index},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_scalars = kRows;

}  // namespace lanthorn::script
