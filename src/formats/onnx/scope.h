#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/onnx/model.h"
#include "formats/onnx/type_hints.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// Which version of each domain a model or a function speaks.
class Opsets {
 public:
  /// kUnsupported for an ai.onnx that is newer than kOpset.
  static Result<Opsets> of(const std::vector<OpsetId>& ids, int64_t ir_version);
  /// The version of ai.onnx; 0 if it was not imported.
  int onnx() const { return onnx_; }

 private:
  int onnx_ = 0;
};

/// The attributes that a call of a function gives to its body.
using Bindings = std::unordered_map<std::string_view, const AttributeProto*>;

/// The names of a graph that is being built, so that values get unique ones.
struct GraphBuild {
  Graph* graph = nullptr;
  std::unordered_set<std::string> used_names;
  TypeHints hints;

  /// `wanted`, or `wanted` with a number behind it.
  std::string unique_name(std::string wanted);
};

/// Names that nodes may use: of a graph, a subgraph or the body of an inlined function.
struct Scope {
  GraphBuild* build = nullptr;
  Scope* outer = nullptr;  // whose values a subgraph may capture; none for a function's body
  const Opsets* opsets = nullptr;
  const Bindings* bindings = nullptr;  // in the body of a function
  std::string prefix;                  // of the names of values: "call/" in a function's body
  std::unordered_map<std::string_view, ValueId> names;

  Graph& graph() const { return *build->graph; }
  /// The value of a name, captured from outside if it must be; nothing if there is none.
  std::optional<ValueId> find(std::string_view name);
  /// Makes a value of this name. kCorrupt if the scope has one already.
  Result<ValueId> declare(std::string_view name, ValueType type);
};

}  // namespace lanthorn::onnx
