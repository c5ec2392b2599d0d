// Scan: runs a subgraph over the slices of its inputs.
// https://onnx.ai/onnx/operators/onnx__Scan.html

#include <algorithm>

#include "ops/carried_types_shared.h"
#include "ops/numbers_shared.h"
#include "ops/output_memory_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

struct Parts {
  size_t states = 0, inputs = 0, outputs = 0;

  static Result<Parts> of(const Attributes& attributes, size_t inputs, size_t outputs) {
    const int64_t scanned = attributes.integer("num_scan_inputs", 0);
    if (scanned < 1 || scanned > static_cast<int64_t>(inputs)) {
      return attribute_error("num_scan_inputs", "it does not fit the inputs");
    }
    Parts p;
    p.inputs = static_cast<size_t>(scanned);
    p.states = inputs - p.inputs;
    if (outputs < p.states) return shape_error("the node has fewer outputs than states");
    p.outputs = outputs - p.states;
    return p;
  }
};

int64_t entry(const Attributes& attributes, std::string_view name, size_t i) {
  const std::vector<int64_t> list = attributes.ints(name);
  return i < list.size() ? list[i] : 0;
}

Status infer(InferContext& c) {
  LAN_TRY(const Parts p, Parts::of(c.attributes(), c.input_count(), c.output_count()));
  LAN_OK(require_body_inputs(c, c.input_count()));
  std::vector<ValueType> states, slices;
  Dim length = Dim::unknown();
  for (size_t i = 0; i < c.input_count(); ++i) {
    const ValueType& type = c.input(i);
    if (i < p.states) {
      states.push_back(type);
      continue;
    }
    if (!type.ranked) {
      slices.push_back(ValueType::unranked(type.dtype));
      continue;
    }
    LAN_TRY(const int64_t axis,
            checked_axis(entry(c.attributes(), "scan_input_axes", i - p.states),
                         static_cast<int64_t>(type.dims.size()), "scan_input_axes"));
    ValueType slice = type;
    if (type.dims[static_cast<size_t>(axis)].is_known() || !length.is_known()) {
      length = type.dims[static_cast<size_t>(axis)];
    }
    slice.dims.erase(slice.dims.begin() + axis);
    slices.push_back(std::move(slice));
  }
  LAN_TRY(const CarriedTypes types, infer_carried(c, states, {}, slices, 0));
  if (types.outputs.size() < c.output_count()) return shape_error("the body has too few outputs");
  for (size_t i = 0; i < p.states; ++i)
    c.set_output(i, outside_of_loop(types.carried[i], states[i]));
  for (size_t i = 0; i < p.outputs; ++i) {
    const ValueType& slice = types.outputs[p.states + i];
    if (!slice.ranked) {
      c.set_output(p.states + i, ValueType::unranked(slice.dtype));
      continue;
    }
    LAN_TRY(const int64_t axis,
            checked_axis(entry(c.attributes(), "scan_output_axes", i),
                         static_cast<int64_t>(slice.dims.size()) + 1, "scan_output_axes"));
    ValueType all = slice;
    all.dims.insert(all.dims.begin() + axis, length);
    c.set_output(p.states + i, std::move(all));
  }
  return ok();
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  LAN_TRY(const Parts p, Parts::of(a, c.input_count(), c.output_count()));
  std::vector<Value> state;
  for (size_t i = 0; i < p.states; ++i) state.push_back(c.input_value(i));
  std::vector<Tensor> scanned;
  std::vector<size_t> axes;
  int64_t length = -1;
  for (size_t i = 0; i < p.inputs; ++i) {
    const Tensor* tensor = c.input_value(p.states + i).tensor();
    if (!tensor) return shape_error("a scan input must be a tensor");
    LAN_TRY(const int64_t axis,
            checked_axis(entry(a, "scan_input_axes", i), static_cast<int64_t>(tensor->rank()),
                         "scan_input_axes"));
    axes.push_back(static_cast<size_t>(axis));
    scanned.push_back(*tensor);
    if (length >= 0 && tensor->shape()[axes[i]] != length) {
      return shape_error("the scan inputs are of different lengths");
    }
    length = tensor->shape()[axes[i]];
  }
  std::vector<std::vector<Tensor>> slices(p.outputs);
  uint64_t left = c.memory_left();
  for (int64_t step = 0; step < length; ++step) {
    std::vector<Value> inputs = state;
    for (size_t i = 0; i < p.inputs; ++i) {
      const bool backwards = entry(a, "scan_input_directions", i) != 0;
      LAN_TRY(Tensor slice, slice_of(scanned[i], axes[i], backwards ? length - 1 - step : step));
      inputs.emplace_back(std::move(slice));
    }
    LAN_TRY(std::vector<Value> results, c.subgraphs()->run("body", std::move(inputs)));
    if (results.size() < p.states + p.outputs) return shape_error("the body has too few outputs");
    for (size_t i = 0; i < p.states; ++i) state[i] = std::move(results[i]);
    for (size_t i = 0; i < p.outputs; ++i) {
      const Tensor* slice = results[p.states + i].tensor();
      if (!slice) return shape_error("a scan output must be a tensor");
      LAN_OK(take_memory(*slice, left));
      slices[i].push_back(*slice);
    }
  }
  for (size_t i = 0; i < p.states; ++i) c.set_output_value(i, std::move(state[i]));
  for (size_t i = 0; i < p.outputs; ++i) {
    if (slices[i].empty()) return shape_error("a scan over nothing has no output");
    if (entry(a, "scan_output_directions", i) != 0)
      std::reverse(slices[i].begin(), slices[i].end());
    LAN_TRY(const int64_t axis,
            checked_axis(entry(a, "scan_output_axes", i),
                         static_cast<int64_t>(slices[i][0].rank()) + 1, "scan_output_axes"));
    LAN_TRY(Tensor all, stacked(slices[i], static_cast<size_t>(axis), left));
    c.set_output_value(p.states + i, std::move(all));
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_scan{
    .name = "Scan",
    .since = 25,
    .inputs = {{"initial_state_and_scan_inputs", kAnyType, false, true}},
    .outputs = {{"final_state_and_scan_outputs", kAnyType, true, true}},
    .infer = infer,
    .reference = reference,
    .values = true,
};

}  // namespace lanthorn
