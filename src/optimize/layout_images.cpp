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

/// Says automatic padding in numbers; false where they depend on a size that is not known.
bool resolve_padding(Node& node, const Dims& image, const std::vector<int64_t>& kernel) {
  const std::string mode(node.attributes.text("auto_pad", "NOTSET"));
  node.attributes.remove("auto_pad");
  if (mode == "NOTSET" || mode.empty()) return true;
  node.attributes.remove("pads");
  if (mode == "VALID") return true;
  const std::vector<int64_t> strides = node.attributes.ints("strides", {1, 1});
  const std::vector<int64_t> dilations = node.attributes.ints("dilations", {1, 1});
  std::vector<int64_t> pads(4, 0);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t window = (kernel[i] - 1) * dilations[i] + 1;
    int64_t total = window - 1;
    if (strides[i] != 1) {
      if (!image[i + 2].is_known()) return false;
      const int64_t size = image[i + 2].value(), out = (size + strides[i] - 1) / strides[i];
      total = (out - 1) * strides[i] + window - size;
    }
    total = total < 0 ? 0 : total;
    const int64_t less = total / 2, more = total - less;
    pads[i] = mode == "SAME_UPPER" ? less : more;
    pads[i + 2] = mode == "SAME_UPPER" ? more : less;
  }
  node.attributes.set("pads", pads);
  return true;
}

bool convolution(Layout& layout, const Node& node) {
  if (layout.rank(node.inputs[1]) != 4) return false;
  Node moved = own(node, "FusedConv");
  const Dims& weights = layout.dims(node.inputs[1]);
  if (!weights[2].is_known() || !weights[3].is_known()) return false;
  if (!resolve_padding(moved, layout.dims(node.inputs[0]), {weights[2].value(), weights[3].value()})) return false;
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
  const std::vector<int64_t> kernel = node.attributes.ints("kernel_shape");
  if (kernel.size() != 2 || !resolve_padding(moved, layout.dims(node.inputs[0]), kernel)) return false;
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
