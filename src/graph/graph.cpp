#include "graph/graph.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace lanthorn {
namespace {

void for_each_subgraph(const Node& node,
                       const std::function<void(const std::shared_ptr<Graph>&)>& visit) {
  for (const auto& [name, attribute] : node.attributes.entries()) {
    if (const auto* graph = std::get_if<std::shared_ptr<Graph>>(&attribute)) {
      if (*graph) visit(*graph);
    } else if (const auto* graphs = std::get_if<std::vector<std::shared_ptr<Graph>>>(&attribute)) {
      for (const auto& one : *graphs) {
        if (one) visit(one);
      }
    }
  }
}

// Every value of the enclosing graph that a node reads, through its subgraphs too.
void for_each_read(const Node& node, const std::function<void(ValueId)>& visit) {
  for (const ValueId input : node.inputs) {
    if (input != kNoValue) visit(input);
  }
  for_each_subgraph(node, [&visit](const std::shared_ptr<Graph>& graph) {
    for (const Capture& capture : graph->captures) visit(capture.outer);
  });
}

void drop_unread_constants(Graph& graph) {
  const std::vector<uint32_t> uses = use_counts(graph);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (uses[i] == 0) graph.values[i].constant.reset();
  }
}

bool remove_dead(Graph& graph);

std::shared_ptr<Graph> cleaned(const std::shared_ptr<Graph>& graph, bool& changed) {
  auto copy = std::make_shared<Graph>(*graph);
  const bool removed = remove_dead(*copy);
  const std::vector<uint32_t> uses = use_counts(*copy);
  const size_t dropped = std::erase_if(
      copy->captures, [&uses](const Capture& capture) { return uses[capture.inner] == 0; });
  if (!removed && dropped == 0) return graph;
  changed = true;
  return copy;
}

bool clean_subgraphs(Node& node) {
  bool changed = false;
  for (const auto& [name, attribute] : std::vector<Attributes::Entry>(node.attributes.entries())) {
    if (const auto* graph = std::get_if<std::shared_ptr<Graph>>(&attribute); graph && *graph) {
      if (std::shared_ptr<Graph> copy = cleaned(*graph, changed); copy != *graph)
        node.attributes.set(name, copy);
    }
  }
  return changed;
}

bool remove_dead(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!node.attributes.entries().empty() && !subgraphs(node).empty())
      changed |= clean_subgraphs(node);
  }
  std::vector<uint32_t> uses = use_counts(graph);
  std::vector<bool> keep(graph.nodes.size(), true);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    keep[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&uses](ValueId output) {
      return output != kNoValue && uses[output] > 0;
    });
    if (!keep[i]) for_each_read(node, [&uses](ValueId read) { --uses[read]; });
  }
  size_t kept = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!keep[i]) continue;
    if (kept != i) graph.nodes[kept] = std::move(graph.nodes[i]);
    ++kept;
  }
  changed |= kept < graph.nodes.size();
  graph.nodes.resize(kept);
  drop_unread_constants(graph);
  return changed;
}

}  // namespace

ValueId Graph::add_value(std::string value_name, ValueType type) {
  values.push_back({std::move(value_name), std::move(type), std::nullopt});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(Tensor tensor, std::string value_name) {
  Dims dims(tensor.shape().begin(), tensor.shape().end());
  const ValueId id =
      add_value(std::move(value_name), ValueType::tensor(tensor.dtype(), std::move(dims)));
  values[id].constant = std::move(tensor);
  return id;
}

size_t Graph::add_node(std::string op, std::vector<ValueId> node_inputs, Attributes attributes,
                       size_t output_count, std::string domain) {
  Node node;
  node.op = std::move(op);
  node.domain = std::move(domain);
  node.inputs = std::move(node_inputs);
  node.attributes = std::move(attributes);
  for (size_t i = 0; i < output_count; ++i) {
    node.outputs.push_back(
        add_value("", {ValueType::Kind::kUnknown, DType::kUndefined, false, {}, nullptr}));
  }
  nodes.push_back(std::move(node));
  return nodes.size() - 1;
}

const Tensor* Graph::constant(ValueId id) const {
  return id < values.size() && values[id].constant ? &*values[id].constant : nullptr;
}

std::vector<std::shared_ptr<Graph>> subgraphs(const Node& node) {
  std::vector<std::shared_ptr<Graph>> found;
  for_each_subgraph(node,
                    [&found](const std::shared_ptr<Graph>& graph) { found.push_back(graph); });
  return found;
}

std::vector<uint32_t> makers(const Graph& graph) {
  std::vector<uint32_t> made_by(graph.values.size(), kNoNode);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId output : graph.nodes[i].outputs) {
      if (output != kNoValue) made_by[output] = static_cast<uint32_t>(i);
    }
  }
  return made_by;
}

std::vector<uint32_t> use_counts(const Graph& graph) {
  std::vector<uint32_t> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) for_each_read(node, [&uses](ValueId read) { ++uses[read]; });
  for (const ValueId output : graph.outputs) ++uses[output];
  return uses;
}

bool remove_dead_nodes(Graph& graph) { return remove_dead(graph); }

Status sort_nodes(Graph& graph) {
  const std::vector<uint32_t> made_by = makers(graph);
  std::vector<uint32_t> waiting(graph.nodes.size(), 0);
  std::vector<std::vector<uint32_t>> users(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for_each_read(graph.nodes[i], [&](ValueId read) {
      if (made_by[read] == kNoNode) return;
      users[made_by[read]].push_back(static_cast<uint32_t>(i));
      ++waiting[i];
    });
  }
  // The first node that is ready goes first, so that a sorted graph stays as it is.
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i] == 0) ready.push(static_cast<uint32_t>(i));
  }
  std::vector<Node> sorted;
  sorted.reserve(graph.nodes.size());
  while (!ready.empty()) {
    const uint32_t next = ready.top();
    ready.pop();
    sorted.push_back(graph.nodes[next]);
    for (const uint32_t user : users[next]) {
      if (--waiting[user] == 0) ready.push(user);
    }
  }
  if (sorted.size() < graph.nodes.size()) {
    const auto stuck =
        std::find_if(waiting.begin(), waiting.end(), [](uint32_t count) { return count > 0; });
    const Node& node = graph.nodes[static_cast<size_t>(stuck - waiting.begin())];
    return Error{ErrorCode::kCorrupt,
                 "the graph has a cycle through node '" + node.name + "' (" + node.op + ")", "",
                 ""};
  }
  graph.nodes = std::move(sorted);
  return ok();
}

}  // namespace lanthorn
