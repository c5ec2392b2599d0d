#include <string>
#include <utility>
#include <vector>

#include "optimize/layout_rules.h"

namespace lanthorn {

namespace {

const Order kNhwc = {0, 2, 3, 1};

Node own(const Node& node, std::string op) {
  Node moved = relaid(node);
  moved.op = std::move(op);
  moved.domain = "lanthorn";
  return moved;
}

bool convolution(Layout& layout, const Node& node) {
  if (layout.rank(node.inputs[1]) != 4) return false;
  Node moved = own(node, "FusedConv");
  moved.attributes.remove("kernel_shape");  // the weights say it
  moved.inputs = {layout.get(node.inputs[0], kNhwc), layout.natural(node.inputs[1])};
  if (node.inputs.size() > 2) moved.inputs.push_back(layout.natural(node.inputs[2]));
  moved.outputs = {layout.make(node.outputs[0], kNhwc)};
  layout.emit(std::move(moved));
  return true;
}

bool pooling(Layout& layout, const Node& node, std::string op) {
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) return false;  // indices are those of NCHW
  Node moved = own(node, std::move(op));
  moved.inputs = {layout.get(node.inputs[0], kNhwc)};
  moved.outputs = {layout.make(node.outputs[0], kNhwc)};
  layout.emit(std::move(moved));
  return true;
}

bool global_average(Layout& layout, const Node& node) {
  Node moved;
  moved.op = "ReduceMean";
  moved.name = node.name;
  moved.source = node.source;
  moved.attributes.set("keepdims", int64_t{1});
  moved.inputs = {layout.get(node.inputs[0], kNhwc), layout.add_ints({1, 2})};
  moved.outputs = {layout.make(node.outputs[0], kNhwc)};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace

bool lay_out_image(Layout& layout, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty() || !layout.movable(node.inputs[0])) return false;
  const ValueId x = node.inputs[0];
  if (layout.rank(x) != 4 || layout.type(x).dtype != DType::kF32) return false;
  if (node.op == "Conv") return convolution(layout, node);
  if (node.op == "MaxPool") return pooling(layout, node, "MaxPoolNhwc");
  if (node.op == "AveragePool") return pooling(layout, node, "AveragePoolNhwc");
  if (node.op == "GlobalAveragePool") return global_average(layout, node);
  return false;
}

}  // namespace lanthorn
