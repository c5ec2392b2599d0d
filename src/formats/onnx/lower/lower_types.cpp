// Dtypes that an older opset does not take: the node computes in another one.

#include <algorithm>

#include "formats/onnx/lower/lowerer.h"

namespace lanthorn::onnx {
namespace {

// The first input whose dtype is not taken.
std::optional<size_t> first_refused(const Graph& graph, const Node& node, const Schema& schema) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Schema::Formal* formal = formal_at(schema.inputs, i);
    if (!formal || node.inputs[i] == kNoValue) continue;
    const ValueType& type = graph.values[node.inputs[i]].type;
    const std::string text = schema_type(type);
    if (type.kind == ValueType::Kind::kTensor && !text.empty() && !formal->types.has(text)) return i;
  }
  return std::nullopt;
}

}  // namespace

std::vector<LoweredGraph::Narrowing> LoweredGraph::widen(Node& node, const Schema& schema,
                                                         int depth) {
  std::vector<Narrowing> narrowings;
  const auto refused = first_refused(graph, node, schema);
  if (!refused) return narrowings;
  const Schema::Formal& formal = *formal_at(schema.inputs, *refused);
  const DType from = graph.values[node.inputs[*refused]].type.dtype;
  const auto wide = wider_dtype(node, formal, from);
  if (!wide || formal.variable.empty()) return narrowings;
  Lowerer casts(*this, node, depth);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Schema::Formal* other = formal_at(schema.inputs, i);
    if (node.inputs[i] == kNoValue || !other || other->variable != formal.variable) continue;
    node.inputs[i] = casts.cast(node.inputs[i], *wide);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Schema::Formal* out = formal_at(schema.outputs, i);
    if (node.outputs[i] == kNoValue || !out || out->variable != formal.variable) continue;
    ValueType type = graph.values[node.outputs[i]].type;
    type.kind = ValueType::Kind::kTensor;
    type.dtype = *wide;
    const ValueId made = graph.add_value("", std::move(type));
    narrowings.push_back({made, std::exchange(node.outputs[i], made), from});
  }
  return narrowings;
}

}  // namespace lanthorn::onnx
