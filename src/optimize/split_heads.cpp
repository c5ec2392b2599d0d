#include <string>
#include <utility>
#include <vector>

#include "optimize/passes.h"

namespace lanthorn {

namespace {

bool is_present(const std::vector<ValueId>& ids, size_t i) { return i < ids.size() && ids[i] != kNoValue; }

/// Attention of three axes, all heads in the last, with as many heads of keys as of queries and no
/// past or present.
bool has_joined_heads(const Graph& graph, const Node& node) {
  if (node.op != "Attention" || !node.domain.empty()) return false;
  const int64_t heads = node.attributes.integer("q_num_heads", 0);
  if (heads < 1 || node.attributes.integer("kv_num_heads", 0) != heads) return false;
  for (size_t i = 0; i < 3; ++i) {
    if (!is_present(node.inputs, i)) return false;
    const ValueType& type = graph.values[node.inputs[i]].type;
    if (type.dtype != DType::kF32 || !type.ranked || type.dims.size() != 3) return false;
  }
  for (size_t i = 4; i < node.inputs.size(); ++i) {
    if (is_present(node.inputs, i)) return false;
  }
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (is_present(node.outputs, i)) return false;
  }
  return true;
}

ValueId add(Graph& graph, std::vector<Node>& nodes, std::string op, std::vector<ValueId> inputs, Attributes attributes) {
  Node node;
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  node.outputs = {graph.add_value("", ValueType::unranked(DType::kF32))};
  nodes.push_back(std::move(node));
  return nodes.back().outputs[0];
}

}  // namespace

Result<bool> split_heads(Graph& graph) {
  bool changed = false;
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  const std::vector<int64_t> swapped = {0, 2, 1, 3};
  for (Node& node : graph.nodes) {
    if (!has_joined_heads(graph, node)) {
      nodes.push_back(std::move(node));
      continue;
    }
    changed = true;
    const int64_t heads = node.attributes.integer("q_num_heads", 0);
    // A size of 0 keeps the input's.
    const ValueId apart = graph.add_constant(Tensor::of_ints(std::vector<int64_t>{0, 0, heads, -1}));
    const ValueId joined = graph.add_constant(Tensor::of_ints(std::vector<int64_t>{0, 0, -1}));
    for (size_t i = 0; i < 3; ++i) {
      const ValueId four = add(graph, nodes, "Reshape", {node.inputs[i], apart}, {});
      node.inputs[i] = add(graph, nodes, "Transpose", {four}, {{"perm", swapped}});
    }
    const ValueId result = node.outputs[0];
    node.attributes.remove("q_num_heads");
    node.attributes.remove("kv_num_heads");
    node.outputs = {graph.add_value("", ValueType::unranked(DType::kF32))};
    const ValueId attended = node.outputs[0];
    nodes.push_back(std::move(node));
    const ValueId back = add(graph, nodes, "Transpose", {attended}, {{"perm", swapped}});
    Node reshape;
    reshape.op = "Reshape";
    reshape.inputs = {back, joined};
    reshape.outputs = {result};
    nodes.push_back(std::move(reshape));
  }
  graph.nodes = std::move(nodes);
  return changed;
}

}  // namespace lanthorn
