// BatchNormalization and GroupNormalization, whose parameters changed their shape.

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

// spatial=0: one mean and variance for each element of a sample, not for each channel.
Status per_element(Raiser& r) {
  const auto dtype = r.type(0).dtype;
  auto epsilon = Tensor::scalar_f32(r.node.attributes.real("epsilon", 1e-5f)).cast(dtype);
  if (dtype == DType::kUndefined || !epsilon) {
    return r.unsupported("spatial=0 needs an input of known element type");
  }
  const auto& in = r.node.inputs;
  const ValueId centered = r.emit("Sub", {in[0], in[3]});
  const ValueId variance = r.emit("Add", {in[4], r.constant(*std::move(epsilon))});
  const ValueId normal = r.emit("Div", {centered, r.emit("Sqrt", {variance})});
  const ValueId scaled = r.emit("Mul", {normal, in[1]});
  r.emit_into({r.node.outputs[0]}, "Add", {scaled, in[2]});
  return ok();
}

Status batch_normalization(Raiser& r) {
  Attributes& attributes = r.node.attributes;
  const bool per_channel = attributes.integer("spatial", 1) != 0;
  for (size_t i = 1; i < r.node.outputs.size(); ++i) {
    if (r.has_output(i)) return r.unsupported("training is not supported");
  }
  r.node.outputs.resize(1);
  attributes.remove("is_test");
  attributes.remove("spatial");
  attributes.remove("consumed_inputs");
  if (r.node.inputs.size() != 5) return r.unsupported("five inputs are needed");
  return per_channel ? ok() : per_element(r);
}

// Until opset 21 GroupNormalization had one scale and bias for each group; now one a channel.
ValueId group_to_channels(Raiser& r, ValueId parameter, ValueId channels_of_group, int64_t groups) {
  const ValueId column = r.emit("Reshape", {parameter, r.ints({groups, 1})});
  const ValueId target =
      r.emit("Concat", {r.ints({groups}), channels_of_group}, {{"axis", int64_t{0}}});
  return r.emit("Reshape", {r.emit("Expand", {column, target}), r.ints({-1})});
}

Status group_normalization(Raiser& r) {
  if (!r.has_input(1) || !r.has_input(2)) return ok();
  const int64_t groups = r.node.attributes.integer("num_groups", 0);
  if (groups <= 0) return r.unsupported("num_groups must be positive");
  const ValueId channels =
      r.emit("Shape", {r.node.inputs[0]}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
  const ValueId per_group = r.emit("Div", {channels, r.ints({groups})});
  r.node.inputs[1] = group_to_channels(r, r.node.inputs[1], per_group, groups);
  r.node.inputs[2] = group_to_channels(r, r.node.inputs[2], per_group, groups);
  return ok();
}

constexpr Rule kRules[] = {
    {"BatchNormalization", 14, batch_normalization},
    {"GroupNormalization", 21, group_normalization},
};

}  // namespace

std::span<const Rule> normalization_rules() { return kRules; }

}  // namespace lanthorn::onnx
