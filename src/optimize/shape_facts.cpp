#include "optimize/shape_facts.h"

#include <utility>

#include "ops/op.h"

namespace lanthorn {

namespace {

bool has_subgraph(const Node& node) {
  for (const auto& [name, attribute] : node.attributes.entries()) {
    if (std::holds_alternative<std::shared_ptr<Graph>>(attribute)) return true;
  }
  return false;
}

bool ranked_inputs(const Graph& graph, const Node& node) {
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    const ValueType& type = graph.values[id].type;
    if (type.kind != ValueType::Kind::kTensor || !type.ranked) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<std::optional<Dims>>> find_shape_facts(Graph& graph) {
  LAN_OK(infer_graph(graph));
  std::vector<std::optional<Dims>> facts(graph.values.size());
  for (const Node& node : graph.nodes) {
    const OpEntry* op = find_op(node.op, node.domain);
    if (!op || op->def->values || op->def->data_dependent || has_subgraph(node) || !ranked_inputs(graph, node)) continue;
    std::vector<ValueType> types;
    std::vector<const Tensor*> constants;
    std::vector<std::optional<Dims>> elements;
    for (const ValueId id : node.inputs) {
      types.push_back(id == kNoValue ? ValueType() : graph.values[id].type);
      constants.push_back(id == kNoValue ? nullptr : graph.constant(id));
      elements.push_back(id == kNoValue ? std::nullopt : facts[id]);
    }
    InferContext context(node, types, constants, elements);
    auto status = infer_node(*op, context);
    if (!status) continue;  // infer_graph has said what is wrong, if it is
    for (size_t i = 0; i < node.outputs.size() && i < context.output_elements.size(); ++i) {
      if (node.outputs[i] != kNoValue && context.output_elements[i]) facts[node.outputs[i]] = context.output_elements[i];
    }
  }
  return facts;
}

std::optional<std::vector<int64_t>> reshape_operand(const Dims& from, const Dims& to) {
  std::vector<int64_t> operand;
  bool open = false;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i].is_known()) {
      if (to[i].is(0)) return std::nullopt;  // 0 would mean something else
      operand.push_back(to[i].value());
    } else if (i < from.size() && from[i] == to[i]) {
      operand.push_back(0);
    } else if (!open) {
      open = true;
      operand.push_back(-1);
    } else {
      return std::nullopt;
    }
  }
  return operand;
}

}  // namespace lanthorn
