// Loop: runs a subgraph while a condition holds. https://onnx.ai/onnx/operators/onnx__Loop.html

#include "ops/carried_types_shared.h"
#include "ops/numbers_shared.h"
#include "ops/output_memory_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

// Inputs: trip count, condition, carried values. The body gets the same with the iteration's number
// first, and gives the condition, the carried values and one slice of each scan output.
Status infer(InferContext& c) {
  const size_t carried = c.input_count() > 2 ? c.input_count() - 2 : 0;
  if (c.output_count() < carried)
    return shape_error("the node has fewer outputs than carried values");
  LAN_OK(require_body_inputs(c, carried + 2));
  std::vector<ValueType> initial;
  for (size_t i = 0; i < carried; ++i) {
    initial.push_back(c.has_input(2 + i) ? c.input(2 + i) : optional_of(unknown_type()));
  }
  const ValueType number = ValueType::tensor(DType::kI64, Dims{});
  const ValueType flag = ValueType::tensor(DType::kBool, Dims{});
  LAN_TRY(const CarriedTypes types, infer_carried(c, initial, {number, flag}, {}, 1));
  if (types.outputs.size() < 1 + c.output_count())
    return shape_error("the body has too few outputs");
  for (size_t i = 0; i < carried; ++i) {
    c.set_output(i, outside_of_loop(types.carried[i], initial[i]));
  }
  for (size_t i = carried; i < c.output_count(); ++i) {
    const ValueType& slice = types.outputs[1 + i];
    if (slice.kind != ValueType::Kind::kTensor || !slice.ranked) {
      c.set_output(i, ValueType::unranked(slice.dtype));
      continue;
    }
    ValueType all = outside_of_loop(slice, ValueType::tensor(slice.dtype, slice.dims));
    all.dims.insert(all.dims.begin(), Dim::unknown());
    c.set_output(i, std::move(all));
  }
  return ok();
}

Result<bool> flag_of(const Value& value) {
  const auto numbers = value.tensor() ? value.tensor()->to_doubles() : std::nullopt;
  if (!numbers || numbers->size() != 1) return shape_error("the condition must be one bool");
  return (*numbers)[0] != 0;
}

// What a scan output is after no iteration at all.
Result<Tensor> no_slices(const RunContext& c, size_t output) {
  const auto* body = c.attributes().graph("body");
  DType dtype = DType::kF32;
  Shape shape{0};
  if (body && *body && output < (*body)->outputs.size()) {
    const ValueType& type = (*body)->values[(*body)->outputs[output]].type;
    if (type.dtype != DType::kUndefined) dtype = type.dtype;
    for (const Dim& dim : type.dims) shape.push_back(dim.known().value_or(0));
  }
  uint64_t left = c.memory_left();
  return allocate_output(dtype, std::move(shape), left);
}

Status reference(const RunContext& c) {
  const size_t carried = c.input_count() > 2 ? c.input_count() - 2 : 0;
  int64_t trips = INT64_MAX;
  if (const Tensor* given = c.input_count() > 0 ? c.input_value(0).tensor() : nullptr) {
    const auto numbers = given->to_ints();
    if (!numbers || numbers->size() != 1) return shape_error("the trip count must be one integer");
    trips = (*numbers)[0];
  }
  bool goes_on = true;
  if (c.input_count() > 1 && !c.input_value(1).is_none()) {
    LAN_TRY(goes_on, flag_of(c.input_value(1)));
  }
  std::vector<Value> state;
  for (size_t i = 0; i < carried; ++i) state.push_back(c.input_value(2 + i));
  const size_t scans = c.output_count() > carried ? c.output_count() - carried : 0;
  std::vector<std::vector<Tensor>> slices(scans);
  uint64_t left = c.memory_left();
  for (int64_t trip = 0; trip < trips && goes_on; ++trip) {
    std::vector<Value> inputs{Tensor::scalar_i64(trip), Tensor::scalar_bool(true)};
    inputs.insert(inputs.end(), state.begin(), state.end());
    LAN_TRY(std::vector<Value> results, c.subgraphs()->run("body", std::move(inputs)));
    if (results.size() < 1 + carried + scans) return shape_error("the body has too few outputs");
    LAN_TRY(goes_on, flag_of(results[0]));
    for (size_t i = 0; i < carried; ++i) state[i] = std::move(results[1 + i]);
    for (size_t i = 0; i < scans; ++i) {
      const Tensor* slice = results[1 + carried + i].tensor();
      if (!slice) return shape_error("a scan output must be a tensor");
      LAN_OK(take_memory(*slice, left));
      slices[i].push_back(*slice);
    }
  }
  for (size_t i = 0; i < carried && i < c.output_count(); ++i)
    c.set_output_value(i, std::move(state[i]));
  for (size_t i = 0; i < scans; ++i) {
    auto all = slices[i].empty() ? no_slices(c, 1 + carried + i) : stacked(slices[i], 0, left);
    if (!all) return std::move(all).error();
    c.set_output_value(carried + i, *std::move(all));
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_loop{
    .name = "Loop",
    .since = 25,
    .inputs = {{"M", kI64Type, true},
               {"cond", kBoolType, true},
               {"v_initial", kAnyType, true, true}},
    .outputs = {{"v_final_and_scan_outputs", kAnyType, true, true}},
    .infer = infer,
    .reference = reference,
    .values = true,
};

}  // namespace lanthorn
