// LSTM, GRU and plain recurrent layers, and packed sequences.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

enum class Cell : uint8_t { kLstm, kGru, kTanh, kRelu };

int64_t gate_count(Cell cell) { return cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1; }

/// Rows of a weight or bias, gate by gate, from PyTorch's order to ONNX's: (i f g o) to (i o f c),
/// (r z n) to (z r h).
ValueId ordered(Emitter& e, ValueId value, Cell cell, const Dim& hidden) {
  if (gate_count(cell) == 1) return value;
  const auto gates = e.split(value, 0, Dims(static_cast<size_t>(gate_count(cell)), hidden));
  if (cell == Cell::kLstm) return e.concat({gates[0], gates[3], gates[1], gates[2]}, 0);
  return e.concat({gates[1], gates[0], gates[2]}, 0);
}

struct Layers {
  Cell cell = Cell::kLstm;
  ValueId x = kNoValue;        // [time, batch, features]
  ValueId lengths = kNoValue;  // of each sequence, int32; kNoValue: all are full
  ValueId hidden = kNoValue, state = kNoValue;  // [layers * directions, batch, size]
  std::vector<TensorRef> params;
  bool biases = true, bidirectional = false;
  int64_t layers = 1;
};

struct Outputs {
  ValueId y, hidden, state;
};

/// An LSTM whose hidden state is projected to a smaller one has no operator: it is unrolled, a step a few nodes.
Result<Outputs> run_projecting(Emitter& e, const Layers& in) {
  constexpr int64_t kMostSteps = 2048;
  const int64_t directions = in.bidirectional ? 2 : 1;
  const size_t per = in.biases ? 5 : 3;
  const Dims x_dims = e.dims(in.x);
  if (e.failed()) return e.error();
  LAN_TRY(const int64_t steps, e.lowering().concrete(x_dims.at(0)));
  if (steps < 1 || steps > kMostSteps) {
    return e.lowering().error(ErrorCode::kUnsupported, "an LSTM with projections over " + std::to_string(steps) + " steps");
  }
  std::vector<ValueId> hiddens, states;
  ValueId x = in.x;
  for (int64_t layer = 0; layer < in.layers; ++layer) {
    std::vector<ValueId> sides;
    for (int64_t direction = 0; direction < directions; ++direction) {
      const size_t first = per * static_cast<size_t>(layer * directions + direction);
      const auto weight = [&](size_t i) { return e.transpose(e.read(in.params[first + i]), {1, 0}); };
      ValueId from_x = e.op("MatMul", {x, weight(0)});  // [time, batch, gates]
      if (in.biases) {
        from_x = e.op("Add", {from_x, e.op("Add", {e.read(in.params[first + 2]), e.read(in.params[first + 3])})});
      }
      const ValueId recurrent = weight(1), project = weight(in.biases ? 4 : 2);
      const Dim row(layer * directions + direction), size = in.params[first + per - 1]->dims.at(1);
      ValueId hidden = e.select(in.hidden, 0, row), state = e.select(in.state, 0, row);
      std::vector<ValueId> made(static_cast<size_t>(steps));
      for (int64_t step = 0; step < steps; ++step) {
        const int64_t at = direction == 0 ? step : steps - 1 - step;
        const ValueId sum = e.op("Add", {e.select(from_x, 0, Dim(at)), e.op("MatMul", {hidden, recurrent})});
        const auto gates = e.split(sum, -1, Dims(4, size));
        const ValueId keep = e.op("Mul", {e.op("Sigmoid", {gates[1]}), state});
        state = e.op("Add", {keep, e.op("Mul", {e.op("Sigmoid", {gates[0]}), e.op("Tanh", {gates[2]})})});
        hidden = e.op("MatMul", {e.op("Mul", {e.op("Sigmoid", {gates[3]}), e.op("Tanh", {state})}), project});
        made[static_cast<size_t>(at)] = e.unsqueeze(hidden, {0});
      }
      hiddens.push_back(e.unsqueeze(hidden, {0}));
      states.push_back(e.unsqueeze(state, {0}));
      sides.push_back(e.concat(std::move(made), 0));
    }
    x = e.concat(std::move(sides), 2);
  }
  return Outputs{x, e.concat(hiddens, 0), e.concat(states, 0)};
}

Result<Outputs> run_layers(Emitter& e, const Layers& in) {
  const int64_t directions = in.bidirectional ? 2 : 1;
  const size_t per = in.biases ? 4 : 2;
  const size_t projecting = per + 1;
  if (in.layers >= 1 && in.cell == Cell::kLstm && in.lengths == kNoValue &&
      in.params.size() == projecting * static_cast<size_t>(in.layers * directions)) {
    return run_projecting(e, in);
  }
  if (in.layers < 1 || in.params.size() != per * static_cast<size_t>(in.layers * directions)) {
    return e.lowering().error(ErrorCode::kUnsupported, "a recurrent layer with projections");
  }
  const Dim size = in.params[1]->dims.at(1);
  LAN_TRY(const int64_t hidden_size, e.lowering().concrete(size));
  std::vector<ValueId> hiddens, states;
  ValueId x = in.x;
  for (int64_t layer = 0; layer < in.layers; ++layer) {
    std::vector<ValueId> weights, recurrences, biases;
    for (int64_t direction = 0; direction < directions; ++direction) {
      const size_t first = per * static_cast<size_t>(layer * directions + direction);
      const auto gates = [&](size_t i) { return ordered(e, e.read(in.params[first + i]), in.cell, size); };
      weights.push_back(e.unsqueeze(gates(0), {0}));
      recurrences.push_back(e.unsqueeze(gates(1), {0}));
      if (in.biases) biases.push_back(e.unsqueeze(e.concat({gates(2), gates(3)}, 0), {0}));
    }
    const Dim start(layer * directions), end((layer + 1) * directions);
    std::vector<ValueId> inputs = {x, e.concat(weights, 0), e.concat(recurrences, 0),
                                   in.biases ? e.concat(biases, 0) : kNoValue, in.lengths,
                                   in.layers == 1 ? in.hidden : e.slice(in.hidden, 0, start, end)};
    Attributes attributes = {{"hidden_size", hidden_size},
                             {"direction", std::string(in.bidirectional ? "bidirectional" : "forward")}};
    const bool lstm = in.cell == Cell::kLstm;
    if (lstm) inputs.push_back(in.layers == 1 ? in.state : e.slice(in.state, 0, start, end));
    if (in.cell == Cell::kGru) attributes.set("linear_before_reset", int64_t{1});
    if (in.cell == Cell::kRelu) {
      attributes.set("activations", std::vector<std::string>(static_cast<size_t>(directions), "Relu"));
    }
    const std::string op = lstm ? "LSTM" : in.cell == Cell::kGru ? "GRU" : "RNN";
    const auto made = e.ops(op, std::move(inputs), lstm ? 3 : 2, std::move(attributes));
    hiddens.push_back(made[1]);
    if (lstm) states.push_back(made[2]);
    if (in.bidirectional) {
      const Dims dims = e.dims(made[0]);  // [time, directions, batch, size]
      if (e.failed()) return e.error();
      x = e.reshape(e.transpose(made[0], {0, 2, 1, 3}), {dims[0], dims[2], size * Dim(2)});
    } else {
      x = e.squeeze(made[0], {1});
    }
  }
  return Outputs{x, e.concat(hiddens, 0), states.empty() ? kNoValue : e.concat(states, 0)};
}

Status common(Lowering& lowering, const Args& args, size_t first, Layers& layers) {
  layers.params = args.tensors(first);
  layers.biases = args.flag(first + 1);
  LAN_TRY(layers.layers, lowering.concrete(args.integer(first + 2)));
  if (args.flag(first + 4) && args.real(first + 3) > 0) {
    lowering.note("a recurrent layer has dropout in training mode: nothing is dropped");
  }
  layers.bidirectional = args.flag(first + 5);
  return ok();
}

Status initial(Emitter& e, const Args& args, size_t at, Layers& layers) {
  if (layers.cell != Cell::kLstm) {
    layers.hidden = e.read(args.tensor(at));
    return ok();
  }
  const auto start = args.tensors(at);
  if (start.size() != 2) return e.lowering().error(ErrorCode::kInvalidInput, "an LSTM starts from two tensors");
  layers.hidden = e.read(start[0]);
  layers.state = e.read(start[1]);
  return ok();
}

Result<Value> finish(Emitter& e, Cell cell, ValueId y, const Outputs& made) {
  if (cell == Cell::kLstm) return e.tuple({y, made.hidden, made.state});
  return e.tuple({y, made.hidden});
}

// (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
template <Cell kCell>
Result<Value> padded(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  Layers layers{.cell = kCell};
  LAN_OK(common(lowering, args, 2, layers));
  LAN_OK(initial(e, args, 1, layers));
  const bool batch_first = args.flag(8);
  layers.x = e.read(args.tensor(0));
  if (batch_first) layers.x = e.transpose(layers.x, {1, 0, 2});
  LAN_TRY(const Outputs made, run_layers(e, layers));
  return finish(e, kCell, batch_first ? e.transpose(made.y, {1, 0, 2}) : made.y, made);
}

/// Where in [time, batch] a packed sequence has its rows, in their order.
struct Packing {
  ValueId mask;    // [time, batch]
  ValueId places;  // [rows, 2]
  Dim time, batch;
};

Packing packing_of(Emitter& e, const TensorRef& batch_sizes, const Dim& batch) {
  Packing packing{.time = batch_sizes->dims.at(0), .batch = batch};
  const ValueId counts = e.unsqueeze(e.read(batch_sizes, DType::kI64), {1});
  const ValueId columns = e.op("Range", {e.integer(0, DType::kI64), e.squeeze(e.shape({batch}), {0}), e.integer(1, DType::kI64)});
  packing.mask = e.op("Less", {e.unsqueeze(columns, {0}), counts});
  packing.places = e.transpose(e.op("NonZero", {packing.mask}), {1, 0});
  return packing;
}

/// Rows put to their places among copies of `fill`.
ValueId unpacked(Emitter& e, const Packing& packing, ValueId rows, ValueId fill) {
  Dims dims = e.dims(rows);
  if (e.failed()) return kNoValue;
  dims[0] = packing.batch;
  dims.insert(dims.begin(), packing.time);
  return e.op("ScatterND", {e.expand(fill, dims), packing.places, rows});
}

ValueId lengths_of(Emitter& e, const Packing& packing, DType dtype) {
  return e.cast(e.reduce("ReduceSum", e.cast(packing.mask, DType::kI64), {0}, false), dtype);
}

// (data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)
template <Cell kCell>
Result<Value> packed(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  Layers layers{.cell = kCell};
  LAN_OK(common(lowering, args, 3, layers));
  LAN_OK(initial(e, args, 2, layers));
  const Dims start = e.dims(layers.hidden);
  if (e.failed()) return e.error();
  const Packing packing = packing_of(e, args.tensor(1), start.at(1));
  const DType dtype = args.tensor(0)->dtype;
  layers.x = unpacked(e, packing, e.read(args.tensor(0)), e.number(0, dtype));
  layers.lengths = lengths_of(e, packing, DType::kI32);
  LAN_TRY(const Outputs made, run_layers(e, layers));
  return finish(e, kCell, e.op("GatherND", {made.y, packing.places}), made);
}

// (input, lengths, batch_first) -> (data, batch_sizes); lengths descend
Result<Value> pack(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  ValueId x = e.read(args.tensor(0));
  if (args.flag(2)) x = e.transpose(x, {1, 0, 2});
  const ValueId lengths = e.read(args.tensor(1), DType::kI64);
  const ValueId longest = e.reduce("ReduceMax", lengths, {}, false);
  const ValueId steps = e.op("Range", {e.integer(0, DType::kI64), longest, e.integer(1, DType::kI64)});
  const ValueId mask = e.op("Less", {e.unsqueeze(steps, {1}), e.unsqueeze(lengths, {0})});
  const ValueId places = e.transpose(e.op("NonZero", {mask}), {1, 0});
  const ValueId sizes = e.reduce("ReduceSum", e.cast(mask, DType::kI64), {1}, false);
  return e.tuple({e.op("GatherND", {x, places}), sizes});
}

// (data, batch_sizes, batch_first, padding_value, total_length) -> (padded, lengths)
Result<Value> unpack(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef data = args.tensor(0), sizes = args.tensor(1);
  const Dim& total = args.integer(4);  // not positive: as long as the longest
  const ValueId first = e.select(e.read(sizes, DType::kI64), 0, 0);
  if (e.failed()) return e.error();
  LAN_TRY(const Dim batch, lowering.integer_of(lowering.tensor(first)));
  const Packing packing = packing_of(e, sizes, batch);
  ValueId y = unpacked(e, packing, e.read(data), e.operand(args[3], data->dtype));
  const bool longer = total.is_known() ? total.value() > 0 : !(total == packing.time);
  if (longer) {
    Dims more = e.dims(y);
    if (e.failed()) return e.error();
    more[0] = total - packing.time;
    y = e.concat({y, e.expand(e.operand(args[3], data->dtype), more)}, 0);
  }
  if (args.flag(2)) y = e.transpose(y, {1, 0, 2});
  return e.tuple({y, lengths_of(e, packing, DType::kI64)});
}

/// x W^T + b
ValueId projected(Emitter& e, const Args& args, size_t x, size_t weight, size_t bias) {
  std::vector<ValueId> inputs = {e.read(args.tensor(x)), e.read(args.tensor(weight))};
  if (!args.is_none(bias)) inputs.push_back(e.read(args.tensor(bias)));
  return e.op("Gemm", std::move(inputs), {{"transB", int64_t{1}}});
}

// (input, hx, w_ih, w_hh, b_ih, b_hh)
Result<Value> gru_cell(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef hidden = args.tensor(1);
  const Dim size = hidden->dims.back();
  const auto in = e.split(projected(e, args, 0, 2, 4), -1, {size, size, size});
  const auto own = e.split(projected(e, args, 1, 3, 5), -1, {size, size, size});
  const ValueId reset = e.op("Sigmoid", {e.op("Add", {in[0], own[0]})});
  const ValueId update = e.op("Sigmoid", {e.op("Add", {in[1], own[1]})});
  const ValueId fresh = e.op("Tanh", {e.op("Add", {in[2], e.op("Mul", {reset, own[2]})})});
  const ValueId kept = e.op("Mul", {update, e.op("Sub", {e.read(hidden), fresh})});
  return e.result(e.op("Add", {fresh, kept}));
}

template <Cell kCell>
Result<Value> plain_cell(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId sum = e.op("Add", {projected(e, args, 0, 2, 4), projected(e, args, 1, 3, 5)});
  return e.result(e.op(kCell == Cell::kTanh ? "Tanh" : "Relu", {sum}));
}

// (input, [h, c], w_ih, w_hh, b_ih, b_hh) -> (h, c)
Result<Value> lstm_cell(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const auto start = args.tensors(1);
  if (start.size() != 2) return lowering.error(ErrorCode::kInvalidInput, "an LSTM starts from two tensors");
  std::vector<ValueId> own = {e.read(start[0]), e.read(args.tensor(3))};
  if (!args.is_none(5)) own.push_back(e.read(args.tensor(5)));
  const ValueId sum = e.op("Add", {projected(e, args, 0, 2, 4), e.op("Gemm", own, {{"transB", int64_t{1}}})});
  const auto gates = e.split(sum, -1, Dims(4, start[0]->dims.back()));
  const ValueId keep = e.op("Mul", {e.op("Sigmoid", {gates[1]}), e.read(start[1])});
  const ValueId add = e.op("Mul", {e.op("Sigmoid", {gates[0]}), e.op("Tanh", {gates[2]})});
  const ValueId state = e.op("Add", {keep, add});
  return e.tuple({e.op("Mul", {e.op("Sigmoid", {gates[3]}), e.op("Tanh", {state})}), state});
}

constexpr AtenRow kRows[] = {
    {"aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
     "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)",
     padded<Cell::kLstm>},
    {"aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
     "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     padded<Cell::kGru>},
    {"aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     padded<Cell::kTanh>},
    {"aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     padded<Cell::kRelu>},
    {"aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int "
     "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)",
     packed<Cell::kLstm>},
    {"aten::gru.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, "
     "float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
     packed<Cell::kGru>},
    {"aten::rnn_tanh.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int "
     "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
     packed<Cell::kTanh>},
    {"aten::rnn_relu.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int "
     "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
     packed<Cell::kRelu>},
    {"aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)", pack},
    {"aten::_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int "
     "total_length) -> (Tensor, Tensor)",
     unpack},
    {"aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
     "-> (Tensor, Tensor)",
     lstm_cell},
    {"aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> "
     "Tensor",
     gru_cell},
    {"aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
     "-> Tensor",
     plain_cell<Cell::kTanh>},
    {"aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
     "-> Tensor",
     plain_cell<Cell::kRelu>},
};

}  // namespace

extern const std::span<const AtenRow> aten_recurrent = kRows;

}  // namespace lanthorn::script
