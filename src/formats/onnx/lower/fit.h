#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "formats/onnx/check/schemas.h"
#include "graph/graph.h"

namespace lanthorn::onnx {

/// What the operators of ai.onnx are at one opset.
class SchemaTable {
 public:
  explicit SchemaTable(int opset) : opset_(opset) {}
  int opset() const { return opset_; }
  /// Null where there is no such operator at the opset.
  const Schema* find(const std::string& op);

 private:
  int opset_;
  std::map<std::string, std::optional<Schema>> schemas_;
};

/// "tensor(float)", "seq(tensor(int64))"; empty for what is not known.
std::string schema_type(const ValueType& type);
/// The formal input that stands at a position; null past the end.
const Schema::Formal* formal_at(const std::vector<Schema::Formal>& formals, size_t position);
/// The opset that brought an operator; 0 for one that there is not.
int first_opset(std::string_view op);

/// Takes out attributes that the schema does not know and whose value says what held before there
/// was the attribute.
void drop_neutral_attributes(Node& node, const Schema& schema);

/// Why a node is none of the schema's operator; empty if it is one.
std::string misfit(const Graph& graph, const Node& node, const Schema& schema);

/// The dtype to compute in where the schema does not take that of input `position`, and the type
/// variable that the input shares with others; nothing where computing in another dtype would not
/// give the same.
std::optional<DType> wider_dtype(const Node& node, const Schema::Formal& formal, DType dtype);

}  // namespace lanthorn::onnx
