#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// One node on its way from the opset that its file imports to kOpset. Rules change `node`, put
/// nodes before it, or write what stands in its place.
class Raiser {
 public:
  Raiser(Graph& graph, int opset, Node raised)
      : node(std::move(raised)), opset(opset), graph_(graph) {}

  Node node;
  const int opset;
  bool replaced = false;  // what a rule emitted stands in for `node`

  ValueId constant(Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  ValueId ints(const std::vector<int64_t>& values) { return constant(Tensor::of_ints(values)); }
  /// Appends a node with one new output.
  ValueId emit(std::string op, std::vector<ValueId> inputs, Attributes attributes = {});
  /// Appends a node that makes values that exist already, and replaces `node`.
  void emit_into(std::vector<ValueId> outputs, std::string op, std::vector<ValueId> inputs,
                 Attributes attributes = {});

  /// The node that was appended last.
  Node& last() { return graph_.nodes.back(); }

  bool has_input(size_t i) const { return i < node.inputs.size() && node.inputs[i] != kNoValue; }
  bool has_output(size_t i) const { return i < node.outputs.size() && node.outputs[i] != kNoValue; }
  /// What is known of the type of an input.
  const ValueType& type(size_t i) const { return graph_.values[node.inputs[i]].type; }
  const Tensor* constant_input(size_t i) const {
    return has_input(i) ? graph_.constant(node.inputs[i]) : nullptr;
  }
  std::optional<int64_t> rank(size_t i) const;
  /// Puts a value at an input position, with absent ones before it.
  void set_input(size_t i, ValueId value);
  Error unsupported(std::string what) const;

 private:
  Graph& graph_;
};

/// One change between opsets: applied to nodes of `op` of files older than opset `before`.
struct Rule {
  std::string_view op;
  int before = 0;
  Status (*apply)(Raiser&) = nullptr;
};

std::span<const Rule> attribute_to_input_rules();  // raise_inputs.cpp
std::span<const Rule> broadcast_rules();           // raise_broadcast.cpp
std::span<const Rule> normalization_rules();       // raise_normalization.cpp
std::span<const Rule> renaming_rules();            // raise_names.cpp
std::span<const Rule> softmax_rules();             // raise_softmax.cpp

/// Appends a node of com.microsoft, in operators of ai.onnx where those say the same.
Status append_microsoft(Graph& graph, Node node);

/// Appends to the graph what a node of ai.onnx at `opset` means at kOpset.
/// kUnsupported where that cannot be said.
Status append_raised(Graph& graph, int opset, Node node);

}  // namespace lanthorn::onnx
