// Names, dtypes and shapes of a model's inputs and outputs: from the file where it tells them, else
// backwards from the first weights.

#include <algorithm>

#include "model/model_impl.h"

namespace lanthorn {
namespace {

Port port_of(const std::string& name, const ValueType& type) {
  Port port;
  port.name = name;
  switch (type.kind) {
    case ValueType::Kind::kTensor: port.type = "tensor"; break;
    case ValueType::Kind::kSequence: port.type = "sequence"; break;
    case ValueType::Kind::kOptional: port.type = "optional"; break;
    case ValueType::Kind::kMap: port.type = "map"; break;
    case ValueType::Kind::kUnknown: port.type = "unknown"; break;
  }
  port.dtype = type.dtype;
  port.optional = type.kind == ValueType::Kind::kOptional;
  port.has_shape = type.kind == ValueType::Kind::kTensor && type.ranked;
  for (const Dim& dim : type.dims) {
    port.shape.push_back({dim.known().value_or(-1), dim.is_known() ? "" : dim.symbol_name()});
  }
  return port;
}

/// Sizes to try where only running the program tells whether a picture fits.
constexpr int64_t kPictureSizes[] = {224, 64, 32, 28, 299, 8, 96, 16, 384, 512};

struct Candidate {
  Shape hint;
  std::vector<bool> free;  // dimensions that the weights do not fix
};

/// Shapes that the first weight of the file asks its input to have.
std::vector<Candidate> backwards_from_weights(const StateDict& tensors) {
  std::vector<Candidate> found;
  for (const NamedTensor& entry : tensors.entries()) {
    const Shape& shape = entry.tensor.shape();
    if (!is_floating(entry.tensor.dtype()) || shape.size() < 2) continue;
    if (shape.size() == 2) {
      found.push_back({{1, shape[1]}, {true, false}});
      found.push_back({{1, 16, shape[1]}, {true, true, false}});
    }
    if (shape.size() == 3) found.push_back({{1, shape[1], 128}, {true, false, true}});
    if (shape.size() == 4) {
      for (const int64_t size : kPictureSizes) {
        found.push_back({{1, shape[1], size, size}, {true, false, true, true}});
      }
    }
    if (shape.size() == 5) found.push_back({{1, shape[1], 8, 64, 64}, {true, false, true, true, true}});
    break;
  }
  return found;
}

/// What --input-shape says of the only input.
std::vector<Candidate> given_shapes(const std::vector<script::InputSpec>& specs,
                                    const std::vector<std::pair<std::string, Shape>>& shapes) {
  std::vector<Candidate> candidates;
  for (const auto& [name, shape] : shapes) {
    if (specs.size() != 1 || (name != specs[0].name && !name.empty())) continue;
    Candidate given;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      given.hint.push_back(shape[axis] > 0 ? shape[axis] : axis == 0 ? 1 : 224);
      given.free.push_back(shape[axis] < 0);
    }
    candidates.push_back(std::move(given));
  }
  return candidates;
}

std::vector<script::SignatureInput> one_tensor(const Shape& hint) {
  script::SignatureInput input;
  input.dtype = DType::kF32;
  input.hint = hint;
  return {input};
}

void add_outputs(const Graph& graph, Signature& signature) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    signature.outputs.push_back(
        port_of("out" + std::to_string(i), graph.values[graph.outputs[i]].type));
  }
}

/// Dimensions that no guard ties to a size are free; their symbols come from the graph.
void add_input_shape(Port& port, const script::SignatureInput& input, size_t index,
                     const std::vector<script::Guard>& guards, const std::vector<bool>* free) {
  port.dtype = input.dtype;
  port.has_shape = true;
  for (size_t axis = 0; axis < input.hint.size(); ++axis) {
    const bool guarded = std::any_of(guards.begin(), guards.end(), [&](const script::Guard& guard) {
      return guard.input == index && guard.axis == axis;
    });
    const bool is_free = !guarded && (free ? (*free)[axis] : axis == 0);
    port.shape.push_back({is_free ? -1 : input.hint[axis], is_free && axis == 0 ? "batch" : ""});
  }
}

std::vector<Shape> hints(const std::vector<script::SignatureInput>& inputs) {
  std::vector<Shape> shapes;
  for (const script::SignatureInput& input : inputs) shapes.push_back(input.hint);
  return shapes;
}

std::optional<std::vector<script::SignatureInput>> from_traced(const script::Program& program,
                                                               size_t count) {
  if (program.traced_inputs.size() != count) return std::nullopt;
  std::vector<script::SignatureInput> inputs;
  for (const script::Value& value : program.traced_inputs) {
    const auto tensor = value.tensor();
    if (!tensor || !all_known(tensor->dims)) return std::nullopt;
    script::SignatureInput input;
    input.dtype = tensor->dtype;
    for (const Dim& dim : tensor->dims) input.hint.push_back(dim.value());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

/// Whether a program can be evaluated for these sizes; with symbols for them, sizes that do not fit may not be seen.
bool fits(const script::Program& program, const Shape& shape) {
  std::vector<script::SignatureInput> inputs = one_tensor(shape);
  inputs[0].dims = Dims(shape.begin(), shape.end());
  return script::evaluate(program, program.method, inputs).ok();
}

}  // namespace

Status require_inputs(const FileContents& contents, const std::vector<std::pair<std::string, Shape>>& shapes) {
  if (shapes.empty() || (!contents.program && !contents.graph)) return ok();
  std::vector<std::string> names;
  if (contents.graph) {
    for (const ValueId id : contents.graph->inputs) names.push_back(contents.graph->values[id].name);
  } else {
    for (const script::InputSpec& spec : script::program_inputs(*contents.program, contents.program->method)) names.push_back(spec.name);
  }
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
  for (const auto& [name, shape] : shapes) {
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) continue;
    return Error{ErrorCode::kUsage, "a shape is given for '" + name + "', which is no input of the model", "", "Its inputs are: " + listed + "."};
  }
  return ok();
}

bool looks_like_classifier(const std::vector<Port>& outputs) {
  if (outputs.size() != 1) return false;
  const Port& only = outputs[0];
  if (only.type != "tensor" || !is_floating(only.dtype) || !only.has_shape) return false;
  return only.shape.size() == 2 && (only.shape[1].size < 0 || only.shape[1].size >= 2);
}

Signature graph_signature(const Graph& graph) {
  Signature signature;
  for (const ValueId id : graph.inputs) {
    signature.inputs.push_back(port_of(graph.values[id].name, graph.values[id].type));
  }
  for (const ValueId id : graph.outputs) {
    signature.outputs.push_back(port_of(graph.values[id].name, graph.values[id].type));
  }
  signature.classifier = looks_like_classifier(signature.outputs);
  return signature;
}

std::optional<std::vector<script::SignatureInput>> guess_signature(
    const FileContents& contents, const std::vector<std::pair<std::string, Shape>>& shapes) {
  const script::Program& program = *contents.program;
  const auto specs = script::program_inputs(program, program.method);
  std::vector<Candidate> candidates = given_shapes(specs, shapes);
  if (candidates.empty()) {
    if (auto traced = from_traced(program, specs.size())) return traced;
    if (specs.size() == 1 && specs[0].type == "Tensor") {
      candidates = backwards_from_weights(contents.tensors);
    }
  }
  for (const Candidate& candidate : candidates) {
    if (fits(program, candidate.hint)) return one_tensor(candidate.hint);
  }
  return std::nullopt;
}

Signature program_signature(const Model::Impl& model, ExampleGraph* example) {
  const script::Program& program = *model.contents.program;
  Signature signature;
  const auto specs = script::program_inputs(program, program.method);
  for (const script::InputSpec& spec : specs) {
    Port port;
    port.name = spec.name;
    port.type = spec.type == "Tensor" ? "tensor" : spec.type;
    port.optional = spec.has_default;
    signature.inputs.push_back(std::move(port));
  }
  std::vector<Candidate> candidates = given_shapes(specs, model.options.input_shapes);
  const auto traced = from_traced(program, specs.size());
  if (candidates.empty() && traced) {
    if (auto evaluation = script::evaluate(program, program.method, *traced)) {
      for (size_t i = 0; i < specs.size(); ++i) {
        add_input_shape(signature.inputs[i], (*traced)[i], i, evaluation->guards, nullptr);
      }
      add_outputs(*evaluation->graph, signature);
      if (example) *example = {evaluation->graph, hints(*traced)};
    }
  } else if (specs.size() == 1 && specs[0].type == "Tensor") {
    if (candidates.empty()) candidates = backwards_from_weights(model.contents.tensors);
    for (const Candidate& candidate : candidates) {
      auto evaluation = script::evaluate(program, program.method, one_tensor(candidate.hint));
      if (!evaluation || !fits(program, candidate.hint)) continue;
      add_input_shape(signature.inputs[0], one_tensor(candidate.hint)[0], 0, evaluation->guards,
                      &candidate.free);
      add_outputs(*evaluation->graph, signature);
      if (example) *example = {evaluation->graph, {candidate.hint}};
      break;
    }
  }
  signature.classifier = looks_like_classifier(signature.outputs);
  return signature;
}

ExampleGraph example_graph(const Model::Impl& model) {
  ExampleGraph example{model.contents.graph, {}};
  if (model.contents.program) program_signature(model, &example);
  if (!model.contents.graph) return example;
  for (const ValueId id : example.graph->inputs) {
    const GraphValue& input = example.graph->values[id];
    Shape& shape = example.shapes.emplace_back();
    for (const Dim& dim : input.type.dims) shape.push_back(dim.known().value_or(1));
    for (const auto& [name, given] : model.options.input_shapes) {
      if ((name != input.name && !name.empty()) || given.size() != shape.size()) continue;
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        if (given[axis] > 0) shape[axis] = given[axis];
      }
    }
  }
  return example;
}

ExampleGraph sized_graph(const Model::Impl& model) {
  ExampleGraph example = example_graph(model);
  if (!example.graph || !model.contents.program) return example;
  std::vector<script::SignatureInput> inputs;
  for (size_t i = 0; i < example.shapes.size(); ++i) {
    const Shape& shape = example.shapes[i];
    script::SignatureInput& input = inputs.emplace_back();
    input.dtype = example.graph->values[example.graph->inputs[i]].type.dtype;
    input.hint = shape;
    input.dims = Dims(shape.begin(), shape.end());
  }
  const script::Program& program = *model.contents.program;
  if (auto evaluation = script::evaluate(program, program.method, inputs)) example.graph = std::move(evaluation->graph);
  return example;
}

}  // namespace lanthorn
