#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "ops/op.h"

// Graphs and runs in a line or two, for tests of operators.
namespace lanthorn::testing {

/// A graph that is built node by node and inferred at the end.
class GraphBuilder {
 public:
  ValueId input(DType dtype, Dims dims) {
    const ValueId id = graph_.add_value("", ValueType::tensor(dtype, std::move(dims)));
    graph_.inputs.push_back(id);
    return id;
  }
  ValueId ints(std::vector<int64_t> values) { return graph_.add_constant(Tensor::of_ints(values)); }
  ValueId scalar(int64_t value) { return graph_.add_constant(Tensor::scalar_i64(value)); }
  ValueId constant(Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  ValueId node(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}, size_t outputs = 1,
               size_t which = 0) {
    const size_t made = graph_.add_node(std::move(op), std::move(inputs), std::move(attributes), outputs);
    return graph_.nodes[made].outputs[which];
  }
  Status infer() { return infer_graph(graph_); }
  /// The text of a value's type, after infer().
  std::string type(ValueId id) const { return type_text(graph_.values[id].type); }
  Graph& graph() { return graph_; }

 private:
  Graph graph_;
};

/// Runs the reference of a node on tensors; undefined ones are absent.
inline Result<std::vector<Value>> run_op(std::string op, std::vector<Tensor> inputs, Attributes attributes = {},
                                         size_t outputs = 1, std::string domain = "") {
  Node node;
  node.op = std::move(op);
  node.domain = std::move(domain);
  node.attributes = std::move(attributes);
  std::vector<Value> values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(inputs[i].defined() ? static_cast<ValueId>(i) : kNoValue);
    values.push_back(inputs[i].defined() ? Value(inputs[i]) : Value());
  }
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(static_cast<ValueId>(inputs.size() + i));
  return run_reference(node, values);
}

/// The elements of the first output as doubles; none where the run failed.
inline std::vector<double> numbers_of(const Result<std::vector<Value>>& outputs) {
  if (!outputs.ok() || !outputs->front().tensor()) return {};
  return outputs->front().tensor()->to_doubles().value_or(std::vector<double>{});
}

}  // namespace lanthorn::testing
