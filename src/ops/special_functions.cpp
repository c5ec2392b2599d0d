// OPS: lgamma digamma erfinv bessel_i0 bessel_i1
// Special functions that ONNX has no operators for, as torch.special defines them, worked out in double precision.

#include <cmath>
#include <limits>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <double (*kFunction)(double)>
Status run_each(const RunContext& c) {
  std::vector<double> values = read_doubles(c.input(0));
  for (double& value : values) value = kFunction(value);
  write_doubles(c.output(0), values);
  return ok();
}

// std::lgamma writes a global sign; this one does not.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// Reflection for negative numbers, recurrence up to 10, then the asymptotic series.
double digamma(double x) {
  if (x == 0) return std::signbit(x) ? kInfinity : -kInfinity;
  if (x < 0) {
    if (x == std::floor(x)) return kNone;
    return digamma(1 - x) - kPi / std::tan(kPi * (x - std::floor(x)));
  }
  if (std::isinf(x)) return x;
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double y = 1 / (x * x);
  const double series = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132)))));
  return sum + std::log(x) - 0.5 / x - series;
}

// Giles' approximation, then Newton's steps.
double erfinv(double x) {
  if (std::isnan(x) || x < -1 || x > 1) return kNone;
  if (x == 1 || x == -1) return x * kInfinity;
  if (x == 0) return x;
  const double w = -std::log((1 - x) * (1 + x));
  const double a = 0.147, b = 2 / (kPi * a) - w / 2;
  double y = std::copysign(std::sqrt(std::sqrt(b * b + w / a) - b), x);
  for (int step = 0; step < 4; ++step) {
    // erf(y) - x, by what is left to 1: far out erf itself has lost its digits.
    const double apart = x > 0 ? (1 - x) - std::erfc(y) : std::erfc(-y) - (1 + x);
    y -= apart / (2 / std::sqrt(kPi) * std::exp(-y * y));
  }
  return y;
}

// Power series; the terms are positive, so nothing is lost.
double bessel(double x, int order) {
  const double half = x / 2;
  double term = order == 0 ? 1 : half, sum = term;
  for (int k = 1; k < 2000 && std::fabs(term) > std::fabs(sum) * 1e-17; ++k) {
    term *= half / k * half / (k + order);
    sum += term;
  }
  return sum;
}
double bessel_i0(double x) { return bessel(std::fabs(x), 0); }
double bessel_i1(double x) { return bessel(x, 1); }

}  // namespace

extern constinit const OpDef op_lgamma{
    .name = "Lgamma",
    .domain = "lanthorn",
    .inputs = {{"x", kFloats}},
    .outputs = {{"y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_same,
    .reference = run_each<log_gamma>,
};

extern constinit const OpDef op_digamma{
    .name = "Digamma",
    .domain = "lanthorn",
    .inputs = {{"x", kFloats}},
    .outputs = {{"y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_same,
    .reference = run_each<digamma>,
};

extern constinit const OpDef op_erfinv{
    .name = "ErfInv",
    .domain = "lanthorn",
    .inputs = {{"x", kFloats}},
    .outputs = {{"y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_same,
    .reference = run_each<erfinv>,
};

extern constinit const OpDef op_bessel_i0{
    .name = "BesselI0",
    .domain = "lanthorn",
    .inputs = {{"x", kFloats}},
    .outputs = {{"y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_same,
    .reference = run_each<bessel_i0>,
};

extern constinit const OpDef op_bessel_i1{
    .name = "BesselI1",
    .domain = "lanthorn",
    .inputs = {{"x", kFloats}},
    .outputs = {{"y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_same,
    .reference = run_each<bessel_i1>,
};

}  // namespace lanthorn
