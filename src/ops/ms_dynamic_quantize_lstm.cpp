// com.microsoft DynamicQuantizeLSTM: an LSTM whose weights are integers; what it multiplies them
// with is quantized as it runs.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"
#include "ops/recurrent_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

// W and R are [directions, size, 4 * hidden] here; everything else is as in LSTM.
Status infer(InferContext& c) {
  for (size_t i = 0; i < 3; ++i) {
    if (c.rank(i) != 3) return shape_error("X, W and R must have three dimensions");
  }
  if (c.attributes().integer("layout", 0) != 0) return attribute_error("layout", "it must be 0");
  const Dims &x = c.dims(0), &w = c.dims(1), &r = c.dims(2);
  const Dim& hidden = r[1];
  if (!may_equal(w[0], r[0]) || !may_equal(w[1], x[2]) || !may_equal(w[2], hidden * Dim(4)) ||
      !may_equal(r[2], hidden * Dim(4)) ||
      (w[0].is_known() && (w[0].value() < 1 || w[0].value() > 2))) {
    return shape_error("X " + dims_text(x) + ", W " + dims_text(w) + " and R " + dims_text(r) +
                       " do not fit");
  }
  c.set_output(0, DType::kF32, Dims{x[0], w[0], x[1], hidden});
  c.set_output(1, DType::kF32, Dims{w[0], x[1], hidden});
  c.set_output(2, DType::kF32, Dims{w[0], x[1], hidden});
  return ok();
}

// Integer weights [directions, size, columns] as numbers, one scale for a direction or a column.
Result<std::vector<double>> weights(const RunContext& c, size_t input, size_t scale) {
  const TensorView& from = c.input(input);
  const auto directions = static_cast<size_t>(from.shape[0]),
             columns = static_cast<size_t>(from.shape[2]);
  std::vector<double> numbers = read_doubles(from);
  const std::vector<double> scales = read_doubles(c.input(scale)),
                            zeros = read_doubles(c.input(scale + 1));
  if (scales.size() != zeros.size() ||
      (scales.size() != directions && scales.size() != directions * columns)) {
    return shape_error("a scale does not fit its weights");
  }
  const size_t each = numbers.size() / directions;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t at = scales.size() == directions ? i / each : i / each * columns + i % columns;
    numbers[i] = (numbers[i] - zeros[at]) * scales[at];
  }
  return numbers;
}

// The numbers as 8 bits can hold them, with the range that they have together.
void through_bytes(std::span<double> numbers) {
  double low = 0, high = 0;
  for (const double number : numbers) low = std::min(low, number), high = std::max(high, number);
  const float scale = low == high ? 1.0f : static_cast<float>((high - low) / 255);
  const double zero = std::clamp(std::nearbyint(-low / static_cast<double>(scale)), 0.0, 255.0);
  for (double& number : numbers) {
    const double level = std::nearbyint(number / static_cast<double>(scale)) + zero;
    number = (std::clamp(level, 0.0, 255.0) - zero) * static_cast<double>(scale);
  }
}

struct Matrix {
  const double* data;
  int64_t rows, columns;
  // sums[columns] += x[rows] * this
  void add_product(const double* x, double* sums) const {
    for (int64_t k = 0; k < rows; ++k) {
      for (int64_t i = 0; i < columns; ++i) sums[i] += x[k] * data[k * columns + i];
    }
  }
};

Status reference(const RunContext& c) {
  RecurrentShape s = recurrent_shape(c, 4);
  s.hidden = c.input(2).shape[1];
  const auto hidden = static_cast<size_t>(s.hidden);
  LAN_TRY(const std::vector<double> w, weights(c, 1, 8));
  LAN_TRY(const std::vector<double> r, weights(c, 2, 10));
  const auto directions = static_cast<size_t>(s.directions);
  std::vector<double> bias(directions * 8 * hidden), peep(directions * 3 * hidden);
  for (const auto& [input, target] : {std::pair{size_t{3}, &bias}, std::pair{size_t{7}, &peep}}) {
    if (!c.has_input(input)) continue;
    if (c.input(input).count() != static_cast<int64_t>(target->size()))
      return shape_error("B or P does not fit");
    *target = read_doubles(c.input(input));
  }
  for (const size_t input : {size_t{5}, size_t{6}}) {
    if (c.has_input(input) && c.input(input).count() != s.directions * s.batch * s.hidden) {
      return shape_error("an initial state does not fit");
    }
  }
  std::vector<double> h = initial_state(c, s, 5), memory = initial_state(c, s, 6);
  std::vector<double> x = read_doubles(c.input(0));
  through_bytes(x);
  LAN_TRY(const std::vector<int64_t> lengths, sequence_lengths(c, s));
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  std::vector<double> y(static_cast<size_t>(s.length * s.directions * s.batch * s.hidden));
  std::vector<double> gates(4 * hidden);
  for (int64_t d = 0; d < s.directions; ++d) {
    const Matrix from_input{w.data() + d * s.size * 4 * s.hidden, s.size, 4 * s.hidden};
    const Matrix from_state{r.data() + d * s.hidden * 4 * s.hidden, s.hidden, 4 * s.hidden};
    const double *b = bias.data() + d * 8 * s.hidden, *p = peep.data() + d * 3 * s.hidden;
    const bool reversed = d == 1 || c.attributes().text("direction", "forward") == "reverse";
    for (int64_t k = 0; k < s.length; ++k) {
      std::vector<double> before(h.begin() + d * s.batch * s.hidden,
                                 h.begin() + (d + 1) * s.batch * s.hidden);
      through_bytes(before);
      for (int64_t n = 0; n < s.batch; ++n) {
        const int64_t length = lengths[static_cast<size_t>(n)];
        if (k >= length) continue;
        const int64_t t = reversed ? length - 1 - k : k;
        for (size_t i = 0; i < gates.size(); ++i) gates[i] = b[i] + b[4 * hidden + i];
        from_input.add_product(recurrent_row(s, x, t, n), gates.data());
        from_state.add_product(before.data() + n * s.hidden, gates.data());
        const auto at = static_cast<size_t>((d * s.batch + n) * s.hidden);
        for (size_t i = 0; i < hidden; ++i) {
          double& cell = memory[at + i];
          const double in = sigmoid(gates[i] + p[i] * cell);
          const double keep = sigmoid(gates[2 * hidden + i] + p[2 * hidden + i] * cell);
          cell = keep * cell + in * std::tanh(gates[3 * hidden + i]);
          const double out = sigmoid(gates[hidden + i] + p[hidden + i] * cell);
          h[at + i] = out * std::tanh(cell);
        }
        std::copy_n(h.begin() + static_cast<std::ptrdiff_t>(at), hidden,
                    y.begin() + ((t * s.directions + d) * s.batch + n) * s.hidden);
      }
    }
  }
  write_recurrent_y(c, s, y);
  write_recurrent_state(c, s, 1, h);
  write_recurrent_state(c, s, 2, memory);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_dynamic_quantize_lstm{
    .name = "DynamicQuantizeLSTM",
    .domain = "com.microsoft",
    .inputs = {{"X", kF32},
               {"W", kBytes},
               {"R", kBytes},
               {"B", kF32, true},
               {"sequence_lens", type_bit(DType::kI32), true},
               {"initial_h", kF32, true},
               {"initial_c", kF32, true},
               {"P", kF32, true},
               {"W_scale", kF32},
               {"W_zero_point", kBytes},
               {"R_scale", kF32},
               {"R_zero_point", kBytes}},
    .outputs = {{"Y", kF32, true}, {"Y_h", kF32, true}, {"Y_c", kF32, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
