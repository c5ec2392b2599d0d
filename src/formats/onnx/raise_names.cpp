// Operators and attributes that were renamed, and defaults that changed.

#include <string>

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

Status cast(Raiser& r) {
  static constexpr std::pair<std::string_view, int64_t> kNames[] = {
      {"FLOAT", 1},   {"UINT8", 2},   {"INT8", 3},    {"UINT16", 4}, {"INT16", 5},
      {"INT32", 6},   {"INT64", 7},   {"STRING", 8},  {"BOOL", 9},   {"FLOAT16", 10},
      {"DOUBLE", 11}, {"UINT32", 12}, {"UINT64", 13},
  };
  const std::string to(r.node.attributes.text("to", ""));
  if (to.empty()) return ok();
  for (const auto& [name, number] : kNames) {
    if (name == to) {
      r.node.attributes.set("to", number);
      return ok();
    }
  }
  return r.unsupported("there is no data type '" + to + "'");
}

Status drop_consumed_inputs(Raiser& r) {
  r.node.attributes.remove("consumed_inputs");
  return ok();
}

Status selu(Raiser& r) {
  r.node.attributes.remove("consumed_inputs");
  if (!r.node.attributes.has("alpha")) r.node.attributes.set("alpha", 1.6732f);
  if (!r.node.attributes.has("gamma")) r.node.attributes.set("gamma", 1.0507f);
  return ok();
}

Status concat(Raiser& r) {
  if (!r.node.attributes.has("axis")) r.node.attributes.set("axis", int64_t{1});
  return ok();
}

Status scatter(Raiser& r) {
  r.node.op = "ScatterElements";
  return ok();
}

// Upsample and Resize-10 scale about the corner and take the nearest pixel below.
void set_corner_scaling(Raiser& r) {
  r.node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
  r.node.attributes.set("nearest_mode", std::string("floor"));
  if (r.node.attributes.text("mode", "nearest") == "bilinear") {
    r.node.attributes.set("mode", std::string("linear"));
  }
}

// Resize-10 takes the nearest pixel below where it enlarges and the one above where it shrinks; an
// axis of each kind makes it two steps.
void set_nearest_by_scale(Raiser& r) {
  const Tensor* known = r.constant_input(1);
  const auto values = known ? known->to_doubles() : std::nullopt;
  if (!values || r.node.attributes.text("mode", "nearest") != "nearest") return;
  std::vector<float> shrinking, enlarging;
  bool shrinks = false, enlarges = false;
  for (const double scale : *values) {
    shrinks = shrinks || scale < 1;
    enlarges = enlarges || scale > 1;
    shrinking.push_back(scale < 1 ? static_cast<float>(scale) : 1.0f);
    enlarging.push_back(scale < 1 ? 1.0f : static_cast<float>(scale));
  }
  if (!shrinks) return;
  r.node.attributes.set("nearest_mode", std::string("ceil"));
  if (!enlarges) return;
  Attributes first = r.node.attributes;
  first.set("nearest_mode", std::string("floor"));
  r.node.inputs[0] = r.emit(
      "Resize", {r.node.inputs[0], kNoValue, r.constant(Tensor::of_floats(enlarging))}, first);
  r.set_input(2, r.constant(Tensor::of_floats(shrinking)));
}

Status resize(Raiser& r) {
  if (r.opset < 11) {
    if (!r.has_input(1)) return r.unsupported("scales are missing");
    const ValueId scales = r.node.inputs[1];
    r.set_input(2, scales);
    set_corner_scaling(r);
    set_nearest_by_scale(r);
    r.node.inputs[1] = kNoValue;
  }
  // Until opset 13 an input that is not meant is an empty tensor.
  for (const size_t i : {size_t{1}, size_t{2}}) {
    const Tensor* given = r.constant_input(i);
    if (given && given->count() == 0) r.node.inputs[i] = kNoValue;
  }
  if (r.has_input(3) && r.has_input(2)) r.node.inputs[2] = kNoValue;
  return ok();
}

Status upsample(Raiser& r) {
  ValueId scales = kNoValue;
  if (r.has_input(1)) {
    scales = r.node.inputs[1];
  } else if (r.node.attributes.has("scales")) {
    scales = r.constant(Tensor::of_floats(r.node.attributes.reals("scales")));
  } else {
    const float list[] = {1, 1, r.node.attributes.real("height_scale", 1),
                          r.node.attributes.real("width_scale", 1)};
    scales = r.constant(Tensor::of_floats(list));
  }
  for (const auto name : {"scales", "height_scale", "width_scale"}) r.node.attributes.remove(name);
  r.node.op = "Resize";
  r.node.inputs = {r.node.inputs[0], kNoValue, scales};
  set_corner_scaling(r);
  return ok();
}

Status grid_sample(Raiser& r) {
  const std::string_view mode = r.node.attributes.text("mode", "bilinear");
  if (mode == "bilinear") r.node.attributes.set("mode", std::string("linear"));
  if (mode == "bicubic") r.node.attributes.set("mode", std::string("cubic"));
  return ok();
}

Status roi_align(Raiser& r) {
  r.node.attributes.set("coordinate_transformation_mode", std::string("output_half_pixel"));
  return ok();
}

Status recurrent(Raiser& r) {
  r.node.attributes.remove("output_sequence");
  return ok();
}

// Norms were floats in opset 1.
Status integer_p(Raiser& r) {
  const float p = r.node.attributes.real("p", 2);
  r.node.attributes.set("p", static_cast<int64_t>(p));
  return ok();
}

constexpr Rule kRules[] = {
    {"Cast", 6, cast},
    {"Abs", 6, drop_consumed_inputs},
    {"Ceil", 6, drop_consumed_inputs},
    {"Clip", 6, drop_consumed_inputs},
    {"Dropout", 6, drop_consumed_inputs},
    {"Elu", 6, drop_consumed_inputs},
    {"Exp", 6, drop_consumed_inputs},
    {"Floor", 6, drop_consumed_inputs},
    {"HardSigmoid", 6, drop_consumed_inputs},
    {"InstanceNormalization", 6, drop_consumed_inputs},
    {"LeakyRelu", 6, drop_consumed_inputs},
    {"Log", 6, drop_consumed_inputs},
    {"Max", 6, drop_consumed_inputs},
    {"Mean", 6, drop_consumed_inputs},
    {"Min", 6, drop_consumed_inputs},
    {"Neg", 6, drop_consumed_inputs},
    {"Reciprocal", 6, drop_consumed_inputs},
    {"Relu", 6, drop_consumed_inputs},
    {"Reshape", 5, drop_consumed_inputs},
    {"Selu", 6, selu},
    {"Sigmoid", 6, drop_consumed_inputs},
    {"Sqrt", 6, drop_consumed_inputs},
    {"Sum", 6, drop_consumed_inputs},
    {"Tanh", 6, drop_consumed_inputs},
    {"Concat", 4, concat},
    {"Scatter", kOpset, scatter},
    {"Resize", 13, resize},
    {"Upsample", kOpset, upsample},
    {"GridSample", 20, grid_sample},
    {"RoiAlign", 16, roi_align},
    {"GRU", 7, recurrent},
    {"LSTM", 7, recurrent},
    {"RNN", 7, recurrent},
    {"LpPool", 2, integer_p},
    {"GlobalLpPool", 2, integer_p},
};

}  // namespace

std::span<const Rule> renaming_rules() { return kRules; }

}  // namespace lanthorn::onnx
