#include "formats/onnx/write/names.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

ValueType matrix() { return ValueType::tensor(DType::kF32, {2, 2}); }

TEST(onnx_names, inputs_and_outputs_keep_theirs_whoever_comes_first) {
  Graph graph;
  const ValueId weight = graph.add_constant(Tensor::scalar_f32(1), "x");
  const ValueId x = graph.add_value("x", matrix());
  graph.inputs = {x};
  graph.add_node("Add", {x, weight}, {});
  graph.outputs = {graph.nodes[0].outputs[0]};
  onnx::name_all(graph);
  EXPECT_EQ(graph.values[x].name, "x");
  EXPECT_EQ(graph.values[weight].name, "x_1");
  EXPECT_EQ(graph.nodes[0].name, "/Add");
  EXPECT_EQ(graph.values[graph.outputs[0]].name, "/Add_output_0");
}

TEST(onnx_names, a_made_name_does_not_take_a_later_values_own) {
  Graph graph;
  const ValueId x = graph.add_value("x", matrix());
  graph.inputs = {x};
  graph.add_node("Relu", {x}, {});
  graph.add_node("Relu", {graph.nodes[0].outputs[0]}, {});
  const ValueId last = graph.nodes[1].outputs[0];
  graph.values[last].name = "/Relu_output_0";
  graph.outputs = {last};
  onnx::name_all(graph);
  EXPECT_EQ(graph.values[last].name, "/Relu_output_0");
  EXPECT_EQ(graph.values[graph.nodes[0].outputs[0]].name, "/Relu_output_0_1");
  EXPECT_EQ(graph.nodes[1].name, "/Relu_1");
}

TEST(onnx_names, captures_have_the_outer_name_and_nothing_inside_hides_it) {
  auto inner = std::make_shared<Graph>();
  const ValueId captured = inner->add_value("", matrix());
  inner->captures = {{0, captured}};
  inner->add_node("Relu", {captured}, {});
  inner->values[inner->nodes[0].outputs[0]].name = "x";
  inner->outputs = inner->nodes[0].outputs;
  Graph graph;
  const ValueId x = graph.add_value("x", matrix());
  const ValueId condition = graph.add_value("c", ValueType::tensor(DType::kBool, {}));
  graph.inputs = {x, condition};
  graph.add_node("If", {condition}, {{"then_branch", inner}});
  graph.outputs = graph.nodes[0].outputs;
  onnx::name_all(graph);
  EXPECT_EQ(inner->values[captured].name, "x");
  EXPECT_EQ(inner->values[inner->outputs[0]].name, "x_1");
}

}  // namespace
}  // namespace lanthorn
