// Graphs, functions, and the whole model.

#include <algorithm>
#include <utility>

#include "formats/onnx/check/checker.h"
#include "formats/onnx/importer.h"

namespace lanthorn::onnx {
namespace {

constexpr int64_t kNewestIr = 14;
constexpr int64_t kIrWithOpsets = 3;        // before it there was one opset
constexpr int64_t kIrFreeInitializers = 4;  // before it every initializer was an input
constexpr int64_t kIrWithFunctions = 8;
constexpr size_t kMaxCallDepth = 100;
constexpr size_t kMaxFunctions = 10'000;

// Whether a tensor may be what an input's type says.
bool fits_type(const TensorProto& tensor, const TypeProto& type) {
  if (type.kind != TypeProto::Kind::kTensor) return type.kind == TypeProto::Kind::kUnset;
  if (type.element != 0 && type.element != tensor.data_type) return false;
  if (!type.has_shape) return true;
  if (type.dims.size() != tensor.dims.size()) return false;
  for (size_t i = 0; i < type.dims.size(); ++i) {
    if (type.dims[i].value && *type.dims[i].value != tensor.dims[i]) return false;
  }
  return true;
}

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

OpsetVersions versions_of(const std::vector<OpsetId>& ids) {
  OpsetVersions versions;
  for (const OpsetId& id : ids) versions[short_domain(id.domain)] = id.version;
  return versions;
}

}  // namespace

void Checker::add(std::string message, std::string value, std::optional<uint64_t> offset) {
  Finding finding{std::move(message), node_ ? node_place(*node_) : "", std::move(value), offset};
  if (!finding.offset && node_) finding.offset = node_->offset;
  findings.push_back(std::move(finding));
}

void Checker::check_versions() {
  if (model_.ir_version == 0) add("the model has no ir_version");
  if (model_.ir_version > kNewestIr) {
    add("the model is of IR version " + std::to_string(model_.ir_version) + "; the newest is " +
        std::to_string(kNewestIr));
  }
  std::unordered_set<std::string_view> keys;
  for (const auto& [key, value] : model_.metadata) {
    if (!keys.insert(key).second)
      add("two entries of metadata_props have the key " + in_quotes(key));
  }
  opsets_ = versions_of(model_.opsets);
  for (const OpsetId& id : model_.opsets) {
    if (id.version > INT32_MAX || id.version < INT32_MIN)
      add("opset " + std::to_string(id.version) + " is out of range");
  }
  if (model_.ir_version >= kIrWithOpsets && opsets_.empty()) add("the model imports no opset");
  if (model_.ir_version < kIrWithOpsets) {
    if (!opsets_.empty()) add("a model before IR version 3 cannot import opsets");
    opsets_.emplace("", 1);
  }
}

void Checker::check_value_info(const ValueInfoProto& info, bool main) {
  if (info.name.empty()) return add("an input or output has no name");
  if (!main) return;
  using enum TypeProto::Kind;
  const std::string name(info.name);
  const TypeProto& type = info.type;
  if (type.kind == kUnset) return add("the value has no type", name);
  if (type.kind == kTensor || type.kind == kSparse) {
    if (type.element == 0) add("the type says nothing of its elements", name);
    if (!type.has_shape) add("the type has no shape", name);
    for (const Dimension& dimension : type.dims) {
      // -1 is how many files say that a size is free.
      if (dimension.value && *dimension.value < -1) {
        add("a dimension is " + std::to_string(*dimension.value), name);
      }
    }
  } else if (type.kind != kOpaque && !type.inner) {
    add("the type says nothing of its elements", name);
  }
}

void Checker::check_inputs(const GraphProto& graph, CheckScope& scope, bool main) {
  for (const ValueInfoProto& input : graph.inputs) {
    check_value_info(input, main);
    if (scope.has(input.name))
      add("two inputs are called " + in_quotes(input.name), std::string(input.name));
    scope.types[input.name] = type_name(input.type);
  }
}

void Checker::check_initializers(const GraphProto& graph, CheckScope& scope) {
  std::unordered_set<std::string_view> names;
  const auto declare = [&](const TensorProto& tensor, std::string type, bool sparse) {
    if (tensor.name.empty()) return add("an initializer has no name", "", tensor.offset);
    const std::string name(tensor.name);
    if (!names.insert(tensor.name).second)
      add("two initializers are called " + in_quotes(name), name, tensor.offset);
    if (!sparse && model_.ir_version < kIrFreeInitializers && !scope.has(tensor.name)) {
      add("before IR version 4 an initializer must be an input, too", name, tensor.offset);
    }
    scope.types.try_emplace(tensor.name, std::move(type));
  };
  std::unordered_map<std::string_view, const TypeProto*> inputs;
  for (const ValueInfoProto& input : graph.inputs) inputs.emplace(input.name, &input.type);
  for (const TensorProto& tensor : graph.initializers) {
    declare(tensor, tensor_type_name(tensor.data_type), false);
    const auto input = inputs.find(tensor.name);
    if (input != inputs.end() && !fits_type(tensor, *input->second)) {
      add("the initializer is not of the type of the input of its name", std::string(tensor.name),
          tensor.offset);
    }
    check_tensor(tensor);
  }
  for (const SparseTensorProto& sparse : graph.sparse_initializers) {
    if (sparse.values) {
      std::string type = tensor_type_name(sparse.values->data_type);
      declare(*sparse.values, type.empty() ? type : "sparse_" + type, true);
    }
    check_sparse(sparse);
  }
}

void Checker::check_outputs(const GraphProto& graph, const CheckScope& scope, bool main) {
  for (const ValueInfoProto& output : graph.outputs) {
    check_value_info(output, main);
    if (!output.name.empty() && !scope.has(output.name)) {
      add("no node makes the output " + in_quotes(output.name), std::string(output.name));
    }
  }
}

void Checker::check_nodes(const std::vector<NodeProto>& nodes, const GraphProto* graph,
                          CheckScope& scope) {
  std::unordered_map<std::string_view, std::string> told;
  if (graph) {
    for (const auto* infos : {&graph->value_infos, &graph->outputs}) {
      for (const ValueInfoProto& info : *infos) told.emplace(info.name, type_name(info.type));
    }
  }
  const NodeProto* outer_node = node_;
  for (const NodeProto& node : nodes) {
    node_ = &node;
    for (const std::string_view input : node.inputs) {
      if (!input.empty() && !scope.has_anywhere(input)) {
        add("the input " + in_quotes(input) + " is made by no node before", std::string(input));
      }
    }
    check_node(node, scope);
    const std::vector<std::string> types = check_types(node, scope);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const std::string_view output = node.outputs[i];
      if (output.empty()) continue;
      if (scope.has_anywhere(output))
        add("two values are called " + in_quotes(output), std::string(output));
      const auto known = told.find(output);
      scope.types[output] = types[i].empty() && known != told.end() ? known->second : types[i];
    }
  }
  node_ = outer_node;
}

void Checker::check_graph(const GraphProto& graph, const CheckScope* outer, bool main) {
  if (graph.name.empty()) add("the graph has no name");
  const bool was_main = in_main_graph_;
  in_main_graph_ = main;
  CheckScope scope{outer, {}};
  check_inputs(graph, scope, main);
  check_initializers(graph, scope);
  check_nodes(graph.nodes, &graph, scope);
  check_outputs(graph, scope, main);
  in_main_graph_ = was_main;
}

void Checker::check_compatible(const NodeProto& node, const OpsetVersions& model_opsets) {
  const std::string_view domain = short_domain(node.domain);
  const auto here = std::as_const(opsets_).find(domain);
  const auto there = model_opsets.find(domain);
  if (here == opsets_.end() || there == model_opsets.end() || here->second == there->second) return;
  const auto mine = find_schema(domain, node.op, here->second),
             theirs = find_schema(domain, node.op, there->second);
  if (!mine && !theirs) return;
  if (mine && theirs && mine->since == theirs->since) return;
  add("the function imports opset " + std::to_string(here->second) + " and the model " +
      std::to_string(there->second) + ", where the operator is another");
}

void Checker::check_function(const FunctionProto& function, const OpsetVersions& model_opsets) {
  if (function.name.empty()) add("a function has no name");
  opsets_ = versions_of(function.opsets);
  CheckScope scope;
  for (const std::string_view input : function.inputs) {
    if (!scope.types.emplace(input, "").second)
      add("two inputs of a function are called " + in_quotes(input));
  }
  const auto check_unique = [&](std::vector<std::string_view> names, std::string_view what) {
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
      add("two " + std::string(what) + " of function " + in_quotes(function.name) +
          " have one name");
    }
  };
  check_unique(function.outputs, "outputs");
  check_unique(function.attributes, "attributes");
  check_nodes(function.nodes, nullptr, scope);
  for (const NodeProto& node : function.nodes) {
    node_ = &node;
    check_compatible(node, model_opsets);
  }
  node_ = nullptr;
}

// A function must not call itself, not even by way of others.
void Checker::check_recursion() {
  using Functions = std::vector<const FunctionProto*>;
  const auto called = [&](const NodeProto& node) -> const FunctionProto* {
    for (const FunctionProto& function : model_.functions) {
      if (function.name == node.op && short_domain(function.domain) == short_domain(node.domain) &&
          function.overload == node.overload) {
        return &function;
      }
    }
    return nullptr;
  };
  std::map<const FunctionProto*, Functions> calls;
  for (const FunctionProto& function : model_.functions) {
    std::vector<const std::vector<NodeProto>*> bodies{&function.nodes};
    while (!bodies.empty()) {
      const auto* body = bodies.back();
      bodies.pop_back();
      for (const NodeProto& node : *body) {
        if (const FunctionProto* callee = called(node)) calls[&function].push_back(callee);
        for (const AttributeProto& attribute : node.attributes) {
          for (const auto& graph : attribute.graphs) bodies.push_back(&graph->nodes);
        }
      }
    }
  }
  // Functions that call none but finished ones are finished; what never finishes goes in circles.
  std::map<const FunctionProto*, size_t> depth;
  size_t rounds = 0;
  for (bool more = true; more && rounds <= kMaxCallDepth + 1; ++rounds) {
    more = false;
    for (const FunctionProto& function : model_.functions) {
      if (depth.contains(&function)) continue;
      size_t deepest = 0;
      const bool finished = std::all_of(calls[&function].begin(), calls[&function].end(),
                                        [&](const FunctionProto* callee) {
                                          const auto found = depth.find(callee);
                                          if (found != depth.end())
                                            deepest = std::max(deepest, found->second + 1);
                                          return found != depth.end();
                                        });
      if (!finished) continue;
      depth[&function] = deepest;
      more = true;
    }
  }
  for (const FunctionProto& function : model_.functions) {
    const auto found = depth.find(&function);
    const bool deep =
        rounds > kMaxCallDepth || (found != depth.end() && found->second > kMaxCallDepth);
    if (deep)
      add("the function " + in_quotes(function.name) + " calls too deep, or itself");
    else if (found == depth.end())
      add("the function " + in_quotes(function.name) + " calls itself");
  }
}

void Checker::check_functions() {
  if (model_.functions.size() > kMaxFunctions) return add("the model has too many functions");
  OpsetVersions model_opsets = versions_of(model_.opsets);
  for (const FunctionProto& function : model_.functions) {
    for (const OpsetId& id : function.opsets)
      model_opsets.try_emplace(short_domain(id.domain), id.version);
  }
  for (size_t i = 0; i < model_.functions.size(); ++i) {
    const FunctionProto& a = model_.functions[i];
    for (size_t k = 0; k < i; ++k) {
      const FunctionProto& b = model_.functions[k];
      if (a.name == b.name && a.domain == b.domain && a.overload == b.overload) {
        add("two functions are called " + in_quotes(a.name));
        break;
      }
    }
  }
  check_recursion();
  for (const FunctionProto& function : model_.functions) {
    in_main_graph_ = false;
    check_function(function, model_opsets);
  }
}

void Checker::check() {
  check_versions();
  check_graph(*model_.graph, nullptr, true);
  if (model_.ir_version >= kIrWithFunctions) check_functions();
}

}  // namespace lanthorn::onnx
