// OPS: lstm gru rnn
// Recurrent layers. https://onnx.ai/onnx/operators/onnx__LSTM.html
// https://onnx.ai/onnx/operators/onnx__GRU.html https://onnx.ai/onnx/operators/onnx__RNN.html

#include <algorithm>

#include "ops/numbers_shared.h"
#include "ops/recurrent_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kLengths = type_bit(DType::kI32);

double dot(const double* a, const double* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// One step of one sample: new h (and c) from x and the old ones.
struct Cell {
  const RecurrentShape& s;
  const RecurrentDirection& d;

  // Row `gate`, `i` of W x + Wb.
  double from_input(int64_t gate, int64_t i, const double* x) const {
    const int64_t row = gate * s.hidden + i;
    return dot(d.w.data() + row * s.size, x, s.size) + d.b[static_cast<size_t>(row)];
  }
  // Row `gate`, `i` of R h + Rb.
  double from_state(int64_t gate, int64_t i, const double* h) const {
    const int64_t row = gate * s.hidden + i;
    return dot(d.r.data() + row * s.hidden, h, s.hidden) +
           d.b[static_cast<size_t>(s.gates * s.hidden + row)];
  }
  double gate(int64_t g, int64_t i, const double* x, const double* h) const {
    return from_input(g, i, x) + from_state(g, i, h);
  }
};

// Calls `step(cell, x, n, state offset)` for every direction, step and sample and gathers Y.
template <class Step>
Status run(const RunContext& c, const RecurrentShape& s,
           const std::vector<RecurrentDirection>& directions, std::vector<double>& h, Step step) {
  const std::vector<double> x = read_doubles(c.input(0));
  LAN_TRY(const std::vector<int64_t> lengths, sequence_lengths(c, s));
  std::vector<double> y(static_cast<size_t>(s.length * s.directions * s.batch * s.hidden));
  for (int64_t d = 0; d < s.directions; ++d) {
    const RecurrentDirection& direction = directions[static_cast<size_t>(d)];
    const Cell cell{s, direction};
    for (int64_t n = 0; n < s.batch; ++n) {
      const int64_t length = lengths[static_cast<size_t>(n)];
      const int64_t at = (d * s.batch + n) * s.hidden;
      for (int64_t k = 0; k < length; ++k) {
        const int64_t t = direction.reversed ? length - 1 - k : k;
        step(cell, recurrent_row(s, x, t, n), at);
        double* to = y.data() + ((t * s.directions + d) * s.batch + n) * s.hidden;
        for (int64_t i = 0; i < s.hidden; ++i) to[i] = h[static_cast<size_t>(at + i)];
      }
    }
  }
  write_recurrent_y(c, s, y);
  write_recurrent_state(c, s, 1, h);
  return ok();
}

Status infer_lstm(InferContext& c) { return infer_recurrent(c, 4, true); }
Status infer_gru(InferContext& c) { return infer_recurrent(c, 3, false); }
Status infer_rnn(InferContext& c) { return infer_recurrent(c, 1, false); }

// Gates in the order i, o, f, c; peepholes P in the order i, o, f.
Status lstm(const RunContext& c) {
  const RecurrentShape s = recurrent_shape(c, 4);
  LAN_TRY(const auto directions, recurrent_directions(c, s, {"Sigmoid", "Tanh", "Tanh"}));
  const bool couple = c.attributes().integer("input_forget", 0) != 0;
  std::vector<double> h = initial_state(c, s, 5), memory = initial_state(c, s, 6);
  std::vector<double> peep(static_cast<size_t>(s.directions * 3 * s.hidden));
  if (c.has_input(7)) {
    if (c.input(7).count() != static_cast<int64_t>(peep.size()))
      return shape_error("P does not fit");
    peep = read_doubles(c.input(7));
  }
  std::vector<double> next(static_cast<size_t>(s.hidden));
  LAN_OK(run(c, s, directions, h, [&](const Cell& cell, const double* x, int64_t at) {
    const auto& act = cell.d.activations;
    const double* old = h.data() + at;
    const double* p = peep.data() + at / (s.batch * s.hidden) * 3 * s.hidden;
    for (int64_t i = 0; i < s.hidden; ++i) {
      double& before = memory[static_cast<size_t>(at + i)];
      const double in = act[0](cell.d.clipped(cell.gate(0, i, x, old) + p[i] * before));
      const double keep =
          couple ? 1 - in
                 : act[0](cell.d.clipped(cell.gate(2, i, x, old) + p[2 * s.hidden + i] * before));
      const double fresh = act[1](cell.d.clipped(cell.gate(3, i, x, old)));
      before = keep * before + in * fresh;
      const double out = act[0](cell.d.clipped(cell.gate(1, i, x, old) + p[s.hidden + i] * before));
      next[static_cast<size_t>(i)] = out * act[2](before);
    }
    std::copy(next.begin(), next.end(), h.begin() + at);
  }));
  write_recurrent_state(c, s, 2, memory);
  return ok();
}

// Gates in the order z, r, h.
Status gru(const RunContext& c) {
  const RecurrentShape s = recurrent_shape(c, 3);
  LAN_TRY(const auto directions, recurrent_directions(c, s, {"Sigmoid", "Tanh"}));
  const bool linear_first = c.attributes().integer("linear_before_reset", 0) != 0;
  std::vector<double> h = initial_state(c, s, 5);
  const auto hidden = static_cast<size_t>(s.hidden);
  std::vector<double> next(hidden), reset(hidden), faded(hidden);
  return run(c, s, directions, h, [&](const Cell& cell, const double* x, int64_t at) {
    const auto& act = cell.d.activations;
    const double* old = h.data() + at;
    for (int64_t i = 0; i < s.hidden; ++i) {
      const auto k = static_cast<size_t>(i);
      reset[k] = act[0](cell.d.clipped(cell.gate(1, i, x, old)));
      faded[k] = reset[k] * old[i];
    }
    for (int64_t i = 0; i < s.hidden; ++i) {
      const auto k = static_cast<size_t>(i);
      const double update = act[0](cell.d.clipped(cell.gate(0, i, x, old)));
      const double from_state = linear_first ? reset[k] * cell.from_state(2, i, old)
                                             : cell.from_state(2, i, faded.data());
      const double fresh = act[1](cell.d.clipped(cell.from_input(2, i, x) + from_state));
      next[k] = (1 - update) * fresh + update * old[i];
    }
    std::copy(next.begin(), next.end(), h.begin() + at);
  });
}

Status rnn(const RunContext& c) {
  const RecurrentShape s = recurrent_shape(c, 1);
  LAN_TRY(const auto directions, recurrent_directions(c, s, {"Tanh"}));
  std::vector<double> h = initial_state(c, s, 5);
  std::vector<double> next(static_cast<size_t>(s.hidden));
  return run(c, s, directions, h, [&](const Cell& cell, const double* x, int64_t at) {
    for (int64_t i = 0; i < s.hidden; ++i) {
      next[static_cast<size_t>(i)] =
          cell.d.activations[0](cell.d.clipped(cell.gate(0, i, x, h.data() + at)));
    }
    std::copy(next.begin(), next.end(), h.begin() + at);
  });
}

}  // namespace

extern constinit const OpDef op_lstm{
    .name = "LSTM",
    .since = 22,
    .inputs = {{"X", kFloats},
               {"W", kFloats},
               {"R", kFloats},
               {"B", kFloats, true},
               {"sequence_lens", kLengths, true},
               {"initial_h", kFloats, true},
               {"initial_c", kFloats, true},
               {"P", kFloats, true}},
    .outputs = {{"Y", kFloats, true}, {"Y_h", kFloats, true}, {"Y_c", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_lstm,
    .reference = lstm,
};

extern constinit const OpDef op_gru{
    .name = "GRU",
    .since = 22,
    .inputs = {{"X", kFloats},
               {"W", kFloats},
               {"R", kFloats},
               {"B", kFloats, true},
               {"sequence_lens", kLengths, true},
               {"initial_h", kFloats, true}},
    .outputs = {{"Y", kFloats, true}, {"Y_h", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_gru,
    .reference = gru,
};

extern constinit const OpDef op_rnn{
    .name = "RNN",
    .since = 22,
    .inputs = {{"X", kFloats},
               {"W", kFloats},
               {"R", kFloats},
               {"B", kFloats, true},
               {"sequence_lens", kLengths, true},
               {"initial_h", kFloats, true}},
    .outputs = {{"Y", kFloats, true}, {"Y_h", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_rnn,
    .reference = rnn,
};

}  // namespace lanthorn
