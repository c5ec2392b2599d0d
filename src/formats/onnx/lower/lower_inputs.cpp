// Inputs that were attributes.

#include <algorithm>
#include <limits>

#include "formats/onnx/lower/lowerer.h"

namespace lanthorn::onnx {
namespace {

// Moves a constant list of integers from an input to an attribute.
Status to_attribute(Lowerer& l, size_t input, const std::string& attribute) {
  if (!l.has_input(input)) return ok();
  auto values = l.ints_input(input);
  if (!values) return l.unsupported("its " + attribute + " are computed, not constant");
  l.node.attributes.set(attribute, *std::move(values));
  l.drop_input(input);
  return ok();
}

Status axes(Lowerer& l) { return to_attribute(l, 1, "axes"); }

Status reduce_axes(Lowerer& l) {
  const bool keeps_all = l.node.attributes.integer("noop_with_empty_axes", 0) != 0;
  const auto given = l.ints_input(1);
  const bool empty = !l.has_input(1) || (given && given->empty());
  if (!empty) return to_attribute(l, 1, "axes");
  if (!keeps_all) {
    l.drop_input(1);
    return ok();
  }
  // With nothing to reduce these give their input.
  for (const std::string_view op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"}) {
    if (l.node.op != op) continue;
    l.emit_into(l.node.outputs, "Identity", {l.node.inputs[0]});
    return ok();
  }
  return l.unsupported("no axes to reduce (noop_with_empty_axes)");
}

// Until opset 18 a Split without sizes has as many even parts as outputs; num_outputs may leave a
// smaller last one.
Status split_count(Lowerer& l) {
  const auto parts = static_cast<int64_t>(l.node.outputs.size());
  if (l.has_input(1) || !l.node.attributes.has("num_outputs")) {
    l.node.attributes.remove("num_outputs");
    return ok();
  }
  l.node.attributes.remove("num_outputs");
  const auto rank = l.rank(0);
  if (!rank || *rank == 0) return l.unsupported("the rank of what is split is not known");
  int64_t axis = l.node.attributes.integer("axis", 0);
  if (axis < 0) axis += *rank;
  if (axis < 0 || axis >= *rank) return l.unsupported("the axis is out of range");
  const Dim& dim = l.type(0).dims[static_cast<size_t>(axis)];
  if (exact_div(dim, Dim(parts))) return ok();
  if (!dim.is_known()) return l.unsupported("the parts may not be even");
  const int64_t each = (dim.value() + parts - 1) / parts;
  std::vector<int64_t> sizes(static_cast<size_t>(parts), each);
  sizes.back() = dim.value() - each * (parts - 1);
  if (sizes.back() < 0) return l.unsupported("there are more parts than elements");
  l.node.inputs = {l.node.inputs[0], l.ints(sizes)};
  return ok();
}

Status split(Lowerer& l) { return to_attribute(l, 1, "split"); }

std::optional<float> known_number(const Lowerer& l, size_t input) {
  const Tensor* tensor = l.constant_input(input);
  const auto values = tensor ? tensor->to_doubles() : std::nullopt;
  if (!values || values->size() != 1) return std::nullopt;
  return static_cast<float>((*values)[0]);
}

// As Max and Min, which take computed bounds and, below, all dtypes.
Status clip_by_max_and_min(Lowerer& l) {
  const std::vector<ValueId> out = l.node.outputs;
  ValueId value = l.node.inputs[0];
  if (!l.has_input(1) && !l.has_input(2)) {
    l.emit_into(out, "Identity", {value});
    return ok();
  }
  if (l.has_input(1) && l.has_input(2)) {
    value = l.emit("Max", {value, l.node.inputs[1]});
    l.emit_into(out, "Min", {value, l.node.inputs[2]});
  } else if (l.has_input(1)) {
    l.emit_into(out, "Max", {value, l.node.inputs[1]});
  } else {
    l.emit_into(out, "Min", {value, l.node.inputs[2]});
  }
  return ok();
}

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kF16 || dtype == DType::kBF16;
}

// Until opset 12 Clip took floats only, until 11 its bounds were attributes.
Status clip_floats(Lowerer& l) { return is_float(l.dtype(0)) ? ok() : clip_by_max_and_min(l); }

Status clip(Lowerer& l) {
  const auto low = known_number(l, 1), high = known_number(l, 2);
  if ((l.has_input(1) && !low) || (l.has_input(2) && !high)) return clip_by_max_and_min(l);
  if (low) l.node.attributes.set("min", *low);
  if (high) l.node.attributes.set("max", *high);
  l.node.inputs.resize(1);
  return ok();
}

// Until opset 18 Pad had pads for all axes.
Status pad_axes(Lowerer& l) {
  if (!l.has_input(3)) return ok();
  const auto chosen = l.ints_input(3), pads = l.ints_input(1);
  const auto rank = l.rank(0);
  if (!chosen || !pads || !rank || pads->size() != 2 * chosen->size()) {
    return l.unsupported("its axes are computed, not constant");
  }
  const auto dims = static_cast<size_t>(*rank);
  std::vector<int64_t> all(2 * dims, 0);
  for (size_t i = 0; i < chosen->size(); ++i) {
    const int64_t axis = (*chosen)[i] < 0 ? (*chosen)[i] + *rank : (*chosen)[i];
    if (axis < 0 || axis >= *rank) return l.unsupported("an axis is out of range");
    all[static_cast<size_t>(axis)] = (*pads)[i];
    all[dims + static_cast<size_t>(axis)] = (*pads)[chosen->size() + i];
  }
  l.node.inputs[1] = l.ints(all);
  l.drop_input(3);
  return ok();
}

Status pad_wrap(Lowerer& l) {
  if (l.node.attributes.text("mode", "constant") != "wrap") return ok();
  return l.unsupported("mode wrap, which came with opset 19");
}

Status pad(Lowerer& l) {
  if (l.has_input(2)) {
    const auto value = known_number(l, 2);
    if (!value) return l.unsupported("its constant_value is computed, not constant");
    if (*value != 0) l.node.attributes.set("value", *value);
    l.drop_input(2);
  }
  return to_attribute(l, 1, "pads");
}

Status slice(Lowerer& l) {
  if (l.has_input(4)) {
    const auto steps = l.ints_input(4);
    if (!steps || std::any_of(steps->begin(), steps->end(), [](int64_t s) { return s != 1; })) {
      return l.unsupported("steps other than 1, which came with opset 10");
    }
    l.drop_input(4);
  }
  LAN_OK(to_attribute(l, 3, "axes"));
  LAN_OK(to_attribute(l, 2, "ends"));
  return to_attribute(l, 1, "starts");
}

Status top_k(Lowerer& l) {
  const auto count = l.ints_input(1);
  if (!count || count->size() != 1) return l.unsupported("its k is computed, not constant");
  l.node.attributes.set("k", (*count)[0]);
  l.drop_input(1);
  return ok();
}

// Until opset 11 TopK gave the largest.
Status top_k_smallest(Lowerer& l) {
  if (l.node.attributes.integer("largest", 1) != 0) return ok();
  if (!is_float(l.dtype(0))) return l.unsupported("the smallest of whole numbers");
  const std::vector<ValueId> out = l.node.outputs;
  Attributes attributes = l.node.attributes;
  attributes.set("largest", int64_t{1});
  const ValueId negated = l.emit("Neg", {l.node.inputs[0]});
  const auto made = l.emit_many("TopK", {negated, l.node.inputs[1]}, 2, attributes);
  if (l.has_output(0)) l.emit_into({out[0]}, "Neg", {made[0]});
  if (l.has_output(1)) l.emit_into({out[1]}, "Identity", {made[1]});
  return ok();
}

// Inference only; the importers refuse training.
Status dropout(Lowerer& l) {
  if (l.has_input(2)) {
    const Tensor* training = l.constant_input(2);
    const auto on = training ? training->to_doubles() : std::nullopt;
    if (!on || on->size() != 1 || (*on)[0] != 0) return l.unsupported("training_mode");
  }
  const std::vector<ValueId> out = l.node.outputs;
  if (l.has_output(1)) {
    const bool one = true;
    const Attributes value{{"value", Tensor::of<bool>(DType::kBool, {1}, std::span(&one, 1))}};
    const ValueId shape = l.emit("Shape", {l.node.inputs[0]});
    l.emit_into({out[1]}, "ConstantOfShape", {shape}, value);
    if (l.has_output(0)) l.emit_into({out[0]}, "Identity", {l.node.inputs[0]});
    return ok();
  }
  const auto ratio = known_number(l, 1);
  l.node.inputs.resize(1);
  l.node.outputs.resize(1);
  l.node.attributes = {};
  if (ratio) l.node.attributes.set("ratio", *ratio);
  return ok();
}

Status dft(Lowerer& l) {
  int64_t axis = -2;
  if (l.has_input(2)) {
    const auto given = l.ints_input(2);
    if (!given || given->size() != 1) return l.unsupported("its axis is computed, not constant");
    axis = (*given)[0];
  }
  const auto rank = l.rank(0);
  if (axis < 0 && !rank) return l.unsupported("the rank of its input is not known");
  l.node.attributes.set("axis", axis < 0 ? axis + *rank : axis);
  l.drop_input(2);
  return ok();
}

// Before opset 11 Gemm always had the matrix that it adds.
Status gemm(Lowerer& l) {
  if (!l.has_input(2)) l.node.inputs = {l.node.inputs[0], l.node.inputs[1], l.number(0, l.dtype(0))};
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"Squeeze", 13, axes},
    {"Unsqueeze", 13, axes},
    {"ReduceSum", 13, reduce_axes},
    {"ReduceL1", 18, reduce_axes},
    {"ReduceL2", 18, reduce_axes},
    {"ReduceLogSum", 18, reduce_axes},
    {"ReduceLogSumExp", 18, reduce_axes},
    {"ReduceMax", 18, reduce_axes},
    {"ReduceMean", 18, reduce_axes},
    {"ReduceMin", 18, reduce_axes},
    {"ReduceProd", 18, reduce_axes},
    {"ReduceSumSquare", 18, reduce_axes},
    {"Split", 18, split_count},
    {"Split", 13, split},
    {"Clip", 12, clip_floats},
    {"Clip", 11, clip},
    {"Pad", 19, pad_wrap},
    {"Pad", 18, pad_axes},
    {"Pad", 11, pad},
    {"Slice", 10, slice},
    {"TopK", 11, top_k_smallest},
    {"TopK", 10, top_k},
    {"Dropout", 12, dropout},
    {"DFT", 20, dft},
    {"Gemm", 11, gemm},
};

}  // namespace

std::span<const LoweringRule> input_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
