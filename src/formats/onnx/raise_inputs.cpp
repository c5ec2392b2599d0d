// Attributes that became inputs.

#include <limits>

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

// Moves a list of integers from an attribute to an input.
void move_ints(Raiser& r, std::string_view attribute, size_t input) {
  if (!r.node.attributes.has(attribute)) return;
  r.set_input(input, r.ints(r.node.attributes.ints(attribute)));
  r.node.attributes.remove(attribute);
}

Status axes(Raiser& r) {
  move_ints(r, "axes", 1);
  return ok();
}

Status split(Raiser& r) {
  move_ints(r, "split", 1);
  if (!r.has_input(1)) {
    r.node.attributes.set("num_outputs", static_cast<int64_t>(r.node.outputs.size()));
  }
  return ok();
}

// A number of the element type of input 0.
ValueId like_input(Raiser& r, float value) {
  const ValueId number = r.constant(Tensor::scalar_f32(value));
  const DType dtype = r.type(0).dtype;
  if (dtype == DType::kF32) return number;
  if (dtype != DType::kUndefined) {
    if (auto cast = Tensor::scalar_f32(value).cast(dtype)) return r.constant(*std::move(cast));
  }
  return r.emit("CastLike", {number, r.node.inputs[0]});
}

Status clip(Raiser& r) {
  if (!r.has_input(0)) return ok();
  const Attributes& attributes = r.node.attributes;
  const bool low = attributes.has("min");
  const bool high = attributes.has("max");
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  if (low) r.set_input(1, like_input(r, attributes.real("min", kLowest)));
  if (high) r.set_input(2, like_input(r, attributes.real("max", -kLowest)));
  r.node.attributes.remove("min");
  r.node.attributes.remove("max");
  return ok();
}

Status pad(Raiser& r) {
  if (!r.has_input(0)) return ok();
  move_ints(r, r.node.attributes.has("pads") ? "pads" : "paddings", 1);
  const float value = r.node.attributes.real("value", 0);
  r.node.attributes.remove("value");
  if (value != 0) r.set_input(2, like_input(r, value));
  return ok();
}

Status slice(Raiser& r) {
  move_ints(r, "starts", 1);
  move_ints(r, "ends", 2);
  move_ints(r, "axes", 3);
  return ok();
}

Status top_k(Raiser& r) {
  if (r.node.attributes.has("k")) r.set_input(1, r.ints({r.node.attributes.integer("k", 0)}));
  r.node.attributes.remove("k");
  return ok();
}

Status reshape(Raiser& r) {
  move_ints(r, "shape", 1);
  return ok();
}

// Inference only: the ratio has no meaning without training.
Status dropout(Raiser& r) {
  if (r.opset < 7 && r.node.attributes.integer("is_test", 0) == 0 && r.has_output(1)) {
    return r.unsupported("training is not supported");
  }
  r.node.attributes = {};
  r.node.inputs.resize(1);
  constexpr int kBoolMask = 10;  // before it the mask had the type of the data
  const ValueId x = r.node.inputs[0];
  if (r.has_output(1) && r.opset >= kBoolMask) return ok();
  if (r.has_output(1)) {
    const Attributes one{{"value", Tensor::of_floats(std::vector<float>{1})}};
    const ValueId ones = r.emit("ConstantOfShape", {r.emit("Shape", {x})}, one);
    r.emit_into({r.node.outputs[1]}, "CastLike", {ones, x});
  }
  r.emit_into({r.node.outputs[0]}, "Identity", {x});
  return ok();
}

Status dft(Raiser& r) {
  r.set_input(2, r.constant(Tensor::scalar_i64(r.node.attributes.integer("axis", 1))));
  r.node.attributes.remove("axis");
  return ok();
}

Status tile(Raiser& r) {
  // Tile-1 takes how often and along which axis as two scalars.
  const auto rank = r.rank(0);
  const Tensor* tiles = r.constant_input(1);
  const Tensor* axis = r.constant_input(2);
  if (!rank || !tiles || !axis) return r.unsupported("tiles and axis must be constants");
  const auto count = tiles->to_doubles();
  const auto along = axis->to_doubles();
  if (!count || !along || count->size() != 1 || along->size() != 1 || (*along)[0] < 0 ||
      (*along)[0] >= static_cast<double>(*rank)) {
    return r.unsupported("axis is out of range");
  }
  std::vector<int64_t> repeats(static_cast<size_t>(*rank), 1);
  repeats[static_cast<size_t>((*along)[0])] = static_cast<int64_t>((*count)[0]);
  r.node.inputs = {r.node.inputs[0], r.ints(repeats)};
  return ok();
}

constexpr Rule kRules[] = {
    {"Squeeze", 13, axes},         {"Unsqueeze", 13, axes},  {"ReduceSum", 13, axes},
    {"ReduceL1", 18, axes},        {"ReduceL2", 18, axes},   {"ReduceLogSum", 18, axes},
    {"ReduceLogSumExp", 18, axes}, {"ReduceMax", 18, axes},  {"ReduceMean", 18, axes},
    {"ReduceMin", 18, axes},       {"ReduceProd", 18, axes}, {"ReduceSumSquare", 18, axes},
    {"Split", 18, split},          {"Clip", 11, clip},       {"Pad", 11, pad},
    {"Slice", 10, slice},          {"TopK", 10, top_k},      {"Reshape", 5, reshape},
    {"Dropout", 12, dropout},      {"DFT", 20, dft},         {"Tile", 6, tile},
};

}  // namespace

std::span<const Rule> attribute_to_input_rules() { return kRules; }

}  // namespace lanthorn::onnx
