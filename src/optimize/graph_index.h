#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace lanthorn {

/// Who makes and who reads each value of a graph, and the questions that passes ask. It looks at the
/// graph as it was when made or last refreshed; `replace` keeps it true.
class GraphIndex {
 public:
  explicit GraphIndex(Graph& graph);
  void refresh();
  Graph& graph() const { return graph_; }

  /// The node that makes the value; null for inputs, constants, captures and absent values.
  Node* maker(ValueId id) const;
  /// The maker, if it is this operator of ai.onnx.
  Node* maker(ValueId id, std::string_view op) const;
  uint32_t maker_position(ValueId id) const { return id == kNoValue ? kNoNode : maker_[id]; }
  /// Positions of the nodes that read the value; a node that reads it twice is there twice.
  const std::vector<uint32_t>& readers(ValueId id) const { return readers_[id]; }
  /// True where exactly one node input reads the value, and no output and no subgraph.
  bool read_once(ValueId id) const { return readers_[id].size() == 1 && !held_[id]; }
  /// The one node that reads the value; null if there are more or the graph gives it out.
  Node* only_reader(ValueId id) const;
  /// The only reader, if it is this operator of ai.onnx.
  Node* only_reader(ValueId id, std::string_view op) const;
  /// True where a graph output or a subgraph reads it.
  bool held(ValueId id) const { return held_[id]; }

  const Tensor* constant(ValueId id) const { return id == kNoValue ? nullptr : graph_.constant(id); }
  /// The number of a constant that has one element.
  std::optional<double> scalar(ValueId id) const;
  /// True for a one-element constant that is `number` to float precision.
  bool is_scalar(ValueId id, double number) const;
  const ValueType& type(ValueId id) const { return graph_.values[id].type; }
  /// The rank; -1 where it is unknown.
  int64_t rank(ValueId id) const;

  /// Everyone who read `from` reads `to` instead; graph outputs and captures too.
  void replace(ValueId from, ValueId to);

 private:
  Graph& graph_;
  std::vector<uint32_t> maker_;
  std::vector<std::vector<uint32_t>> readers_;
  std::vector<bool> held_;
};

/// True for the operator of ai.onnx.
inline bool is_op(const Node& node, std::string_view op) { return node.domain.empty() && node.op == op; }
inline bool is_own_op(const Node& node, std::string_view op) { return node.domain == "lanthorn" && node.op == op; }
/// The input, or kNoValue beyond the last.
inline ValueId input_of(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; }
/// For a node of two inputs the one that is not `id`; kNoValue if `id` is none or both.
ValueId other_input(const Node& node, ValueId id);

}  // namespace lanthorn
