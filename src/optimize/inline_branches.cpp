#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// The branch that an If takes, where its condition is known.
const std::shared_ptr<Graph>* taken_branch(const GraphIndex& index, const Node& node) {
  if (!is_op(node, "If")) return nullptr;
  const Tensor* condition = index.constant(input_of(node, 0));
  if (!condition || condition->dtype() != DType::kBool || condition->count() != 1) return nullptr;
  const auto value = condition->to_ints();
  if (!value) return nullptr;
  return node.attributes.graph((*value)[0] != 0 ? "then_branch" : "else_branch");
}

/// Copies the nodes of a branch into the graph around it.
class Inliner {
 public:
  Inliner(Graph& graph, const Graph& branch) : graph_(graph), branch_(branch), now_(branch.values.size(), kNoValue) {
    for (const Capture& capture : branch.captures) now_[capture.inner] = capture.outer;
  }

  std::vector<Node> nodes() {
    std::vector<Node> copies;
    for (const Node& node : branch_.nodes) {
      Node copy = node;
      for (ValueId& id : copy.inputs) id = outside(id);
      for (ValueId& id : copy.outputs) id = outside(id);
      const std::vector<Attributes::Entry> entries = copy.attributes.entries();
      for (const auto& [name, attribute] : entries) {
        const auto* inner = std::get_if<std::shared_ptr<Graph>>(&attribute);
        if (!inner) continue;
        auto own = std::make_shared<Graph>(**inner);
        for (Capture& capture : own->captures) capture.outer = outside(capture.outer);
        copy.attributes.set(name, std::move(own));
      }
      copies.push_back(std::move(copy));
    }
    return copies;
  }

  ValueId outside(ValueId id) {
    if (id == kNoValue) return id;
    if (now_[id] == kNoValue) {
      const GraphValue& value = branch_.values[id];
      now_[id] = value.constant ? graph_.add_constant(*value.constant) : graph_.add_value("", value.type);
    }
    return now_[id];
  }

 private:
  Graph& graph_;
  const Graph& branch_;
  std::vector<ValueId> now_;
};

}  // namespace

Result<bool> inline_branches(Graph& graph) {
  GraphIndex index(graph);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const std::shared_ptr<Graph>* found = taken_branch(index, graph.nodes[n]);
    if (!found || (*found)->outputs.size() != graph.nodes[n].outputs.size()) continue;
    const std::shared_ptr<Graph> branch = *found;
    Inliner inliner(graph, *branch);
    std::vector<Node> nodes = inliner.nodes();
    const std::vector<ValueId> old_outputs = graph.nodes[n].outputs;
    std::vector<ValueId> new_outputs;
    for (const ValueId id : branch->outputs) new_outputs.push_back(inliner.outside(id));
    graph.nodes.erase(graph.nodes.begin() + static_cast<ptrdiff_t>(n));
    graph.nodes.insert(graph.nodes.begin() + static_cast<ptrdiff_t>(n), std::make_move_iterator(nodes.begin()),
                       std::make_move_iterator(nodes.end()));
    index.refresh();
    for (size_t i = 0; i < old_outputs.size(); ++i) {
      if (old_outputs[i] != kNoValue && new_outputs[i] != kNoValue) index.replace(old_outputs[i], new_outputs[i]);
    }
    return true;  // one a time: the passes that follow look at what came in
  }
  return false;
}

}  // namespace lanthorn
