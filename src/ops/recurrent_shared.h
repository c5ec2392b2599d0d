#pragma once

#include <cstdint>
#include <vector>

#include "ops/fused_activation_shared.h"
#include "ops/op.h"

namespace lanthorn {

/// What LSTM, GRU and RNN share. Inputs: X [length, batch, size], W [directions, gates * hidden,
/// size], R [directions, gates * hidden, hidden], B [directions, 2 * gates * hidden], sequence_lens
/// [batch], initial_h [directions, batch, hidden]; batch first everywhere with layout 1.
/// https://onnx.ai/onnx/operators/onnx__LSTM.html
struct RecurrentShape {
  int64_t length = 0, batch = 0, size = 0, hidden = 0, directions = 1, gates = 1;
  bool batch_first = false;
};

/// Checks the inputs and sets outputs Y, Y_h and, for an LSTM, Y_c.
Status infer_recurrent(InferContext& c, int64_t gates, bool has_cell);
RecurrentShape recurrent_shape(const RunContext& c, int64_t gates);

/// One direction of a run: its weights, and what it works on.
struct RecurrentDirection {
  std::vector<double> w, r, b;  // [gates * hidden, size], [gates * hidden, hidden], bias or zeros
  std::vector<FusedActivation> activations;
  double clip = 0;  // 0: none
  bool reversed = false;

  double clipped(double x) const {
    return clip > 0 ? (x < -clip ? -clip : x > clip ? clip : x) : x;
  }
};
/// The directions of a node; `defaults` are the activations of one direction.
Result<std::vector<RecurrentDirection>> recurrent_directions(
    const RunContext& c, const RecurrentShape& s, std::initializer_list<std::string_view> defaults);

/// Element [t, n, :] of X.
const double* recurrent_row(const RecurrentShape& s, const std::vector<double>& x, int64_t t,
                            int64_t n);
/// The state [directions, batch, hidden] that input `i` holds, or zeros.
std::vector<double> initial_state(const RunContext& c, const RecurrentShape& s, size_t i);
/// The length of each sample: input 4, or the whole.
Result<std::vector<int64_t>> sequence_lengths(const RunContext& c, const RecurrentShape& s);

/// Stores Y [length, directions, batch, hidden] and a final state, in the node's layout.
void write_recurrent_y(const RunContext& c, const RecurrentShape& s, const std::vector<double>& y);
void write_recurrent_state(const RunContext& c, const RecurrentShape& s, size_t output,
                           const std::vector<double>& state);

}  // namespace lanthorn
