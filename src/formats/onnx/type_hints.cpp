#include "formats/onnx/type_hints.h"

#include <optional>
#include <vector>

#include "ops/op.h"

namespace lanthorn::onnx {

void TypeHints::infer(Graph& graph, const Node& node) {
  const OpEntry* op = find_op(node.op, node.domain);
  if (!op) return;
  std::vector<ValueType> inputs(node.inputs.size());
  std::vector<const Tensor*> constants(node.inputs.size(), nullptr);
  std::vector<std::optional<Dims>> elements(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (id == kNoValue) continue;
    inputs[i] = graph.values[id].type;
    constants[i] = graph.constant(id);
    if (const auto known = elements_.find(id); known != elements_.end())
      elements[i] = known->second;
  }
  InferContext context(node, inputs, constants, elements);
  // A node that is wrong, or has subgraphs, is left to the inference of the whole graph.
  if (!infer_node(*op, context).ok()) return;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId id = node.outputs[i];
    if (id == kNoValue || context.outputs[i].kind == ValueType::Kind::kUnknown) continue;
    graph.values[id].type = context.outputs[i];
    if (context.output_elements[i]) elements_[id] = *context.output_elements[i];
  }
}

void TypeHints::catch_up(Graph& graph) {
  for (; next_ < graph.nodes.size(); ++next_) infer(graph, graph.nodes[next_]);
}

}  // namespace lanthorn::onnx
