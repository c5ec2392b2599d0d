#include "graph/clone_graph.h"

#include <utility>

namespace lanthorn {

Graph clone_graph(const Graph& graph) {
  Graph copy = graph;
  for (Node& node : copy.nodes) {
    const std::vector<Attributes::Entry> entries = node.attributes.entries();
    for (const auto& [name, attribute] : entries) {
      if (const auto* subgraph = std::get_if<std::shared_ptr<Graph>>(&attribute)) {
        node.attributes.set(name, std::make_shared<Graph>(clone_graph(**subgraph)));
      } else if (const auto* list = std::get_if<std::vector<std::shared_ptr<Graph>>>(&attribute)) {
        std::vector<std::shared_ptr<Graph>> copies;
        for (const auto& item : *list) copies.push_back(std::make_shared<Graph>(clone_graph(*item)));
        node.attributes.set(name, std::move(copies));
      }
    }
  }
  return copy;
}

}  // namespace lanthorn
