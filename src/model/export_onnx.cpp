#include "model/export_onnx.h"

#include <algorithm>
#include <set>

#include "formats/onnx/write/plain_outputs.h"
#include "graph/clone_graph.h"
#include "lanthorn/lanthorn.h"
#include "model/export_program.h"
#include "model/model_impl.h"
#include "model/portable_nodes.h"
#include "model/program_call.h"
#include "ops/infer_all.h"
#include "ops/op.h"
#include "optimize/passes.h"
#include "optimize/pipeline.h"

namespace lanthorn {
namespace {

Error usage(std::string message, std::string option) {
  return Error{ErrorCode::kUsage, std::move(message), std::move(option), ""};
}

Status rename(Graph& graph, const std::vector<ValueId>& ports, const std::vector<std::string>& names,
              const std::string& option) {
  if (names.size() > ports.size()) {
    return usage(std::to_string(names.size()) + " names for " + std::to_string(ports.size()) +
                     " values of the model",
                 option);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) return usage("a name is empty", option);
    graph.values[ports[i]].name = names[i];
  }
  std::set<std::string> all;
  for (const ValueId id : ports) {
    const std::string& name = graph.values[id].name;
    if (!name.empty() && !all.insert(name).second) {
      return usage("two values would be called '" + name + "'", option);
    }
  }
  return ok();
}

/// Values inside that have a name which a port takes over are named anew.
void clear_name_clashes(Graph& graph) {
  std::set<ValueId> ports(graph.inputs.begin(), graph.inputs.end());
  ports.insert(graph.outputs.begin(), graph.outputs.end());
  std::set<std::string> names;
  for (const ValueId id : ports) names.insert(graph.values[id].name);
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (!ports.contains(id) && names.contains(graph.values[id].name)) graph.values[id].name.clear();
  }
}

Status set_names(Graph& graph, const OnnxExportOptions& options) {
  if (options.input_names.empty() && options.output_names.empty()) return ok();
  LAN_OK(rename(graph, graph.inputs, options.input_names, "--input-names"));
  LAN_OK(rename(graph, graph.outputs, options.output_names, "--output-names"));
  for (const ValueId input : graph.inputs) {
    for (const ValueId output : graph.outputs) {
      if (input != output && graph.values[input].name == graph.values[output].name) {
        return usage("an input and an output would be called '" + graph.values[input].name + "'",
                     "--output-names");
      }
    }
  }
  clear_name_clashes(graph);
  return ok();
}

std::string option_text(const DynamicAxis& axis) {
  return "--dynamic " + axis.port + ":" + std::to_string(axis.axis) + "=" + axis.symbol;
}

/// Frees dimensions of a graph: of inputs before types are inferred, of outputs after.
Status free_dims(Graph& graph, const std::vector<ValueId>& ports, const DynamicAxis& dynamic,
                 bool outputs, bool& found) {
  for (const ValueId id : ports) {
    GraphValue& value = graph.values[id];
    if (value.name != dynamic.port) continue;
    found = true;
    if (value.type.kind != ValueType::Kind::kTensor || !value.type.ranked) {
      return usage("the rank of '" + dynamic.port + "' is not known", option_text(dynamic));
    }
    const auto rank = static_cast<int64_t>(value.type.dims.size());
    const int64_t axis = dynamic.axis < 0 ? dynamic.axis + rank : dynamic.axis;
    if (axis < 0 || axis >= rank) {
      return usage("'" + dynamic.port + "' has " + std::to_string(rank) + " dimensions",
                   option_text(dynamic));
    }
    Dim& dim = value.type.dims[static_cast<size_t>(axis)];
    if (outputs && dim.is_known()) {
      return usage("the dimension of this output is always " + dim.text(), option_text(dynamic));
    }
    dim = Dim::symbol(dynamic.symbol);
  }
  return ok();
}

void forget_types(Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) graph.values[id].type = {.kind = ValueType::Kind::kUnknown};
    }
    for (const auto& inner : subgraphs(node)) forget_types(*inner);
  }
}

Result<OnnxExport> export_graph(const FileContents& contents, const OnnxExportOptions& options) {
  OnnxExport made;
  made.graph = std::make_shared<Graph>(clone_graph(*contents.graph));
  if (contents.annotations) made.annotations = *contents.annotations;
  Graph& graph = *made.graph;
  std::set<std::string> sources;
  std::vector<DynamicAxis> dynamic = options.dynamic;
  for (DynamicAxis& axis : dynamic) {
    // By the source's names too.
    const auto to_new = [&](const std::vector<ValueId>& ports, const std::vector<std::string>& names) {
      for (size_t i = 0; i < ports.size() && i < names.size(); ++i) {
        if (graph.values[ports[i]].name == axis.port) axis.port = names[i];
      }
    };
    const bool is_new = std::find(options.input_names.begin(), options.input_names.end(), axis.port) !=
                        options.input_names.end();
    if (!is_new) to_new(graph.inputs, options.input_names);
    to_new(graph.outputs, options.output_names);
  }
  LAN_OK(set_names(graph, options));
  if (dynamic.empty()) return made;
  std::vector<bool> found(dynamic.size(), false);
  bool any = false;
  for (size_t i = 0; i < dynamic.size(); ++i) {
    bool here = false;
    LAN_OK(free_dims(graph, graph.inputs, dynamic[i], false, here));
    found[i] = here;
    any = any || here;
  }
  // What the file says of values inside holds for the sizes that were.
  if (any) forget_types(graph);
  LAN_TRY(const auto wrong, infer_all(graph));
  if (!wrong.empty()) {
    Error error = wrong[0].error;
    error.code = ErrorCode::kUnsupported;
    error.message = "with these dimensions free the model does not hold: " + error.message;
    return error;
  }
  for (size_t i = 0; i < dynamic.size(); ++i) {
    bool here = false;
    LAN_OK(free_dims(graph, graph.outputs, dynamic[i], true, here));
    if (!found[i] && !here) {
      return usage("the model has no input or output of this name", option_text(dynamic[i]));
    }
  }
  return made;
}

/// Names that say where a node is: "/layer1/0/conv1/Conv" of the module layer1.0.conv1.
void name_by_modules(Graph& graph) {
  for (Node& node : graph.nodes) {
    std::replace(node.name.begin(), node.name.end(), '.', '/');
    node.name = (node.name.empty() ? "/" : "/" + node.name + "/") + node.op;
  }
}

Status apply(Graph& graph, Result<bool> (*pass)(Graph&)) {
  LAN_TRY(const bool changed, pass(graph));
  if (!changed) return ok();
  remove_dead_nodes(graph);
  LAN_OK(infer_graph(graph));
  return clean(graph);
}

Result<OnnxExport> export_program(const FileContents& contents, const OnnxExportOptions& options) {
  LAN_TRY(ExportedProgram program, evaluate_for_export(contents, options));
  OnnxExport made{program.graph, {}, std::move(program.notes)};
  made.annotations.producer_name = "lanthorn";
  made.annotations.producer_version = version();
  Graph& graph = *made.graph;
  LAN_OK(infer_graph(graph));
  LAN_OK(clean(graph));
  constexpr int kEinsum = 12;
  if (options.opset < kEinsum) LAN_OK(apply(graph, lower_einsum));
  if (options.fold_batch_norm) LAN_OK(apply(graph, fold_batch_norms));
  use_portable_nodes(graph);
  onnx::make_outputs_plain(graph);
  name_by_modules(graph);
  std::set<std::string> taken;
  for (const ValueId id : graph.inputs) taken.insert(graph.values[id].name);
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    std::string name = "out" + std::to_string(i);
    while (!taken.insert(name).second) name += "_";
    graph.values[graph.outputs[i]].name = std::move(name);
  }
  clear_name_clashes(graph);
  LAN_OK(set_names(graph, options));
  for (const DynamicAxis& dynamic : program.of_outputs) {
    bool found = false;
    LAN_OK(free_dims(graph, graph.outputs, dynamic, true, found));
    if (!found) return usage("the model has no input or output of this name", option_text(dynamic));
  }
  return made;
}

}  // namespace

std::vector<Port> export_ports(const FileContents& contents) {
  if (contents.graph) return graph_signature(*contents.graph).inputs;
  if (contents.program) return program_ports(*contents.program, std::nullopt);
  return {};
}

Result<OnnxExport> export_onnx(const FileContents& contents, const OnnxExportOptions& options) {
  if (contents.graph) return export_graph(contents, options);
  if (contents.program) return export_program(contents, options);
  return Error{ErrorCode::kUnsupported,
               "a file of format '" + contents.format + "' holds no program that could become ONNX",
               "", "Use a TorchScript archive (torch.jit.trace, torch.jit.script) or an ONNX model."};
}

}  // namespace lanthorn
