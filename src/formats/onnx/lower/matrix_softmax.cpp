#include "formats/onnx/lower/matrix_softmax.h"

namespace lanthorn::onnx {
namespace {

bool is_plain(const Node* node, std::string_view op) {
  return node && node->domain.empty() && node->op == op && !node->inputs.empty();
}

bool is_softmax(const Node* node) {
  return is_plain(node, "Softmax") || is_plain(node, "LogSoftmax") || is_plain(node, "Hardmax");
}

}  // namespace

void restore_matrix_softmax(Graph& graph) {
  const std::vector<uint32_t> made_by = makers(graph);
  const auto maker = [&](ValueId id) -> const Node* {
    return id == kNoValue || made_by[id] == kNoNode ? nullptr : &graph.nodes[made_by[id]];
  };
  bool restored = false;
  for (Node& node : graph.nodes) {
    for (const auto& inner : subgraphs(node)) restore_matrix_softmax(*inner);
    if (!is_plain(&node, "Reshape") || node.inputs.size() != 2) continue;
    if (node.attributes.integer("allowzero", 0) == 0) continue;
    const Node* softmax = maker(node.inputs[0]);
    const Node* shape = maker(node.inputs[1]);
    if (!is_softmax(softmax) || softmax->attributes.integer("axis", -1) != -1) continue;
    const Node* flatten = maker(softmax->inputs[0]);
    if (!is_plain(flatten, "Flatten") || !is_plain(shape, "Shape")) continue;
    if (!shape->attributes.entries().empty() || shape->inputs[0] != flatten->inputs[0]) continue;
    Node whole;
    whole.op = softmax->op;
    whole.domain = std::string(kAsInFile);
    whole.name = softmax->name;
    whole.source = softmax->source;
    whole.inputs = {flatten->inputs[0]};
    whole.outputs = node.outputs;
    whole.attributes.set("axis", flatten->attributes.integer("axis", 1));
    node = std::move(whole);
    restored = true;
  }
  if (restored) remove_dead_nodes(graph);
}

}  // namespace lanthorn::onnx
