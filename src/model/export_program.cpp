#include "model/export_program.h"

#include <algorithm>
#include <map>

#include "graph/onnx_dtype.h"
#include "model/model_impl.h"
#include "model/program_call.h"

namespace lanthorn {
namespace {

Error usage(const DynamicAxis& axis, std::string message) {
  return Error{ErrorCode::kUsage, std::move(message),
               "--dynamic " + axis.port + ":" + std::to_string(axis.axis) + "=" + axis.symbol, ""};
}

/// What the program is evaluated for: arguments in flattened order.
Result<ProgramCall> example_call(const FileContents& contents, const OnnxExportOptions& options) {
  const std::vector<Port> ports = program_ports(*contents.program, std::nullopt);
  LAN_OK(require_inputs(contents, options.input_shapes));
  if (!options.example.empty()) {
    return bind_program(*contents.program, ports, options.example);
  }
  auto guessed = guess_signature(contents, options.input_shapes);
  if (!guessed) {
    return Error{ErrorCode::kUsage, "the file does not tell what inputs its program takes", "",
                 "Give them with --example IN.npz, or --input-shape NAME:1,3,224,224."};
  }
  ProgramCall call;
  call.ports = ports;
  call.signature = *std::move(guessed);
  call.values.resize(call.signature.size());
  return call;
}

class DynamicAxes {
 public:
  DynamicAxes(const OnnxExportOptions& options, const std::vector<Port>& ports)
      : options_(options), ports_(ports) {}

  /// Gives the tensors of the signature the dims that the graph shall have.
  Status apply(std::vector<script::SignatureInput>& signature) {
    for (script::SignatureInput& input : signature) {
      if (input.is_tensor) input.dims = Dims(input.hint.begin(), input.hint.end());
    }
    for (const DynamicAxis& axis : options_.dynamic) {
      const auto position = input_of(axis.port);
      if (!position) {
        of_outputs.push_back(axis);
        continue;
      }
      if (*position >= signature.size() || !signature[*position].is_tensor) {
        return usage(axis, "the input is no tensor");
      }
      LAN_OK(free_dim(axis, *position, signature[*position]));
    }
    return ok();
  }

  /// kUnsupported if the graph holds only for the example's size of a dimension that shall be free.
  Status check(const std::vector<script::Guard>& guards) const {
    for (const script::Guard& guard : guards) {
      const auto freed = freed_.find({guard.input, guard.axis});
      if (freed == freed_.end()) continue;
      Error error = usage(freed->second, "the program depends on this size: its graph holds for " +
                                             std::to_string(guard.size) + " only");
      error.code = ErrorCode::kUnsupported;
      error.advice = "Export without this --dynamic, or choose an example of another size.";
      return error;
    }
    return ok();
  }

  std::vector<DynamicAxis> of_outputs;

 private:
  std::optional<size_t> input_of(const std::string& name) const {
    const auto& names = options_.input_names;
    const auto renamed = std::find(names.begin(), names.end(), name);
    if (renamed != names.end()) return static_cast<size_t>(renamed - names.begin());
    for (size_t i = 0; i < ports_.size(); ++i) {
      if (ports_[i].name == name) return i;
    }
    return std::nullopt;
  }

  Status free_dim(const DynamicAxis& axis, size_t position, script::SignatureInput& input) {
    const auto rank = static_cast<int64_t>(input.hint.size());
    const int64_t at = axis.axis < 0 ? axis.axis + rank : axis.axis;
    if (at < 0 || at >= rank) {
      return usage(axis, "the input has " + std::to_string(rank) + " dimensions");
    }
    const int64_t size = input.hint[static_cast<size_t>(at)];
    const auto [known, is_new] = sizes_.emplace(axis.symbol, size);
    if (!is_new && known->second != size) {
      return usage(axis, "in the example '" + axis.symbol + "' is " + std::to_string(size) +
                             " here and " + std::to_string(known->second) + " elsewhere");
    }
    (*input.dims)[static_cast<size_t>(at)] = Dim::symbol(axis.symbol);
    freed_.emplace(std::pair(position, static_cast<size_t>(at)), axis);
    return ok();
  }

  const OnnxExportOptions& options_;
  const std::vector<Port>& ports_;
  std::map<std::string, int64_t> sizes_;
  std::map<std::pair<size_t, size_t>, DynamicAxis> freed_;
};

/// Adds what the program returns beside tensors, as constants in the places where it returns it.
void add_known_outputs(const script::OutputTree& tree, Graph& graph,
                       const std::vector<ValueId>& tensors, size_t& next) {
  using Kind = script::OutputTree::Kind;
  const auto add = [&](Tensor tensor) { graph.outputs.push_back(graph.add_constant(std::move(tensor))); };
  switch (tree.kind) {
    case Kind::kTensor:
      if (next < tensors.size()) graph.outputs.push_back(tensors[next++]);
      return;
    case Kind::kNone:
      return;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      for (const script::OutputTree& item : tree.items) add_known_outputs(item, graph, tensors, next);
      return;
    case Kind::kBool:
      return add(Tensor::scalar_bool(*tree.value.flag()));
    case Kind::kInt:
      return add(Tensor::scalar_i64(*tree.value.integer()));
    case Kind::kFloat:
      return add(Tensor::of<double>(DType::kF64, {}, std::span(tree.value.real(), 1)));
    case Kind::kString:
      return add(Tensor::of_strings({}, {*tree.value.text()}));
  }
}

/// Inputs that are numbers for the program are inputs of the graph too, which nothing reads.
void add_known_inputs(const ProgramCall& call, const std::vector<Port>& ports, Graph& graph,
                      std::vector<std::string>& notes) {
  std::vector<ValueId> inputs;
  size_t next = 0;
  for (size_t i = 0; i < call.signature.size(); ++i) {
    if (call.signature[i].is_tensor) {
      if (next < graph.inputs.size()) inputs.push_back(graph.inputs[next++]);
      continue;
    }
    const Tensor* given = call.values[i].tensor();
    if (!given || i >= ports.size()) continue;
    Dims dims(given->shape().begin(), given->shape().end());
    inputs.push_back(graph.add_value(ports[i].name, ValueType::tensor(given->dtype(), std::move(dims))));
    notes.push_back("the input '" + ports[i].name + "' is a number for the program, whose value in the " +
                    "example the graph holds for; nothing reads it");
  }
  inputs.insert(inputs.end(), graph.inputs.begin() + static_cast<ptrdiff_t>(next), graph.inputs.end());
  graph.inputs = std::move(inputs);
}

}  // namespace

Result<ExportedProgram> evaluate_for_export(const FileContents& contents,
                                            const OnnxExportOptions& options) {
  const script::Program& program = *contents.program;
  LAN_TRY(ProgramCall call, example_call(contents, options));
  const std::vector<Port> ports =
      call.ports.empty() ? program_ports(program, std::nullopt) : call.ports;
  DynamicAxes dynamic(options, ports);
  LAN_OK(dynamic.apply(call.signature));
  LAN_TRY(script::Evaluation evaluation, script::evaluate(program, program.method, call.signature));
  LAN_OK(dynamic.check(evaluation.guards));
  ExportedProgram made{std::move(evaluation.graph), std::move(dynamic.of_outputs),
                       std::move(evaluation.notes)};
  const std::vector<ValueId> tensors = std::move(made.graph->outputs);
  made.graph->outputs.clear();
  size_t next = 0;
  add_known_outputs(evaluation.outputs, *made.graph, tensors, next);
  add_known_inputs(call, ports, *made.graph, made.notes);
  return made;
}

}  // namespace lanthorn
