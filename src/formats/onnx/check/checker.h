#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/onnx/check/check.h"
#include "formats/onnx/check/schemas.h"

namespace lanthorn::onnx {

/// The names of a graph or function, and what is known of their types ("tensor(float)"; empty:
/// nothing).
struct CheckScope {
  const CheckScope* outer = nullptr;
  std::unordered_map<std::string_view, std::string> types;

  bool has(std::string_view name) const { return types.contains(name); }
  bool has_anywhere(std::string_view name) const {
    return has(name) || (outer && outer->has_anywhere(name));
  }
  std::string_view type(std::string_view name) const;
};

using OpsetVersions = std::map<std::string_view, int64_t>;  // by domain; ai.onnx is ""

/// The state of one check. Tensors are looked at in check_tensor.cpp, nodes in check_node.cpp,
/// types in check_types.cpp, graphs and functions in check_graph.cpp.
class Checker {
 public:
  Checker(const ModelProto& model, std::shared_ptr<const MappedFile> file)
      : model_(model), file_(std::move(file)) {}

  void check();
  std::vector<Finding> findings;

 private:
  void check_versions();
  void check_graph(const GraphProto& graph, const CheckScope* outer, bool main);
  void check_inputs(const GraphProto& graph, CheckScope& scope, bool main);
  void check_initializers(const GraphProto& graph, CheckScope& scope);
  void check_outputs(const GraphProto& graph, const CheckScope& scope, bool main);
  void check_nodes(const std::vector<NodeProto>& nodes, const GraphProto* graph, CheckScope& scope);
  void check_functions();
  void check_function(const FunctionProto& function, const OpsetVersions& model_opsets);
  void check_recursion();
  void check_compatible(const NodeProto& node, const OpsetVersions& model_opsets);

  void check_value_info(const ValueInfoProto& info, bool main);
  void check_node(const NodeProto& node, const CheckScope& scope);
  void check_schema(const NodeProto& node, const Schema& schema);
  void check_attribute(const AttributeProto& attribute, const CheckScope& scope);
  /// Checks the types of a node's inputs and gives those of its outputs, as far as they are known.
  std::vector<std::string> check_types(const NodeProto& node, const CheckScope& scope);

  void check_tensor(const TensorProto& tensor);
  void check_external(const TensorProto& tensor);
  void check_sparse(const SparseTensorProto& sparse);

  std::optional<Schema> schema_of(const NodeProto& node) const;
  void add(std::string message, std::string value = "",
           std::optional<uint64_t> offset = std::nullopt);

  const ModelProto& model_;
  std::shared_ptr<const MappedFile> file_;
  OpsetVersions opsets_;  // of the model or the function at hand
  bool in_main_graph_ = true;
  int depth_ = 0;
  const NodeProto* node_ = nullptr;  // the one at hand
};

/// "tensor(float)", "seq(map(int64,tensor(float)))"; empty for what says nothing.
std::string type_name(const TypeProto& type);
std::string tensor_type_name(int32_t data_type);

}  // namespace lanthorn::onnx
