#include "formats/onnx/raise.h"

namespace lanthorn::onnx {

ValueId Raiser::emit(std::string op, std::vector<ValueId> inputs, Attributes attributes) {
  const size_t position =
      graph_.add_node(std::move(op), std::move(inputs), std::move(attributes), 1);
  Node& made = graph_.nodes[position];
  made.name = node.name;
  made.source = node.source;
  return made.outputs[0];
}

void Raiser::emit_into(std::vector<ValueId> outputs, std::string op, std::vector<ValueId> inputs,
                       Attributes attributes) {
  Node made;
  made.op = std::move(op);
  made.name = node.name;
  made.source = node.source;
  made.inputs = std::move(inputs);
  made.outputs = std::move(outputs);
  made.attributes = std::move(attributes);
  graph_.nodes.push_back(std::move(made));
  replaced = true;
}

std::optional<int64_t> Raiser::rank(size_t i) const {
  if (!has_input(i)) return std::nullopt;
  const ValueType& known = type(i);
  if (known.kind != ValueType::Kind::kTensor || !known.ranked) return std::nullopt;
  return static_cast<int64_t>(known.dims.size());
}

void Raiser::set_input(size_t i, ValueId value) {
  if (node.inputs.size() <= i) node.inputs.resize(i + 1, kNoValue);
  node.inputs[i] = value;
}

Error Raiser::unsupported(std::string what) const {
  return Error{ErrorCode::kUnsupported,
               node.op + " of opset " + std::to_string(opset) + ": " + std::move(what), "",
               "export the model again with a newer opset"};
}

// The opset whose Scan lost its batch axis and the input sequence_lens.
constexpr int kScanWithoutBatch = 9;

Status append_raised(Graph& graph, int opset, Node node) {
  Raiser raiser(graph, opset, std::move(node));
  if (opset < kScanWithoutBatch && raiser.node.op == "Scan") {
    return raiser.unsupported("the form with a batch is not supported");
  }
  // What every rule counts on; without it the operator's own checks refuse the node.
  if (!raiser.has_input(0) || !raiser.has_output(0)) {
    graph.nodes.push_back(std::move(raiser.node));
    return ok();
  }
  for (const auto rules : {renaming_rules(), broadcast_rules(), attribute_to_input_rules(),
                           normalization_rules(), softmax_rules()}) {
    for (const Rule& rule : rules) {
      if (opset >= rule.before || raiser.node.op != rule.op) continue;
      LAN_OK(rule.apply(raiser));
      if (raiser.replaced) return ok();
    }
  }
  graph.nodes.push_back(std::move(raiser.node));
  return ok();
}

}  // namespace lanthorn::onnx
