#pragma once

#include <cstddef>
#include <unordered_map>

#include "graph/graph.h"

namespace lanthorn::onnx {

/// The types of values of a graph that is being built, told from node to node, for the rules that
/// raise old opsets and need to know a rank or an element type. What cannot be told stays unknown.
class TypeHints {
 public:
  /// Infers the nodes that were appended since the last call.
  void catch_up(Graph& graph);

 private:
  void infer(Graph& graph, const Node& node);
  size_t next_ = 0;
  std::unordered_map<ValueId, Dims> elements_;
};

}  // namespace lanthorn::onnx
