// Fourier transforms: torch.fft, stft and istft. Complex tensors are pairs in a last dimension, as DFT takes them.
#include <algorithm>
#include <cmath>

#include "script/complex_tensor.h"

namespace lanthorn::script {
namespace {

enum class Norm : uint8_t { kBackward, kOrtho, kForward };

Result<Norm> norm_of(Lowering& lowering, const Args& args, size_t i) {
  if (args.is_none(i) || args.text(i) == "backward") return Norm::kBackward;
  if (args.text(i) == "ortho") return Norm::kOrtho;
  if (args.text(i) == "forward") return Norm::kForward;
  return lowering.error(ErrorCode::kInvalidInput, "a Fourier transform has no norm '" + args.text(i) + "'");
}

/// The input with its parts in a last dimension: one for a real tensor, two for a complex one.
struct Signal {
  ValueId value;
  Dims dims;  // without the parts
  DType dtype;
};

Signal signal_of(Emitter& e, const TensorRef& x) {
  if (is_complex(x->dtype)) return {e.read(x), x->dims, real_type_of(x->dtype)};
  const DType dtype = float_type(x->dtype);
  return {e.unsqueeze(e.read(x, dtype), {-1}), x->dims, dtype};
}

/// One transform along an axis to `length` numbers. DFT divides by the length where it is inverse.
ValueId transform(Emitter& e, const Signal& x, int64_t axis, const Dim& length, bool inverse, bool onesided, Norm norm) {
  const ValueId made = e.op("DFT", {x.value, e.squeeze(e.shape({length}), {0}), e.integer(axis, DType::kI64)},
                            {{"inverse", int64_t{inverse}}, {"onesided", int64_t{onesided}}});
  if (norm == Norm::kBackward) return made;
  const ValueId count = e.operand(Value(length), x.dtype);
  if (norm == Norm::kOrtho) return e.op(inverse ? "Mul" : "Div", {made, e.op("Sqrt", {count})});
  return e.op(inverse ? "Mul" : "Div", {made, count});
}

Result<Value> complex_result(Emitter& e, ValueId parts) {
  if (e.failed()) return e.error();
  return Value(as_complex(e.lowering(), parts));
}

ValueId conjugate(Emitter& e, ValueId parts) {
  return e.op("Mul", {parts, e.constant(Tensor::of_floats(std::vector<float>{1, -1}).cast(e.dtype(parts)))});
}

struct OneAxis {
  int64_t axis;
  Norm norm;
};

// (self, n, dim, norm)
Result<OneAxis> one_axis(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a Fourier transform of a single number");
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), x->dims.size()));
  LAN_TRY(const Norm norm, norm_of(lowering, args, 3));
  return OneAxis{axis, norm};
}

template <bool kInverse>
Result<Value> fft(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const OneAxis on, one_axis(lowering, args));
  const Signal x = signal_of(e, args.tensor(0));
  const Dim length = args.is_none(1) ? x.dims[static_cast<size_t>(on.axis)] : args.integer(1);
  return complex_result(e, transform(e, x, on.axis, length, kInverse, false, on.norm));
}

Norm other_way(Norm norm) {
  return norm == Norm::kBackward ? Norm::kForward : norm == Norm::kForward ? Norm::kBackward : norm;
}

// Of a real signal the first half; kHermitian: of the inverse transform
template <bool kHermitian>
Result<Value> rfft(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const OneAxis on, one_axis(lowering, args));
  if (is_complex(args.tensor(0)->dtype)) return lowering.error(ErrorCode::kInvalidInput, "rfft of a complex tensor");
  const Signal x = signal_of(e, args.tensor(0));
  const Dim length = args.is_none(1) ? x.dims[static_cast<size_t>(on.axis)] : args.integer(1);
  const ValueId made = transform(e, x, on.axis, length, false, true, kHermitian ? other_way(on.norm) : on.norm);
  return complex_result(e, kHermitian ? conjugate(e, made) : made);
}

/// The real signal whose transform's first half is `x`.
ValueId to_real(Emitter& e, const Signal& x, int64_t axis, const Dim& length, Norm norm) {
  Signal whole = x;
  if (e.dims(x.value).back().is(1)) {  // real numbers have imaginary parts of 0
    const ValueId real = e.squeeze(x.value, {-1});
    whole.value = joined(e, real, e.expand(e.number(0, x.dtype), x.dims));
  }
  return e.squeeze(transform(e, whole, axis, length, true, true, norm), {-1});
}

template <bool kHermitian>
Result<Value> irfft(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const OneAxis on, one_axis(lowering, args));
  Signal x = signal_of(e, args.tensor(0));
  const Dim half = x.dims[static_cast<size_t>(on.axis)];
  const Dim length = args.is_none(1) ? (half - Dim(1)) * Dim(2) : args.integer(1);
  if (e.failed()) return e.error();
  if (kHermitian && e.dims(x.value).back().is(2)) x.value = conjugate(e, x.value);
  return e.result(to_real(e, x, on.axis, length, kHermitian ? other_way(on.norm) : on.norm));
}

struct ManyAxes {
  std::vector<int64_t> axes;
  Dims lengths;  // empty: as they are
  Norm norm;
};

// (self, s, dim, norm)
Result<ManyAxes> many_axes(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  ManyAxes on{};
  LAN_TRY(on.norm, norm_of(lowering, args, 3));
  const auto lengths = args.optional_ints(1), dims = args.optional_ints(2);
  const size_t rank = x->dims.size();
  if (dims && !dims->empty()) {
    LAN_TRY(on.axes, axes_of(lowering, *dims, rank));
  } else {
    on.axes = all_axes(rank);
    if (lengths && lengths->size() <= rank) on.axes.erase(on.axes.begin(), on.axes.end() - static_cast<std::ptrdiff_t>(lengths->size()));
  }
  if (lengths) on.lengths = *lengths;
  if (on.axes.empty() || (lengths && lengths->size() != on.axes.size())) {
    return lowering.error(ErrorCode::kInvalidInput, "a Fourier transform whose lengths and dimensions do not agree");
  }
  return on;
}

Dim length_of(const ManyAxes& on, size_t i, const Dims& dims) {
  const bool given = !on.lengths.empty() && !on.lengths[i].is(-1);
  return given ? on.lengths[i] : dims[static_cast<size_t>(on.axes[i])];
}

template <bool kInverse>
Result<Value> fftn(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ManyAxes on, many_axes(lowering, args));
  Signal x = signal_of(e, args.tensor(0));
  for (size_t i = on.axes.size(); i-- > 0;) {
    x.value = transform(e, x, on.axes[i], length_of(on, i, x.dims), kInverse, false, on.norm);
  }
  return complex_result(e, x.value);
}

// The last axis by halves, then the others
Result<Value> rfftn(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ManyAxes on, many_axes(lowering, args));
  if (is_complex(args.tensor(0)->dtype)) return lowering.error(ErrorCode::kInvalidInput, "rfftn of a complex tensor");
  Signal x = signal_of(e, args.tensor(0));
  for (size_t i = on.axes.size(); i-- > 0;) {
    x.value = transform(e, x, on.axes[i], length_of(on, i, x.dims), false, i + 1 == on.axes.size(), on.norm);
  }
  return complex_result(e, x.value);
}

Result<Value> irfftn(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ManyAxes on, many_axes(lowering, args));
  Signal x = signal_of(e, args.tensor(0));
  const size_t last = on.axes.size() - 1;
  for (size_t i = 0; i < last; ++i) x.value = transform(e, x, on.axes[i], length_of(on, i, x.dims), true, false, on.norm);
  Dims dims = e.dims(x.value);
  if (e.failed()) return e.error();
  dims.pop_back();
  x.dims = dims;
  const Dim half = x.dims[static_cast<size_t>(on.axes[last])];
  const bool given = !on.lengths.empty() && !on.lengths[last].is(-1);
  return e.result(to_real(e, x, on.axes[last], given ? on.lengths[last] : (half - Dim(1)) * Dim(2), on.norm));
}

// (self, dim): half of each axis goes to the other end
template <bool kBack>
Result<Value> shift(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const auto dims = args.optional_ints(1);
  std::vector<int64_t> axes = all_axes(x->dims.size());
  if (dims) {
    LAN_TRY(axes, axes_of(lowering, *dims, x->dims.size()));
  }
  ValueId value = e.read(x);
  for (const int64_t axis : axes) {
    const Dim length = x->dims[static_cast<size_t>(axis)];
    const Dim first = kBack ? floor_div(length, Dim(2)) : length - floor_div(length, Dim(2));
    value = e.concat({e.slice(value, axis, first, length), e.slice(value, axis, Dim(0), first)}, axis);
  }
  return is_complex(x->dtype) ? complex_result(e, value) : e.result(value);
}

// (n, d, dtype, ...)
template <bool kHalf>
Result<Value> frequencies(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t n, lowering.concrete(args.integer(0)));
  if (n < 1 || n > (int64_t{1} << 24)) return lowering.error(ErrorCode::kInvalidInput, "frequencies of " + std::to_string(n) + " numbers");
  std::vector<double> numbers;
  for (int64_t i = 0; i < (kHalf ? n / 2 + 1 : n); ++i) {
    const int64_t bin = !kHalf && i >= (n + 1) / 2 ? i - n : i;
    numbers.push_back(static_cast<double>(bin) / (static_cast<double>(n) * args.real(1)));
  }
  LAN_TRY(Tensor made, Tensor::of<double>(DType::kF64, {static_cast<int64_t>(numbers.size())}, numbers).cast(args.dtype(2).value_or(DType::kF32)));
  return Value(lowering.literal(std::move(made)));
}

/// A window of n_fft numbers: the given one, or ones, with zeros on both sides.
Result<ValueId> window_of(Emitter& e, const TensorRef& given, const Dim& width, int64_t size, DType dtype) {
  LAN_TRY(const int64_t own, e.lowering().concrete(width));
  if (own < 1 || own > size) return e.lowering().error(ErrorCode::kInvalidInput, "a window of " + std::to_string(own) + " in frames of " + std::to_string(size));
  ValueId window = given ? e.read(given, dtype) : e.filled({own}, 1, dtype);
  if (own < size) window = e.op("Pad", {window, e.ints({(size - own) / 2, size - own - (size - own) / 2})});
  return window;
}

/// The arguments that both directions share: (self, n_fft, hop_length, win_length, window, ...)
struct Frames {
  int64_t size, step;
  ValueId window;
};

Result<Frames> frames_of(Emitter& e, const Args& args, DType dtype) {
  Frames frames{};
  LAN_TRY(frames.size, e.lowering().concrete(args.integer(1)));
  frames.step = frames.size / 4;
  if (!args.is_none(2)) {
    LAN_TRY(frames.step, e.lowering().concrete(args.integer(2)));
  }
  if (frames.size < 1 || frames.step < 1) return e.lowering().error(ErrorCode::kInvalidInput, "a short-time transform without frames");
  LAN_TRY(frames.window, window_of(e, args.optional_tensor(4), args.is_none(3) ? args.integer(1) : args.integer(3), frames.size, dtype));
  return frames;
}

/// kCenter: (.., center, pad_mode, normalized, onesided, return_complex, align); else without those two
template <bool kCenter>
Result<Value> stft(Lowering& lowering, const Args& args) {
  constexpr size_t kNext = kCenter ? 7 : 5;
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const bool complex = is_complex(x->dtype);
  Signal signal = signal_of(e, x);
  LAN_TRY(const Frames frames, frames_of(e, args, signal.dtype));
  const bool single = x->dims.size() == 1;
  if (x->dims.empty() || x->dims.size() > 2) return lowering.error(ErrorCode::kInvalidInput, "stft wants one or two dimensions");
  if (single) signal.value = e.unsqueeze(signal.value, {0});
  if (kCenter && args.flag(5)) {
    const int64_t half = frames.size / 2;
    const std::string& mode = args.text(6);
    if (mode != "reflect" && mode != "constant" && mode != "replicate") return lowering.error(ErrorCode::kUnsupported, "stft with padding '" + mode + "'");
    signal.value = e.op("Pad", {signal.value, e.ints({0, half, 0, 0, half, 0})}, {{"mode", mode == "replicate" ? std::string("edge") : mode}});
  }
  const bool onesided = args.is_none(kNext + 1) ? !complex : args.flag(kNext + 1);
  ValueId made = e.op("STFT", {signal.value, e.integer(frames.step, DType::kI64), frames.window, e.integer(frames.size, DType::kI64)},
                      {{"onesided", int64_t{onesided}}});
  made = e.transpose(made, {0, 2, 1, 3});
  if (args.flag(kNext)) made = e.op("Mul", {made, e.number(1 / std::sqrt(static_cast<double>(frames.size)), signal.dtype)});
  if (single) made = e.squeeze(made, {0});
  const bool as_pairs = !complex && (args.is_none(kNext + 2) || !args.flag(kNext + 2));
  return as_pairs ? e.result(made) : complex_result(e, made);
}

/// Frames [batch, size, count] added up where they overlap: a transposed convolution.
ValueId overlapped(Emitter& e, ValueId frames, const Frames& f) {
  std::vector<double> unit(static_cast<size_t>(f.size * f.size), 0.0);
  for (int64_t i = 0; i < f.size; ++i) unit[static_cast<size_t>(i * f.size + i)] = 1;
  const ValueId kernel = e.constant(Tensor::of<double>(DType::kF64, {f.size, 1, f.size}, unit).cast(e.dtype(frames)));
  const ValueId made = e.op("ConvTranspose", {frames, kernel}, {{"strides", std::vector<int64_t>{f.step}}});
  return e.squeeze(made, {1});
}

// (self, n_fft, hop_length, win_length, window, center, normalized, onesided, length, return_complex)
Result<Value> istft(Lowering& lowering, const Args& args) {
  constexpr int64_t kLargestFrame = 8192;
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (args.flag(9)) return lowering.error(ErrorCode::kUnsupported, "aten::istft to a complex signal");
  const bool pairs = !is_complex(x->dtype);
  const DType dtype = real_type_of(x->dtype);
  ValueId value = e.read(x);
  Dims dims = x->dims;
  if (pairs && !dims.empty()) dims.pop_back();
  LAN_TRY(const Frames frames, frames_of(e, args, dtype));
  if (frames.size > kLargestFrame) return lowering.error(ErrorCode::kUnsupported, "aten::istft of frames of " + std::to_string(frames.size));
  if (dims.size() != 2 && dims.size() != 3) return lowering.error(ErrorCode::kInvalidInput, "istft wants bins and frames");
  const bool single = dims.size() == 2;
  if (single) {
    value = e.unsqueeze(value, {0});
    dims.insert(dims.begin(), Dim(1));
  }
  if (args.flag(6)) value = e.op("Mul", {value, e.number(std::sqrt(static_cast<double>(frames.size)), dtype)});
  bool onesided = true;
  if (args.is_none(7)) {
    LAN_TRY(onesided, lowering.equal(dims[1], Dim(frames.size / 2 + 1)));
  } else {
    onesided = args.flag(7);
  }
  const Signal spectrum{value, dims, dtype};
  ValueId pieces = onesided ? to_real(e, spectrum, 1, Dim(frames.size), Norm::kBackward)
                            : part_of(e, transform(e, spectrum, 1, Dim(frames.size), true, false, Norm::kBackward), 0);
  const ValueId column = e.unsqueeze(frames.window, {1});
  ValueId y = overlapped(e, e.op("Mul", {pieces, column}), frames);
  const ValueId weights = e.expand(e.op("Mul", {column, column}), {Dim(1), Dim(frames.size), dims[2]});
  const ValueId envelope = overlapped(e, weights, frames);
  const Dim all = (dims[2] - Dim(1)) * Dim(frames.step) + Dim(frames.size);
  const Dim start(args.flag(5) ? frames.size / 2 : 0);
  Dim end = args.flag(5) ? all - Dim(frames.size / 2) : all;
  Dim missing(0);
  if (!args.is_none(8)) {
    end = min(start + args.integer(8), all);
    missing = start + args.integer(8) - end;
  }
  y = e.op("Div", {e.slice(y, 1, start, end), e.slice(envelope, 1, start, end)});
  if (!missing.is(0)) y = e.op("Pad", {y, e.shape({Dim(0), Dim(0), Dim(0), missing})});
  return e.result(single ? e.squeeze(y, {0}) : y);
}

constexpr AtenRow kRows[] = {
    {"aten::fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", fft<false>},
    {"aten::fft_ifft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", fft<true>},
    {"aten::fft_rfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", rfft<false>},
    {"aten::fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", irfft<false>},
    {"aten::fft_hfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", irfft<true>},
    {"aten::fft_ihfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", rfft<true>},
    {"aten::fft_fft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor", fftn<false>},
    {"aten::fft_ifft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor", fftn<true>},
    {"aten::fft_rfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor", rfftn},
    {"aten::fft_irfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor", irfftn},
    {"aten::fft_fftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor", fftn<false>},
    {"aten::fft_ifftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor", fftn<true>},
    {"aten::fft_rfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor", rfftn},
    {"aten::fft_irfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor", irfftn},
    {"aten::fft_fftshift(Tensor self, int[1]? dim=None) -> Tensor", shift<false>},
    {"aten::fft_ifftshift(Tensor self, int[1]? dim=None) -> Tensor", shift<true>},
    {"aten::fft_fftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     frequencies<false>},
    {"aten::fft_rfftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     frequencies<true>},
    {"aten::stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
     "normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor",
     stft<false>},
    {"aten::stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
     "center=True, str pad_mode=\"reflect\", bool normalized=False, bool? onesided=None, bool? return_complex=None, "
     "bool? align_to_window=None) -> Tensor",
     stft<true>},
    {"aten::istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
     "center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor",
     istft},
};

}  // namespace

extern const std::span<const AtenRow> aten_fourier = kRows;

}  // namespace lanthorn::script
