#include "formats/onnx/nchwc.h"

#include <cstring>
#include <unordered_map>

namespace lanthorn::onnx {
namespace {

Error unsupported(std::string what) {
  return Error{ErrorCode::kUnsupported, std::move(what), "",
               "save the model again without optimizations for one processor"};
}

// A filter [O, I, h, w] in the order that a convolution has it; stored it is [O/B, I, h, w, B], or
// [O/B, I/B, h, w, B of I, B of O] where the inputs come in blocks too.
Result<Tensor> plain_filter(const Tensor& stored, int64_t block, int64_t group) {
  if (stored.rank() != 4 || stored.dtype() != DType::kF32 || stored.shape()[0] % block != 0) {
    return unsupported("weights in blocks are " + shape_text(stored.shape()));
  }
  const int64_t out = stored.shape()[0], in = stored.shape()[1],
                area = stored.shape()[2] * stored.shape()[3];
  const bool depthwise = group > 1 && in == 1 && out == group;
  const bool outer_only = depthwise || (group == 1 && in < block);
  if (!outer_only && in % block != 0) return unsupported("weights in blocks of odd size");
  LAN_TRY(const Tensor from, stored.contiguous());
  LAN_TRY(Tensor plain, Tensor::allocate(DType::kF32, stored.shape()));
  const auto source = from.as<float>();
  const auto target = plain.mutable_as<float>();
  size_t at = 0;
  const int64_t inner = outer_only ? 1 : block;  // of I in a block
  for (int64_t o = 0; o < out; o += block) {
    for (int64_t i = 0; i < in; i += inner) {
      for (int64_t place = 0; place < area; ++place) {
        for (int64_t channel = i; channel < i + inner; ++channel) {
          for (int64_t filter = o; filter < o + block; ++filter) {
            target[static_cast<size_t>((filter * in + channel) * area + place)] = source[at++];
          }
        }
      }
    }
  }
  return plain;
}

ValueId emit(Graph& graph, const Node& like, std::string op, std::vector<ValueId> inputs,
             Attributes attributes) {
  Node& made = graph.nodes[graph.add_node(std::move(op), std::move(inputs), std::move(attributes))];
  made.name = like.name;
  return made.outputs[0];
}

Status convolution(Graph& graph, int64_t block, Node node) {
  const Tensor* filter = node.inputs.size() > 1 && node.inputs[1] != kNoValue
                             ? graph.constant(node.inputs[1])
                             : nullptr;
  if (!filter) return unsupported("weights in blocks that are no constants");
  LAN_TRY(Tensor plain, plain_filter(*filter, block, node.attributes.integer("group", 1)));
  node.inputs[1] = graph.add_constant(std::move(plain));
  const bool fused = node.inputs.size() > 3 || node.attributes.has("activation");
  node.domain = fused ? "com.microsoft" : "";
  node.op = fused ? "FusedConv" : "Conv";
  graph.nodes.push_back(std::move(node));
  return ok();
}

Status to_blocks(Graph& graph, int64_t block, Node node) {
  ValueId x = node.inputs[0];
  const ValueType type = graph.values[x].type;
  const bool channels_last = node.attributes.integer("channels_last", 0) != 0;
  if (channels_last) {
    x = emit(graph, node, "Transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  }
  int64_t missing = 0;
  if (type.ranked && type.dims.size() == 4) {
    const Dim& channels = type.dims[channels_last ? 3 : 1];
    if (channels.is_known()) missing = (block - channels.value() % block) % block;
  }
  node.domain = "";
  node.attributes = {};
  node.op = missing == 0 ? "Identity" : "Pad";
  node.inputs = {x};
  if (missing > 0) {
    node.inputs.push_back(
        graph.add_constant(Tensor::of_ints(std::vector<int64_t>{0, 0, 0, 0, 0, missing, 0, 0})));
  }
  graph.nodes.push_back(std::move(node));
  return ok();
}

Status from_blocks(Graph& graph, Node node) {
  const int64_t channels = node.attributes.integer("channels", 0);
  if (channels < 1) return Error{ErrorCode::kCorrupt, "attribute 'channels' is missing", "", ""};
  const auto ints = [&](int64_t value) {
    return graph.add_constant(Tensor::of_ints(std::vector<int64_t>{value}));
  };
  if (node.attributes.integer("channels_last", 0) != 0) {
    node.inputs = {
        emit(graph, node, "Slice", {node.inputs[0], ints(0), ints(channels), ints(1)}, {})};
    node.op = "Transpose";
    node.attributes = {{"perm", std::vector<int64_t>{0, 2, 3, 1}}};
  } else {
    node.inputs = {node.inputs[0], ints(0), ints(channels), ints(1)};
    node.op = "Slice";
    node.attributes = {};
  }
  node.domain = "";
  graph.nodes.push_back(std::move(node));
  return ok();
}

Status upsample(Graph& graph, Node node) {
  const std::vector<int64_t> scales = node.attributes.ints("scales");
  const std::vector<float> factors(scales.begin(), scales.end());
  node.inputs = {node.inputs[0], kNoValue, graph.add_constant(Tensor::of_floats(factors))};
  node.attributes.remove("scales");
  if (node.attributes.text("mode", "nearest") == "nearest") {
    node.attributes.set("nearest_mode", std::string("floor"));
    if (!node.attributes.has("coordinate_transformation_mode")) {
      node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
    }
  }
  node.op = "Resize";
  node.domain = "";
  graph.nodes.push_back(std::move(node));
  return ok();
}

}  // namespace

int64_t nchwc_block(const ModelProto& model) {
  if (!model.graph) return 16;
  std::unordered_map<std::string_view, int64_t> filters;
  for (const TensorProto& tensor : model.graph->initializers) {
    if (tensor.dims.size() == 4) filters.emplace(tensor.name, tensor.dims[0]);
  }
  for (const NodeProto& node : model.graph->nodes) {
    if (node.domain != kNchwcDomain || node.op != "Conv" || node.inputs.size() < 2) continue;
    const auto filter = filters.find(node.inputs[1]);
    if (filter != filters.end() && filter->second % 16 != 0) return 8;
  }
  return 16;
}

Status append_plain_layout(Graph& graph, int64_t block, Node node) {
  if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty()) {
    return Error{ErrorCode::kCorrupt, "the node has no input or output", "", ""};
  }
  if (node.op == "Conv") return convolution(graph, block, std::move(node));
  if (node.op == "ReorderInput") return to_blocks(graph, block, std::move(node));
  if (node.op == "ReorderOutput") return from_blocks(graph, std::move(node));
  if (node.op == "Upsample") return upsample(graph, std::move(node));
  const bool pool = node.op == "MaxPool" || node.op == "AveragePool" ||
                    node.op == "GlobalMaxPool" || node.op == "GlobalAveragePool";
  if (!pool) return unsupported("the operator is not known");
  node.domain = "";
  graph.nodes.push_back(std::move(node));
  return ok();
}

}  // namespace lanthorn::onnx
