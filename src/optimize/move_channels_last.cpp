#include <utility>

#include "optimize/layout.h"
#include "optimize/layout_rules.h"
#include "optimize/passes.h"

namespace lanthorn {

Node relaid(const Node& node) {
  Node moved;
  moved.op = node.op;
  moved.domain = node.domain;
  moved.name = node.name;
  moved.source = node.source;
  moved.attributes = node.attributes;
  return moved;
}

bool lay_out_transpose(Layout& layout, const Node& node) {
  if (!node.domain.empty() || node.op != "Transpose" || !layout.movable(node.inputs[0])) return false;
  const size_t rank = static_cast<size_t>(layout.rank(node.inputs[0]));
  Order perm = node.attributes.ints("perm");
  if (perm.empty()) {
    for (size_t i = rank; i-- > 0;) perm.push_back(static_cast<int64_t>(i));
  }
  if (perm.size() != rank) return false;
  layout.alias_transposed(node.outputs[0], node.inputs[0], perm);
  return true;
}

Result<bool> move_channels_last(Graph& graph) {
  Layout layout(graph);
  const std::vector<Node> nodes = std::exchange(graph.nodes, {});
  for (const Node& node : nodes) {
    if (lay_out_transpose(layout, node) || lay_out_image(layout, node) || lay_out_elementwise(layout, node) ||
        lay_out_axes(layout, node) || lay_out_rows(layout, node) || lay_out_reshape(layout, node)) {
      continue;
    }
    Node copy = node;
    for (ValueId& id : copy.inputs) id = layout.natural(id);
    for (const auto& subgraph : subgraphs(node)) {
      for (Capture& capture : subgraph->captures) capture.outer = layout.natural(capture.outer);
    }
    layout.emit(std::move(copy));
  }
  layout.finish();
  return layout.changed();
}

}  // namespace lanthorn
