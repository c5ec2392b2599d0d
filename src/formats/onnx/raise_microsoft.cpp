// Operators of com.microsoft that say what those of ai.onnx say in other words.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

using Perm = std::vector<int64_t>;

ValueId transposed(Raiser& r, ValueId x, Perm perm) {
  return r.emit("Transpose", {x}, {{"perm", std::move(perm)}});
}
ValueId channels_first(Raiser& r, ValueId x) { return transposed(r, x, {0, 3, 1, 2}); }
void store_channels_last(Raiser& r, ValueId y) {
  r.emit_into({r.node.outputs[0]}, "Transpose", {y}, {{"perm", Perm{0, 2, 3, 1}}});
}

// Sets the node's own operator where only the name differs.
Status plain(Raiser& r) {
  r.node.domain = "";
  return ok();
}

Status expand_dims(Raiser& r) {
  const ValueId axis = r.emit("Cast", {r.node.inputs[1]}, {{"to", int64_t{7}}});
  r.emit_into({r.node.outputs[0]}, "Unsqueeze",
              {r.node.inputs[0], r.emit("Reshape", {axis, r.ints({1})})});
  return ok();
}

// Of one dimension, in the order of first appearance; there is no output for those places.
Status unique(Raiser& r) {
  std::vector<ValueId> outputs{r.node.outputs[0], kNoValue};
  outputs.insert(outputs.end(), r.node.outputs.begin() + 1, r.node.outputs.end());
  r.emit_into(std::move(outputs), "Unique", {r.node.inputs[0]}, {{"sorted", int64_t{0}}});
  return ok();
}

Status grid_sample(Raiser& r) {
  const std::string_view mode = r.node.attributes.text("mode", "bilinear");
  const bool smooth = mode == "bilinear" || mode == "bicubic";
  r.node.attributes.set("mode",
                        std::string(smooth ? mode == "bilinear" ? "linear" : "cubic" : mode));
  return plain(r);
}

Status bias_add(Raiser& r) {
  const ValueId sum = r.emit("Add", {r.node.inputs[0], r.node.inputs[1]});
  if (r.has_input(2))
    r.emit_into({r.node.outputs[0]}, "Add", {sum, r.node.inputs[2]});
  else
    r.emit_into({r.node.outputs[0]}, "Identity", {sum});
  return ok();
}

// The first half of the last dimension times the gelu of the second.
Status bias_split_gelu(Raiser& r) {
  const ValueId sum = r.emit("Add", {r.node.inputs[0], r.node.inputs[1]});
  const ValueId end = r.emit("Shape", {sum}, {{"start", int64_t{-1}}});
  const ValueId half = r.emit("Div", {end, r.ints({2})});
  const ValueId left = r.emit("Slice", {sum, r.ints({0}), half, r.ints({-1})});
  const ValueId right = r.emit("Slice", {sum, half, end, r.ints({-1})});
  r.emit_into({r.node.outputs[0]}, "Mul", {left, r.emit("Gelu", {right})});
  return ok();
}

Status nhwc_max_pool(Raiser& r) {
  const ValueId y = r.emit("MaxPool", {channels_first(r, r.node.inputs[0])}, r.node.attributes);
  store_channels_last(r, y);
  return ok();
}

Status nhwc_conv(Raiser& r) {
  std::vector<ValueId> inputs = r.node.inputs;
  inputs[0] = channels_first(r, inputs[0]);
  if (inputs.size() > 3 && inputs[3] != kNoValue) inputs[3] = channels_first(r, inputs[3]);
  const bool fused = r.node.attributes.has("activation") || inputs.size() > 3;
  const ValueId y = r.emit(fused ? "FusedConv" : "Conv", std::move(inputs), r.node.attributes);
  if (fused) r.last().domain = "com.microsoft";
  store_channels_last(r, y);
  return ok();
}

Status qlinear_conv(Raiser& r) {
  const bool channels_last = r.node.attributes.integer("channels_last", 0) != 0;
  r.node.attributes.remove("channels_last");
  if (!channels_last) return plain(r);
  std::vector<ValueId> inputs = r.node.inputs;
  inputs[0] = channels_first(r, inputs[0]);
  store_channels_last(r, r.emit("QLinearConv", std::move(inputs), r.node.attributes));
  return ok();
}

// Pools and the like of quantized numbers with the channels last.
Status qlinear_pool(Raiser& r) {
  if (r.node.attributes.integer("channels_last", 0) == 0) return ok();
  Attributes attributes = r.node.attributes;
  attributes.remove("channels_last");
  std::vector<ValueId> inputs = r.node.inputs;
  inputs[0] = channels_first(r, inputs[0]);
  const ValueId y = r.emit(r.node.op, std::move(inputs), std::move(attributes));
  r.last().domain = "com.microsoft";
  store_channels_last(r, y);
  return ok();
}

ValueId dequantized(Raiser& r, size_t x) {
  std::vector<ValueId> inputs(r.node.inputs.begin() + static_cast<std::ptrdiff_t>(x),
                              r.node.inputs.begin() + static_cast<std::ptrdiff_t>(x + 3));
  if (inputs[2] == kNoValue) inputs.pop_back();
  return r.emit("DequantizeLinear", std::move(inputs));
}

Status store_quantized(Raiser& r, ValueId y, size_t scale) {
  if (!r.has_input(scale)) return Error{ErrorCode::kCorrupt, "the output has no scale", "", ""};
  std::vector<ValueId> inputs{y, r.node.inputs[scale]};
  if (r.has_input(scale + 1)) inputs.push_back(r.node.inputs[scale + 1]);
  r.emit_into({r.node.outputs[0]}, "QuantizeLinear", std::move(inputs));
  return ok();
}

Status qlinear_softmax(Raiser& r) {
  if (r.node.inputs.size() < 4) return Error{ErrorCode::kCorrupt, "inputs are missing", "", ""};
  const int64_t axis = r.node.attributes.integer("axis", -1);
  const auto rank = r.rank(0);
  // Before opset 13 all dimensions from the axis on were one.
  const bool flat = r.node.attributes.integer("opset", 13) < 13;
  if (flat && axis != -1 && (!rank || axis + 1 != *rank))
    return r.unsupported("a Softmax over several axes");
  const ValueId y = r.emit("Softmax", {dequantized(r, 0)}, {{"axis", axis}});
  return store_quantized(r, y, 3);
}

Status qlinear_where(Raiser& r) {
  if (r.node.inputs.size() < 8) return Error{ErrorCode::kCorrupt, "inputs are missing", "", ""};
  const ValueId x = dequantized(r, 1), y = dequantized(r, 4);
  return store_quantized(r, r.emit("Where", {r.node.inputs[0], x, y}), 7);
}

struct Rewrite {
  std::string_view op;
  size_t inputs;  // the fewest that it takes
  Status (*apply)(Raiser&);
};

constexpr Rewrite kRewrites[] = {
    {"Trilu", 1, plain},
    {"ExpandDims", 2, expand_dims},
    {"Unique", 1, unique},
    {"GridSample", 2, grid_sample},
    {"BiasAdd", 2, bias_add},
    {"BiasSplitGelu", 2, bias_split_gelu},
    {"NhwcMaxPool", 1, nhwc_max_pool},
    {"NhwcConv", 2, nhwc_conv},
    {"NhwcFusedConv", 2, nhwc_conv},
    {"QLinearConv", 8, qlinear_conv},
    {"QLinearAveragePool", 4, qlinear_pool},
    {"QLinearGlobalAveragePool", 4, qlinear_pool},
    {"QLinearSoftmax", 4, qlinear_softmax},
    {"QLinearWhere", 8, qlinear_where},
};

}  // namespace

Status append_microsoft(Graph& graph, Node node) {
  Raiser raiser(graph, kOpset, std::move(node));
  for (const Rewrite& rewrite : kRewrites) {
    if (raiser.node.op != rewrite.op || raiser.node.inputs.size() < rewrite.inputs ||
        !raiser.has_output(0))
      continue;
    for (size_t i = 0; i < rewrite.inputs && i < 2; ++i) {
      if (!raiser.has_input(i)) return Error{ErrorCode::kCorrupt, "an input is missing", "", ""};
    }
    LAN_OK(rewrite.apply(raiser));
    if (raiser.replaced) return ok();
  }
  graph.nodes.push_back(std::move(raiser.node));
  return ok();
}

}  // namespace lanthorn::onnx
