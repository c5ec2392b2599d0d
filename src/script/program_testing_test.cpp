#include "script/program_testing.h"

#include "ops/op.h"
#include "script/class_table.h"
#include "script/graph_lowering.h"

namespace lanthorn::script {

Program program_of(std::string_view source, std::vector<std::pair<std::string, Value>> attributes,
                   std::vector<Value> constants) {
  CodeSource code;
  code.files = {"code/__torch__.py"};
  code.read = [text = std::string(source)](const std::string&) -> Result<std::string> {
    return text;
  };
  Program program;
  program.classes = std::make_shared<ClassTable>(std::move(code));
  auto root = std::make_shared<Object>();
  if (auto type = program.classes->find_class("__torch__.M")) root->type = *std::move(type);
  root->attributes = std::move(attributes);
  program.root = std::move(root);
  program.constants = std::move(constants);
  return program;
}

Value loaded_floats(std::string name, Shape shape, const std::vector<float>& values) {
  return Value(GraphLowering::loaded(Tensor::of<float>(DType::kF32, std::move(shape), values),
                                     std::move(name)));
}

std::vector<SignatureInput> signature_of(const std::vector<Tensor>& inputs) {
  std::vector<SignatureInput> signature;
  for (const Tensor& tensor : inputs) {
    SignatureInput input;
    input.dtype = tensor.dtype();
    input.hint = tensor.shape();
    signature.push_back(std::move(input));
  }
  return signature;
}

Result<std::vector<Tensor>> run_nodes(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::map<ValueId, lanthorn::Value> values;
  for (size_t i = 0; i < inputs.size(); ++i) values[graph.inputs[i]] = inputs[i];
  const auto value_of = [&](ValueId id) -> lanthorn::Value {
    if (id == kNoValue) return {};
    if (const Tensor* constant = graph.constant(id)) return *constant->contiguous();
    return values[id];
  };
  for (const Node& node : graph.nodes) {
    std::vector<lanthorn::Value> arguments;
    for (const ValueId id : node.inputs) arguments.push_back(value_of(id));
    auto results = run_reference(node, arguments);
    if (!results) return std::move(results).error().at(node.op);
    for (size_t i = 0; i < node.outputs.size(); ++i) values[node.outputs[i]] = (*results)[i];
  }
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs) {
    const lanthorn::Value value = value_of(id);
    if (!value.tensor()) return Error{ErrorCode::kInternal, "an output is no tensor", "", ""};
    outputs.push_back(*value.tensor());
  }
  return outputs;
}

Result<std::vector<Tensor>> run_program(const Program& program, const std::vector<Tensor>& inputs) {
  LAN_TRY(const Evaluation evaluation, evaluate(program, "forward", signature_of(inputs)));
  LAN_OK(evaluation.graph->verify());
  return run_nodes(*evaluation.graph, inputs);
}

}  // namespace lanthorn::script
