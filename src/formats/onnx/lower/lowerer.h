#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/onnx/lower/fit.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// Something that the opset asked for cannot express.
struct LoweringProblem {
  std::string op, node, reason;
};

/// The graph that is being built in the terms of an older opset.
class LoweredGraph {
 public:
  /// `graph` has its values and no nodes; `constants` are known values of captures.
  LoweredGraph(Graph& graph, SchemaTable& schemas, std::vector<LoweringProblem>& problems,
               std::map<ValueId, Tensor> constants)
      : graph(graph), schemas(schemas), problems(problems), captured_(std::move(constants)) {}

  /// Appends what a node in terms of kOpset says, at the opset of `schemas`.
  void append(Node node, int depth);
  const Tensor* constant(ValueId id) const;
  /// Tells the types of what a node in terms of kOpset makes.
  void infer(const Node& node);

  Graph& graph;
  SchemaTable& schemas;
  std::vector<LoweringProblem>& problems;

 private:
  /// A value that was computed in another dtype than the one that is wanted.
  struct Narrowing {
    ValueId wide, wanted;
    DType dtype;
  };
  bool apply_rules(Node& node, int depth);
  /// Lets a node that does not take the dtype of its inputs compute in one that it takes, where that
  /// gives the same. lower_types.cpp
  std::vector<Narrowing> widen(Node& node, const Schema& schema, int depth);
  std::map<ValueId, Tensor> captured_;
};

/// One node on its way from kOpset to an older opset, as rules see it: they change `node`, or emit
/// nodes in terms of kOpset that are lowered in turn.
class Lowerer {
 public:
  Lowerer(LoweredGraph& to, Node lowered, int depth)
      : node(std::move(lowered)), opset(to.schemas.opset()), to_(to), depth_(depth) {}

  Node node;
  const int opset;
  bool replaced = false;  // what a rule emitted stands in for `node`

  ValueId constant(Tensor tensor) { return to_.graph.add_constant(std::move(tensor)); }
  ValueId ints(const std::vector<int64_t>& values) { return constant(Tensor::of_ints(values)); }
  /// A 0-d number of a dtype.
  ValueId number(double value, DType dtype);
  ValueId emit(std::string op, std::vector<ValueId> inputs, Attributes attributes = {});
  std::vector<ValueId> emit_many(std::string op, std::vector<ValueId> inputs, size_t outputs,
                                 Attributes attributes = {});
  /// Makes values that exist already, and replaces `node`.
  void emit_into(std::vector<ValueId> outputs, std::string op, std::vector<ValueId> inputs,
                 Attributes attributes = {});
  /// A Cast, unless the value has the dtype.
  ValueId cast(ValueId value, DType dtype);

  ValueId input(size_t i) const { return has_input(i) ? node.inputs[i] : kNoValue; }
  bool has_input(size_t i) const { return i < node.inputs.size() && node.inputs[i] != kNoValue; }
  bool has_output(size_t i) const { return i < node.outputs.size() && node.outputs[i] != kNoValue; }
  const ValueType& type_of(ValueId id) const { return to_.graph.values[id].type; }
  const ValueType& type(size_t i) const { return type_of(node.inputs[i]); }
  DType dtype(size_t i) const { return has_input(i) ? type(i).dtype : DType::kUndefined; }
  std::optional<int64_t> rank_of(ValueId id) const;
  std::optional<int64_t> rank(size_t i) const {
    return has_input(i) ? rank_of(node.inputs[i]) : std::nullopt;
  }
  const Tensor* known(ValueId id) const { return to_.constant(id); }
  const Tensor* constant_input(size_t i) const {
    return has_input(i) ? to_.constant(node.inputs[i]) : nullptr;
  }
  /// The elements of a constant input of integers.
  std::optional<std::vector<int64_t>> ints_input(size_t i) const;
  /// Whether the operator as it stands takes this type at the opset.
  bool takes(size_t input, DType dtype) const;
  void drop_input(size_t i);
  /// Takes out absent inputs at the end.
  void trim_inputs();
  Error unsupported(std::string what) const;

 private:
  Node made(std::string op, std::vector<ValueId> inputs, Attributes attributes) const;
  LoweredGraph& to_;
  int depth_;
};

/// One change between opsets: applied to nodes of `op` for files older than opset `before`.
struct LoweringRule {
  std::string_view op;
  int before = 0;
  Status (*apply)(Lowerer&) = nullptr;
};

std::span<const LoweringRule> activation_lowerings();     // lower_activations.cpp
std::span<const LoweringRule> attention_lowerings();      // lower_attention.cpp
std::span<const LoweringRule> comparison_lowerings();     // lower_comparisons.cpp
std::span<const LoweringRule> image_lowerings();          // lower_images.cpp
std::span<const LoweringRule> input_lowerings();          // lower_inputs.cpp
std::span<const LoweringRule> normalization_lowerings();  // lower_normalization.cpp
std::span<const LoweringRule> quantization_lowerings();   // lower_quantization.cpp
std::span<const LoweringRule> shape_lowerings();          // lower_shapes.cpp

}  // namespace lanthorn::onnx
