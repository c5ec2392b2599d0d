#include "model/portable_nodes.h"

#include <utility>

namespace lanthorn {
namespace {

bool is_plain_swish(const Node& node) {
  return node.op == "Swish" && node.domain.empty() && node.attributes.real("alpha", 1) == 1;
}

}  // namespace

void use_portable_nodes(Graph& graph) {
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    for (const auto& inner : subgraphs(node)) use_portable_nodes(*inner);
    if (!is_plain_swish(node)) {
      nodes.push_back(std::move(node));
      continue;
    }
    Node sigmoid = node, product = std::move(node);
    sigmoid.op = "Sigmoid";
    sigmoid.attributes = {};
    sigmoid.outputs = {graph.add_value("", graph.values[product.outputs[0]].type)};
    product.op = "Mul";
    product.attributes = {};
    product.inputs.push_back(sigmoid.outputs[0]);
    nodes.push_back(std::move(sigmoid));
    nodes.push_back(std::move(product));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace lanthorn
