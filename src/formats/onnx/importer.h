#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "formats/onnx/import.h"
#include "formats/onnx/scope.h"
#include "formats/onnx/tensors.h"

namespace lanthorn::onnx {

/// The state of one import. Graphs are built in import_graph.cpp, attributes and function calls in
/// import_node.cpp.
class Importer {
 public:
  Importer(const ModelProto& model, std::shared_ptr<const MappedFile> file,
           const ReadLimits& limits);
  Result<ImportedModel> run();

 private:
  using FunctionKey = std::tuple<std::string_view, std::string_view, std::string_view>;

  Status index_functions();
  /// Fills `scope`'s graph with a GraphProto.
  Status import_graph(const GraphProto& proto, Scope& scope);
  Status declare_constants(const GraphProto& proto, Scope& scope);
  Status declare_inputs(const GraphProto& proto, Scope& scope);
  /// Declares what the nodes make, then imports the nodes.
  Status import_nodes(const std::vector<NodeProto>& nodes, const GraphProto* graph, Scope& scope);
  Status import_node(const NodeProto& proto, Scope& scope);
  Status import_constant(const NodeProto& proto, Scope& scope);
  Status import_call(const NodeProto& proto, const FunctionProto& function, Scope& scope);
  Status import_body(const NodeProto& proto, const FunctionProto& function, Scope& scope,
                     Scope& body);
  Result<std::shared_ptr<Graph>> import_subgraph(const GraphProto& proto, Scope& outer);
  Result<Attribute> import_attribute(const AttributeProto& proto, Scope& scope);
  Status note_optional(const NodeProto& proto, const Node& node, Scope& scope);
  Result<Node> plain_node(const NodeProto& proto, Scope& scope);
  /// Pays for memory that the import itself takes (functions can multiply nodes).
  Status spend(uint64_t bytes);
  const FunctionProto* function_of(const NodeProto& node) const;

  const ModelProto& model_;
  TensorReader tensors_;
  std::map<FunctionKey, const FunctionProto*> functions_;
  uint64_t memory_left_ = 0;
  uint32_t call_depth_ = 0;
  int64_t nchwc_block_ = 16;
  StateDict weights_;
  std::vector<std::string> notes_;
};

/// "ai.onnx" is the long name of the domain "".
std::string_view short_domain(std::string_view domain);
/// "node 'Conv_3' (Conv)"
std::string node_place(const NodeProto& node);

}  // namespace lanthorn::onnx
