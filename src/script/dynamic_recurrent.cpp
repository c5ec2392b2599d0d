#include "script/dynamic_recurrent.h"

#include "script/packed_parameters.h"

namespace lanthorn::script {
namespace {

constexpr int64_t kMostSteps = 512;  // a step is some thirty nodes

struct Direction {
  ValueId input_weight, hidden_weight, input_bias, hidden_bias;
  bool reduced = false;  // seven bits
};

/// Whether activations have seven bits: the first of the state's whole numbers.
bool is_reduced(const Value& cell) {
  const Value* held = cell.object()->find("__state__");
  const auto tuple = held ? held->tuple() : nullptr;
  const auto longs = tuple && tuple->items.size() == 5 ? tuple->items[3].list() : nullptr;
  return longs && !longs->items.empty() && longs->items[0].integer() && !longs->items[0].integer()->is(0);
}

Result<Direction> direction_of(Emitter& e, const Value& cell) {
  LAN_TRY(const auto both, unpacked_cell(e.lowering(), cell));
  Direction made{kNoValue, kNoValue, kNoValue, kNoValue, is_reduced(cell)};
  for (size_t i = 0; i < 2; ++i) {
    LAN_TRY(const TensorRef weight, numbers_of(e.lowering(), both[i].weight));
    (i == 0 ? made.input_weight : made.hidden_weight) = e.transpose(e.read(weight), {1, 0});
    if (both[i].bias.tensor()) (i == 0 ? made.input_bias : made.hidden_bias) = e.read(both[i].bias.tensor());
  }
  return made;
}

ValueId product(Emitter& e, ValueId x, ValueId weight, ValueId bias, bool reduced) {
  const ValueId made = e.op("MatMul", {rounded_by_range(e, x, reduced), weight});
  return bias == kNoValue ? made : e.op("Add", {made, bias});
}

struct Carried {
  ValueId hidden, state;
};

Carried lstm_step(Emitter& e, ValueId x, ValueId h, const Carried& before, const Dim& size) {
  const auto gates = e.split(e.op("Add", {x, h}), -1, Dims(4, size));
  const ValueId keep = e.op("Mul", {e.op("Sigmoid", {gates[1]}), before.state});
  const ValueId state = e.op("Add", {keep, e.op("Mul", {e.op("Sigmoid", {gates[0]}), e.op("Tanh", {gates[2]})})});
  return {e.op("Mul", {e.op("Sigmoid", {gates[3]}), e.op("Tanh", {state})}), state};
}

Carried gru_step(Emitter& e, ValueId x, ValueId h, const Carried& before, const Dim& size) {
  const auto in = e.split(x, -1, Dims(3, size)), own = e.split(h, -1, Dims(3, size));
  const ValueId reset = e.op("Sigmoid", {e.op("Add", {in[0], own[0]})});
  const ValueId update = e.op("Sigmoid", {e.op("Add", {in[1], own[1]})});
  const ValueId fresh = e.op("Tanh", {e.op("Add", {in[2], e.op("Mul", {reset, own[2]})})});
  return {e.op("Add", {fresh, e.op("Mul", {update, e.op("Sub", {before.hidden, fresh})})}), kNoValue};
}

}  // namespace

ValueId rounded_by_range(Emitter& e, ValueId x, bool reduced) {
  const double most = reduced ? 127 : 255;
  const ValueId value = e.cast(x, DType::kF32), zero = e.number(0, DType::kF32), top = e.number(most, DType::kF32);
  const ValueId low = e.op("Min", {e.reduce("ReduceMin", value, {}, false), zero});
  const ValueId high = e.op("Max", {e.reduce("ReduceMax", value, {}, false), zero});
  const ValueId span = e.op("Sub", {high, low});
  const ValueId some = e.op("Where", {e.op("Equal", {span, zero}), e.number(0.1 * most, DType::kF32), span});
  const ValueId scale = e.op("Div", {some, top});
  const ValueId at = e.op("Clip", {e.op("Round", {e.op("Neg", {e.op("Div", {low, scale})})}), zero, top});
  const ValueId steps = e.op("Add", {e.op("Round", {e.op("Div", {value, scale})}), at});
  return e.op("Mul", {e.op("Sub", {e.op("Clip", {steps, zero, top}), at}), scale});
}

// (input, hx, cells, has_biases, num_layers, dropout, train, bidirectional, batch_first)
Result<std::optional<Value>> dynamic_recurrent(Lowering& lowering, const CallArguments& arguments, bool lstm) {
  using Answer = std::optional<Value>;
  const auto& given = arguments.positional;
  if (given.size() < 9 || !given[0].tensor() || !given[2].list() || !given[7].flag() || !given[8].flag()) return Answer();
  const std::vector<Value>& cells = given[2].list()->items;
  for (const Value& cell : cells) {
    if (!cell.object()) return Answer();
    LAN_TRY(const auto both, unpacked_cell(lowering, cell));
    if (!is_quantized_tensor(both[0].weight) || !is_quantized_tensor(both[1].weight)) return Answer();
  }
  const auto start = given[1].list();
  if (lstm ? !start || start->items.size() != 2 : !given[1].tensor()) return Answer();
  Emitter e(lowering);
  const bool batch_first = *given[8].flag();
  const size_t directions = *given[7].flag() ? 2 : 1;
  ValueId x = e.read(given[0].tensor(), DType::kF32);
  if (batch_first) x = e.transpose(x, {1, 0, 2});
  const ValueId first_hidden = e.read(lstm ? start->items[0].tensor() : given[1].tensor());
  const ValueId first_state = lstm ? e.read(start->items[1].tensor()) : kNoValue;
  const Dims dims = e.dims(x);
  if (e.failed()) return e.error();
  LAN_TRY(const int64_t steps, lowering.concrete(dims.at(0)));
  if (steps < 1 || steps > kMostSteps || cells.empty() || cells.size() % directions != 0) return Answer();
  std::vector<ValueId> hiddens, states;
  for (size_t layer = 0; layer < cells.size() / directions; ++layer) {
    std::vector<ValueId> sides;
    for (size_t side = 0; side < directions; ++side) {
      const size_t row = layer * directions + side;
      LAN_TRY(const Direction d, direction_of(e, cells[row]));
      const ValueId from_x = product(e, x, d.input_weight, d.input_bias, d.reduced);
      Carried carried{e.select(first_hidden, 0, Dim(static_cast<int64_t>(row))),
                      lstm ? e.select(first_state, 0, Dim(static_cast<int64_t>(row))) : kNoValue};
      const Dims width = e.dims(d.hidden_weight);
      if (e.failed()) return e.error();
      std::vector<ValueId> made(static_cast<size_t>(steps));
      for (int64_t step = 0; step < steps; ++step) {
        const int64_t at = side == 0 ? step : steps - 1 - step;
        const ValueId h = product(e, carried.hidden, d.hidden_weight, d.hidden_bias, d.reduced);
        carried = (lstm ? lstm_step : gru_step)(e, e.select(from_x, 0, Dim(at)), h, carried, width.at(0));
        made[static_cast<size_t>(at)] = e.unsqueeze(carried.hidden, {0});
      }
      hiddens.push_back(e.unsqueeze(carried.hidden, {0}));
      if (lstm) states.push_back(e.unsqueeze(carried.state, {0}));
      sides.push_back(e.concat(std::move(made), 0));
    }
    x = e.concat(std::move(sides), 2);
  }
  std::vector<ValueId> results = {batch_first ? e.transpose(x, {1, 0, 2}) : x, e.concat(std::move(hiddens), 0)};
  if (lstm) results.push_back(e.concat(std::move(states), 0));
  LAN_TRY(Value made, e.tuple(results));
  return Answer(std::move(made));
}

}  // namespace lanthorn::script
