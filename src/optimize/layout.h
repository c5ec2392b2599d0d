#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace lanthorn {

/// An order of axes: axis i of what lies in memory is axis order[i] of what is meant.
using Order = std::vector<int64_t>;
Order natural_order(size_t rank);
bool is_natural(const Order& order);
Order inverse(const Order& order);
/// Where in memory the meant axis is.
int64_t position_of(const Order& order, int64_t axis);
/// dims[order[0]], dims[order[1]], ...
Dims permuted(const Dims& dims, const Order& order);

/// A value of the graph in some order of axes.
struct Form {
  Order order;
  ValueId id = kNoValue;
};

/// Writes a graph anew, node by node, in which values need not lie in memory as the old graph meant
/// them: each old value has one or more forms, and a transpose is made only where a node wants a form
/// that there is not yet. Transposes of the old graph thus cost nothing until somebody cares, and
/// pairs that undo each other vanish.
class Layout {
 public:
  explicit Layout(Graph& graph);

  Graph& graph() { return graph_; }
  /// The old value's type as the old graph has it.
  const ValueType& type(ValueId id) const { return graph_.values[id].type; }
  const Dims& dims(ValueId id) const { return graph_.values[id].type.dims; }
  int64_t rank(ValueId id) const;
  /// True for a value whose rank is known, so that its axes can be moved.
  bool movable(ValueId id) const { return id != kNoValue && rank(id) >= 0; }
  const Tensor* constant(ValueId id) const { return id == kNoValue ? nullptr : graph_.constant(id); }
  std::optional<std::vector<int64_t>> constant_ints(ValueId id) const;

  /// The order in which the value was made.
  const Order& home(ValueId id);
  bool has(ValueId id, const Order& order);
  /// The value in this order, transposed if need be.
  ValueId get(ValueId id, const Order& order);
  /// The value as the old graph means it.
  ValueId natural(ValueId id);

  /// Says that the old value now is there as `made`.
  void define(ValueId id, Order order, ValueId made);
  /// A new value for the old one in this order, to be made by a node; its form is noted.
  ValueId make(ValueId id, const Order& order);
  /// Every form of `from`, seen through a transpose by `perm`, is one of `to`.
  void alias_transposed(ValueId to, ValueId from, const Order& perm);
  void emit(Node node) { nodes_.push_back(std::move(node)); }
  ValueId add_ints(const std::vector<int64_t>& values);

  /// Whether something other than a plain copy was made.
  bool changed() const { return changed_; }
  void note_change() { changed_ = true; }
  /// Puts the new nodes into the graph; outputs in their natural order.
  void finish();

 private:
  std::vector<Form>& forms(ValueId id);

  Graph& graph_;
  size_t old_values_;
  std::vector<std::vector<Form>> forms_;
  std::vector<Node> nodes_;
  bool changed_ = false;
};

}  // namespace lanthorn
