#include "model/graph_cost.h"

#include <gtest/gtest.h>

#include "ops/infer_all.h"

namespace lanthorn {
namespace {

Tensor zeros(Shape shape) { return *Tensor::allocate(DType::kF32, std::move(shape)); }

TEST(graph_cost, a_convolution_and_its_activation_are_counted_by_hand) {
  Graph graph;
  const ValueId x = graph.add_value("x", ValueType::tensor(DType::kF32, {Dim::symbol("batch"), 3, 8, 8}));
  graph.inputs = {x};
  const ValueId w = graph.add_constant(zeros({4, 3, 3, 3}));
  graph.add_node("Conv", {x, w}, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
  graph.add_node("Relu", {graph.nodes.back().outputs[0]}, {});
  graph.outputs = graph.nodes.back().outputs;
  ASSERT_TRUE(infer_all(graph).ok());
  const Shape shape = {2, 3, 8, 8};
  const GraphCost cost = cost_of(graph, std::span(&shape, 1));
  // 4 x 6 x 6 outputs of 27 products and as many sums each, and as many comparisons as outputs.
  EXPECT_EQ(cost.operations.text(), "7920*batch");
  EXPECT_EQ(cost.operations_here, 2 * (4 * 36 * 27 * 2 + 4 * 36));
  // The convolution's input and output are the most that is there at a time.
  EXPECT_EQ(cost.activation_bytes, uint64_t{4 * 2 * (3 * 64 + 4 * 36)});
  EXPECT_EQ(count_operators(graph), (std::map<std::string, size_t>{{"Conv", 1}, {"Relu", 1}}));
}

TEST(graph_cost, a_size_that_only_the_data_tells_is_not_made_up) {
  Graph graph;
  const ValueId x = graph.add_value("x", ValueType::tensor(DType::kF32, {Dim::symbol("n")}));
  graph.inputs = {x};
  graph.add_node("NonZero", {x}, {});
  graph.add_node("Cast", {graph.nodes.back().outputs[0]}, {{"to", int64_t{1}}});
  graph.add_node("Relu", {graph.nodes.back().outputs[0]}, {});
  graph.outputs = graph.nodes.back().outputs;
  ASSERT_TRUE(infer_all(graph).ok());
  const Shape shape = {5};
  const GraphCost cost = cost_of(graph, std::span(&shape, 1));
  EXPECT_FALSE(cost.operations_here.has_value());
  EXPECT_FALSE(cost.activation_bytes.has_value());
}

}  // namespace
}  // namespace lanthorn
