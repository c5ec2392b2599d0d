#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"

namespace lanthorn {

/// How often each operator stands in a graph, subgraphs included; of other domains "domain.Name".
std::map<std::string, size_t> count_operators(const Graph& graph);

/// What running a graph takes.
struct GraphCost {
  /// Floating-point operations: a multiplication and its addition are two; an activation or a comparison is one for each number;
  /// moving and reshaping are none. A branch counts as its larger side, a loop as one round. Over the symbols of the inputs' shapes; unknown where a size is.
  Dim operations;
  std::optional<int64_t> operations_here;  // for the given shapes
  /// The most bytes of intermediate results that are needed at a time when nodes run in their order, inputs included.
  /// Absent where a size cannot be told.
  std::optional<uint64_t> activation_bytes;
};

/// `graph` has types for all values (infer_all); `shapes` are those of its inputs that a size is asked for, in order.
GraphCost cost_of(const Graph& graph, std::span<const Shape> shapes);

}  // namespace lanthorn
