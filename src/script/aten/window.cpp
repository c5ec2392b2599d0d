// Windows of signal processing, as constants.
#include <cmath>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

constexpr int64_t kLongest = int64_t{1} << 22;
constexpr double kTurn = 2 * 3.14159265358979323846;

/// A window of `length` numbers, `at` of the place in [0, 1]. A periodic one leaves its last number out.
template <class At>
Result<Value> window(Lowering& lowering, const Dim& length, bool periodic, std::optional<DType> dtype, const At& at) {
  LAN_TRY(const int64_t count, lowering.concrete(length));
  if (count < 0 || count > kLongest) return lowering.error(ErrorCode::kLimit, "a window of " + length.text());
  std::vector<double> numbers(static_cast<size_t>(count), 1.0);
  const double span = static_cast<double>(periodic ? count : count - 1);
  for (size_t i = 0; i < numbers.size() && count > 1; ++i) numbers[i] = at(static_cast<double>(i) / span);
  LAN_TRY(Tensor made, Tensor::of<double>(DType::kF64, {count}, numbers).cast(dtype.value_or(DType::kF32)));
  return Value(lowering.literal(std::move(made)));
}

/// (window_length, [periodic, [alpha, [beta]]], dtype, ...)
template <size_t kGiven>
Result<Value> hamming(Lowering& lowering, const Args& args) {
  const double alpha = kGiven > 1 ? args.real(2) : 0.54, beta = kGiven > 2 ? args.real(3) : 0.46;
  return window(lowering, args.integer(0), kGiven == 0 || args.flag(1), args.dtype(1 + kGiven),
                [=](double at) { return alpha - beta * std::cos(kTurn * at); });
}

template <size_t kGiven>
Result<Value> blackman(Lowering& lowering, const Args& args) {
  return window(lowering, args.integer(0), kGiven == 0 || args.flag(1), args.dtype(1 + kGiven), [](double at) {
    return 0.42 - 0.5 * std::cos(kTurn * at) + 0.08 * std::cos(2 * kTurn * at);
  });
}

template <size_t kGiven>
Result<Value> bartlett(Lowering& lowering, const Args& args) {
  return window(lowering, args.integer(0), kGiven == 0 || args.flag(1), args.dtype(1 + kGiven),
                [](double at) { return at <= 0.5 ? 2 * at : 2 - 2 * at; });
}

/// The modified Bessel function of order 0, by its power series.
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; k < 500 && term > sum * 1e-17; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

template <size_t kGiven>
Result<Value> kaiser(Lowering& lowering, const Args& args) {
  const double beta = kGiven > 1 ? args.real(2) : 12.0;
  if (!(std::fabs(beta) < 700)) return lowering.error(ErrorCode::kLimit, "a Kaiser window with this beta");
  const double whole = bessel_i0(beta);
  return window(lowering, args.integer(0), kGiven == 0 || args.flag(1), args.dtype(1 + kGiven), [=](double at) {
    const double from_middle = 2 * at - 1;
    return bessel_i0(beta * std::sqrt(std::max(0.0, 1 - from_middle * from_middle))) / whole;
  });
}

constexpr AtenRow kRows[] = {
    {"aten::bartlett_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     bartlett<0>},
    {"aten::bartlett_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     bartlett<1>},
    {"aten::blackman_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     blackman<0>},
    {"aten::blackman_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     blackman<1>},
    {"aten::hamming_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     hamming<0>},
    {"aten::hamming_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     hamming<1>},
    {"aten::hamming_window.periodic_alpha(int window_length, bool periodic, float alpha, *, ScalarType? dtype=None, "
     "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     hamming<2>},
    {"aten::hamming_window.periodic_alpha_beta(int window_length, bool periodic, float alpha, float beta, *, "
     "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     hamming<3>},
    {"aten::kaiser_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     kaiser<0>},
    {"aten::kaiser_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     kaiser<1>},
    {"aten::kaiser_window.beta(int window_length, bool periodic, float beta, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     kaiser<2>},
};

}  // namespace

extern const std::span<const AtenRow> aten_window = kRows;

}  // namespace lanthorn::script
