// Graphs: constants, inputs, nodes, outputs, and the whole model.

#include <algorithm>

#include "formats/onnx/importer.h"
#include "formats/onnx/nchwc.h"
#include "formats/onnx/types.h"

namespace lanthorn::onnx {
namespace {

bool is_constant(const NodeProto& node) {
  return node.op == "Constant" && short_domain(node.domain).empty();
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

std::string_view short_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string_view{} : domain;
}

std::string node_place(const NodeProto& node) {
  const std::string op(node.op);
  if (!node.name.empty()) return "node " + quoted(node.name) + " (" + op + ")";
  if (!node.outputs.empty()) return "node " + op + " that makes " + quoted(node.outputs[0]);
  return "node " + op;
}

Importer::Importer(const ModelProto& model, std::shared_ptr<const MappedFile> file,
                   const ReadLimits& limits)
    : model_(model),
      tensors_(std::move(file), limits),
      memory_left_(limits.max_memory_bytes),
      nchwc_block_(nchwc_block(model)) {}

Status Importer::spend(uint64_t bytes) {
  if (bytes > memory_left_) {
    return Error{ErrorCode::kLimit, "the model's graph needs more memory than is allowed", "",
                 "raise the memory limit if the file can be trusted"};
  }
  memory_left_ -= bytes;
  return ok();
}

Status Importer::declare_constants(const GraphProto& proto, Scope& scope) {
  const bool main = scope.outer == nullptr;
  const auto add = [&](std::string_view name, Tensor tensor) -> Status {
    if (name.empty()) return Error{ErrorCode::kCorrupt, "an initializer has no name", "", ""};
    if (scope.names.contains(name)) {
      return Error{ErrorCode::kCorrupt, "two values are called " + quoted(name), "", ""};
    }
    LAN_OK(spend(sizeof(GraphValue) + 3 * name.size() + 128));
    if (main) LAN_OK(weights_.add(std::string(name), tensor));
    scope.names.emplace(name, scope.graph().add_constant(
                                  std::move(tensor), scope.build->unique_name(std::string(name))));
    return ok();
  };
  for (const TensorProto& initializer : proto.initializers) {
    LAN_TRY(Tensor tensor, tensors_.read(initializer));
    LAN_OK(add(initializer.name, std::move(tensor)));
  }
  for (const SparseTensorProto& initializer : proto.sparse_initializers) {
    LAN_TRY(Tensor tensor, tensors_.read_sparse(initializer));
    LAN_OK(add(initializer.values->name, std::move(tensor)));
  }
  return ok();
}

Status Importer::declare_inputs(const GraphProto& proto, Scope& scope) {
  const bool main = scope.outer == nullptr;
  for (const ValueInfoProto& input : proto.inputs) {
    if (input.name.empty()) return Error{ErrorCode::kCorrupt, "an input has no name", "", ""};
    // An input with an initializer is a constant: before IR version 4 every constant was an input.
    if (const auto known = scope.names.find(input.name); known != scope.names.end()) {
      if (scope.graph().constant(known->second)) continue;
    }
    auto type = value_type(input.type, main ? input.name : std::string_view{});
    if (!type) return std::move(type).error().at("input " + quoted(input.name));
    LAN_OK(spend(sizeof(GraphValue) + 3 * input.name.size() + 128));
    LAN_TRY(const ValueId id, scope.declare(input.name, *std::move(type)));
    scope.graph().inputs.push_back(id);
  }
  return ok();
}

Status Importer::import_nodes(const std::vector<NodeProto>& nodes, const GraphProto* graph,
                              Scope& scope) {
  std::unordered_map<std::string_view, const TypeProto*> told;
  if (graph) {
    for (const ValueInfoProto& info : graph->value_infos) told.emplace(info.name, &info.type);
    for (const ValueInfoProto& info : graph->outputs) told.emplace(info.name, &info.type);
  }
  for (const NodeProto& node : nodes) {
    LAN_OK(spend(2 * sizeof(Node) + 16 * (node.inputs.size() + node.outputs.size()) + 64 +
                 3 * scope.prefix.size() * (node.outputs.size() + 1)));
    if (is_constant(node)) {
      auto made = import_constant(node, scope);
      if (!made) return std::move(made).error().at(node_place(node));
      continue;
    }
    for (const std::string_view output : node.outputs) {
      if (output.empty()) continue;
      ValueType type{.kind = ValueType::Kind::kUnknown};
      if (const auto known = told.find(output); known != told.end()) {
        // What the file says of a value inside is a hint: odd types in it are no reason to refuse.
        if (auto read = value_type(*known->second, "")) type = *std::move(read);
      }
      // A function's body writes straight into the values that its call makes.
      if (scope.bindings && scope.names.contains(output)) continue;
      LAN_OK(spend(sizeof(GraphValue) + 3 * output.size() + 128));
      auto declared = scope.declare(output, std::move(type));
      if (!declared) return std::move(declared).error().at(node_place(node));
    }
  }
  for (const NodeProto& node : nodes) {
    if (is_constant(node)) continue;
    auto imported = import_node(node, scope);
    if (!imported) return std::move(imported).error().at(node_place(node));
  }
  return ok();
}

Status Importer::import_graph(const GraphProto& proto, Scope& scope) {
  scope.graph().name = std::string(proto.name);
  LAN_OK(declare_constants(proto, scope));
  LAN_OK(declare_inputs(proto, scope));
  LAN_OK(import_nodes(proto.nodes, &proto, scope));
  // What the file says of values that it does not have is kept for those who look.
  for (const ValueInfoProto& info : proto.value_infos) {
    if (scope.outer || info.name.empty() || scope.names.contains(info.name)) continue;
    auto type = value_type(info.type, "");
    LAN_OK(spend(sizeof(GraphValue) + 3 * info.name.size() + 128));
    if (type) LAN_OK(scope.declare(info.name, *std::move(type)));
  }
  for (const ValueInfoProto& output : proto.outputs) {
    const auto id = scope.find(output.name);
    if (!id || *id == kNoValue) {
      return Error{ErrorCode::kCorrupt, "no node makes the output " + quoted(output.name), "", ""};
    }
    scope.graph().outputs.push_back(*id);
  }
  return sort_nodes(scope.graph());
}

Result<std::shared_ptr<Graph>> Importer::import_subgraph(const GraphProto& proto, Scope& outer) {
  LAN_OK(spend(sizeof(Graph) + 512));
  auto graph = std::make_shared<Graph>();
  GraphBuild build{graph.get(), {}, {}};
  Scope scope{&build, &outer, outer.opsets, outer.bindings, outer.prefix, {}};
  LAN_OK(import_graph(proto, scope));
  return graph;
}

Result<ImportedModel> Importer::run() {
  LAN_OK(index_functions());
  LAN_TRY(const Opsets opsets, Opsets::of(model_.opsets, model_.ir_version));
  auto graph = std::make_shared<Graph>();
  GraphBuild build{graph.get(), {}, {}};
  Scope scope{&build, nullptr, &opsets, nullptr, "", {}};
  LAN_OK(import_graph(*model_.graph, scope));
  LAN_OK(graph->verify());
  if (model_.has_training) notes_.emplace_back("what the file says about training is left out");
  return ImportedModel{std::move(graph), std::move(weights_), std::move(notes_)};
}

Result<ImportedModel> import_model(const ModelProto& model,
                                   const std::shared_ptr<const MappedFile>& file,
                                   const ReadLimits& limits) {
  auto imported = Importer(model, file, limits).run();
  if (!imported) return std::move(imported).error().at("graph");
  return imported;
}

}  // namespace lanthorn::onnx
