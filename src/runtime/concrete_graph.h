#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace lanthorn {

/// A graph seen for inputs of known shapes: all types known, shape arithmetic and whatever else
/// depends on no input computed, and only the nodes that remain.
struct ConcreteGraph {
  std::vector<ValueType> types;            // per value
  std::vector<const Tensor*> constants;    // per value: the graph's, or in `folded`; null where computed
  std::vector<std::optional<Dims>> elements;  // per value, of small integers
  std::vector<uint32_t> live_nodes;        // what must run, in order
  std::deque<Tensor> folded;
  /// False where shapes depend on data, or a node works on values that are no tensors: such a graph
  /// runs step by step.
  bool plannable = true;
};

/// `inputs` has the concrete type of every graph input. Errors name the node.
Result<ConcreteGraph> make_concrete(const Graph& graph, std::span<const ValueType> inputs);

// Results up to this size are computed once per plan where no input decides them.
constexpr uint64_t kMaxFoldedBytes = uint64_t{16} << 20;

/// The elements of a small integer or bool tensor, as far as they are known, as a tensor.
std::optional<Tensor> tensor_of_elements(const ValueType& type, const Dims& elements);
/// Bytes of a tensor of known shape; nothing where it is not known or overflows.
std::optional<uint64_t> known_bytes(const ValueType& type);

}  // namespace lanthorn
