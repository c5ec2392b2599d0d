// OPS: dft stft
// Fourier transforms: https://onnx.ai/onnx/operators/onnx__DFT.html and its kin.
// A number is a last dimension of size 1 (real) or 2 (complex).

#include "ops/fourier_shared.h"

#include <algorithm>
#include "ops/loops.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kCounts = type_bit(DType::kI32) | kI64Type;

Status require_number(const InferContext& c, size_t input, std::string_view name) {
  if (!c.has_input(input) || !all_known(c.dims(input)) || product(c.dims(input)).is(1)) return ok();
  return refused(std::string(name) + " is one number");
}

// The single number of an input, or `fallback` where it is absent.
Dim number_or(const InferContext& c, size_t input, Dim fallback) {
  if (!c.has_input(input)) return fallback;
  const auto known = c.elements(input);
  return known && known->size() == 1 ? known->front() : Dim::unknown();
}

Status require_parts(const InferContext& c, size_t input) {
  const Dim& parts = c.dims(input).back();
  if (!parts.is_known() || parts.is(1) || parts.is(2)) return ok();
  return refused("the last dimension holds one number or two, not " + parts.text());
}

Status infer_dft(InferContext& c) {
  LAN_OK(require_rank(c, 0, 2));
  LAN_OK(require_parts(c, 0));
  LAN_OK(require_number(c, 1, "dft_length"));
  LAN_OK(require_number(c, 2, "axis"));
  const bool inverse = c.attributes().integer("inverse", 0) != 0;
  const bool onesided = c.attributes().integer("onesided", 0) != 0;
  const Dim axis = number_or(c, 2, Dim(-2));
  Dims dims = c.dims(0);
  dims.back() = Dim(inverse && onesided ? 1 : 2);
  if (!axis.is_known()) {
    for (size_t i = 0; i + 1 < dims.size(); ++i) dims[i] = Dim::unknown();
    c.set_output(0, c.dtype(0), std::move(dims));
    return ok();
  }
  LAN_TRY(const int64_t at, normal_axis(axis.value(), c.rank(0)));
  if (at + 1 == c.rank(0)) return refused("the axis is the one of the complex numbers");
  Dim& size = dims[static_cast<size_t>(at)];
  const Dim usual = inverse && onesided ? Dim(2) * (size - Dim(1)) : size;
  const Dim length = number_or(c, 1, usual);
  if (length.is_known() && length.value() < 1) return refused("a transform of no numbers");
  size = onesided && !inverse ? floor_div(length, Dim(2)) + Dim(1) : length;
  c.set_output(0, c.dtype(0), std::move(dims));
  return ok();
}

Status run_dft(const RunContext& c) {
  const TensorView& from = c.input(0);
  const MutableTensorView& to = c.output(0);
  const bool inverse = c.attributes().integer("inverse", 0) != 0;
  const bool onesided = c.attributes().integer("onesided", 0) != 0;
  LAN_TRY(const int64_t axis, normal_axis(c.has_input(2) ? read_ints(c.input(2))[0] : -2,
                                          static_cast<int64_t>(from.rank())));
  const auto at = static_cast<size_t>(axis);
  const int64_t available = from.shape[at], made = to.shape[at];
  const int64_t length = c.has_input(1)        ? read_ints(c.input(1))[0]
                         : inverse && onesided ? 2 * (available - 1)
                                               : available;
  const int64_t parts = from.shape.back(), out_parts = to.shape.back();
  const int64_t inner = count_between(from.shape, at + 1, from.rank() - 1);
  const int64_t outer = count_between(from.shape, 0, at);
  const std::vector<double> x = read_doubles(from);
  std::vector<double> y(static_cast<size_t>(to.count()));
  const Fourier transform(static_cast<size_t>(length), inverse);
  std::vector<Complex> line;
  for (int64_t row = 0; row < outer * inner; ++row) {
    const int64_t block = row / inner, column = row % inner;
    line.assign(static_cast<size_t>(length), Complex{});
    // Half a spectrum is completed by its mirror.
    const int64_t given = inverse && onesided ? length / 2 + 1 : length;
    for (int64_t i = 0; i < std::min(given, available); ++i) {
      const int64_t place = ((block * available + i) * inner + column) * parts;
      line[static_cast<size_t>(i)] = {x[static_cast<size_t>(place)],
                                      parts == 2 ? x[static_cast<size_t>(place) + 1] : 0};
    }
    for (int64_t i = given; i < length; ++i) {
      const Complex& mirrored = line[static_cast<size_t>(length - i)];
      line[static_cast<size_t>(i)] = {mirrored.real, -mirrored.imaginary};
    }
    transform.run(line);
    for (int64_t i = 0; i < made; ++i) {
      const int64_t place = ((block * made + i) * inner + column) * out_parts;
      y[static_cast<size_t>(place)] = line[static_cast<size_t>(i)].real;
      if (out_parts == 2) {
        y[static_cast<size_t>(place) + 1] = line[static_cast<size_t>(i)].imaginary;
      }
    }
  }
  write_doubles(to, y);
  return ok();
}

// frame_length, else the window's, else the whole signal.
Dim frame_length(const InferContext& c) {
  if (c.has_input(3)) return number_or(c, 3, Dim::unknown());
  return c.has_input(2) ? c.dims(2)[0] : c.dims(0)[1];
}

Status infer_stft(InferContext& c) {
  LAN_OK(require_rank(c, 0, 3, 3));
  LAN_OK(require_parts(c, 0));
  LAN_OK(require_number(c, 1, "frame_step"));
  LAN_OK(require_number(c, 3, "frame_length"));
  if (c.has_input(2)) LAN_OK(require_rank(c, 2, 1, 1));
  const Dim step = number_or(c, 1, Dim::unknown()), length = frame_length(c);
  if (step.is_known() && step.value() < 1) return refused("frame_step must be positive");
  if (length.is_known() && length.value() < 1) return refused("frame_length must be positive");
  if (c.has_input(2) && !may_equal(c.dims(2)[0], length)) {
    return refused("the window has " + c.dims(2)[0].text() + " numbers, a frame " + length.text());
  }
  const Dim frames = floor_div(c.dims(0)[1] - length, step) + Dim(1);
  const bool onesided = c.attributes().integer("onesided", 1) != 0;
  const Dim bins = onesided ? floor_div(length, Dim(2)) + Dim(1) : length;
  if (frames.is_known() && frames.value() < 0) return refused("a frame is longer than the signal");
  c.set_output(0, c.dtype(0), Dims{c.dims(0)[0], frames, bins, Dim(2)});
  return ok();
}

Status run_stft(const RunContext& c) {
  const TensorView& signal = c.input(0);
  const MutableTensorView& to = c.output(0);
  const int64_t samples = signal.shape[1], parts = signal.shape[2];
  const int64_t frames = to.shape[1], bins = to.shape[2], step = read_ints(c.input(1))[0];
  const std::vector<double> x = read_doubles(signal);
  std::vector<double> window;
  if (c.has_input(2)) window = read_doubles(c.input(2));
  int64_t length = c.has_input(2) ? static_cast<int64_t>(window.size()) : samples;
  if (c.has_input(3)) length = read_ints(c.input(3))[0];
  window.resize(static_cast<size_t>(length), 1.0);
  std::vector<double> y(static_cast<size_t>(to.count()));
  const Fourier transform(static_cast<size_t>(length), false);
  std::vector<Complex> line(static_cast<size_t>(length));
  for (int64_t row = 0; row < signal.shape[0] * frames; ++row) {
    const int64_t begin = (row / frames * samples + row % frames * step) * parts;
    for (int64_t i = 0; i < length; ++i) {
      const auto place = static_cast<size_t>(begin + i * parts);
      const double weight = window[static_cast<size_t>(i)];
      line[static_cast<size_t>(i)] = {x[place] * weight, parts == 2 ? x[place + 1] * weight : 0};
    }
    transform.run(line);
    for (int64_t i = 0; i < bins; ++i) {
      const auto place = static_cast<size_t>((row * bins + i) * 2);
      y[place] = line[static_cast<size_t>(i)].real;
      y[place + 1] = line[static_cast<size_t>(i)].imaginary;
    }
    line.resize(static_cast<size_t>(length));
  }
  write_doubles(to, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_dft{
    .name = "DFT",
    .since = 20,
    .inputs = {{"input", kFloats}, {"dft_length", kCounts, true}, {"axis", kI64Type, true}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_dft,
    .reference = run_dft,
};

extern constinit const OpDef op_stft{
    .name = "STFT",
    .since = 17,
    .inputs = {{"signal", kFloats},
               {"frame_step", kCounts},
               {"window", kFloats, true},
               {"frame_length", kCounts, true}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_stft,
    .reference = run_stft,
};

}  // namespace lanthorn
