#include "optimize/graph_index.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace lanthorn {

GraphIndex::GraphIndex(Graph& graph) : graph_(graph) { refresh(); }

void GraphIndex::refresh() {
  const size_t count = graph_.values.size();
  maker_.assign(count, kNoNode);
  readers_.assign(count, {});
  held_.assign(count, false);
  for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
    for (const ValueId id : graph_.nodes[n].outputs) {
      if (id != kNoValue) maker_[id] = n;
    }
    for (const ValueId id : graph_.nodes[n].inputs) {
      if (id != kNoValue) readers_[id].push_back(n);
    }
    for (const auto& [name, attribute] : graph_.nodes[n].attributes.entries()) {
      const auto* subgraph = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (!subgraph) continue;
      for (const Capture& capture : (*subgraph)->captures) held_[capture.outer] = true;
    }
  }
  for (const ValueId id : graph_.outputs) {
    if (id != kNoValue) held_[id] = true;
  }
}

Node* GraphIndex::maker(ValueId id) const {
  if (id == kNoValue || id >= maker_.size() || maker_[id] == kNoNode) return nullptr;
  return &graph_.nodes[maker_[id]];
}

Node* GraphIndex::maker(ValueId id, std::string_view op) const {
  Node* node = maker(id);
  return node && is_op(*node, op) ? node : nullptr;
}

Node* GraphIndex::only_reader(ValueId id) const {
  return id < readers_.size() && read_once(id) ? &graph_.nodes[readers_[id][0]] : nullptr;
}

Node* GraphIndex::only_reader(ValueId id, std::string_view op) const {
  Node* node = only_reader(id);
  return node && is_op(*node, op) ? node : nullptr;
}

std::optional<double> GraphIndex::scalar(ValueId id) const {
  const Tensor* tensor = constant(id);
  if (!tensor || tensor->count() != 1 || !(is_floating(tensor->dtype()) || is_integer(tensor->dtype()))) {
    return std::nullopt;
  }
  const auto values = tensor->to_doubles();
  if (!values) return std::nullopt;
  return (*values)[0];
}

bool GraphIndex::is_scalar(ValueId id, double number) const {
  const auto found = scalar(id);
  return found && std::abs(*found - number) <= 1e-6 * std::max(1e-6, std::abs(number));
}

int64_t GraphIndex::rank(ValueId id) const {
  const ValueType& type = graph_.values[id].type;
  return type.kind == ValueType::Kind::kTensor && type.ranked ? static_cast<int64_t>(type.dims.size()) : -1;
}

void GraphIndex::replace(ValueId from, ValueId to) {
  if (from == to) return;
  for (const uint32_t n : readers_[from]) {
    std::replace(graph_.nodes[n].inputs.begin(), graph_.nodes[n].inputs.end(), from, to);
  }
  readers_[to].insert(readers_[to].end(), readers_[from].begin(), readers_[from].end());
  readers_[from].clear();
  if (!held_[from]) return;
  std::replace(graph_.outputs.begin(), graph_.outputs.end(), from, to);
  for (Node& node : graph_.nodes) {
    for (const auto& [name, attribute] : node.attributes.entries()) {
      const auto* subgraph = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (!subgraph) continue;
      for (Capture& capture : (*subgraph)->captures) {
        if (capture.outer == from) capture.outer = to;
      }
    }
  }
  held_[to] = true;
  held_[from] = false;
}

ValueId other_input(const Node& node, ValueId id) {
  if (node.inputs.size() != 2) return kNoValue;
  if (node.inputs[0] == id && node.inputs[1] != id) return node.inputs[1];
  if (node.inputs[1] == id && node.inputs[0] != id) return node.inputs[0];
  return kNoValue;
}

}  // namespace lanthorn
