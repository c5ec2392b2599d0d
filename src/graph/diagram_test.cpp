#include "graph/diagram.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

Graph choice() {
  auto branch = std::make_shared<Graph>();
  branch->name = "then";
  const ValueId inner = branch->add_value("", ValueType::tensor(DType::kF32, {2}));
  branch->captures = {{0, inner}};
  branch->add_node("Relu", {inner}, {});
  branch->outputs = branch->nodes[0].outputs;
  Graph graph;
  graph.name = "say \"hi\"";
  const ValueId x = graph.add_value("x<y>", ValueType::tensor(DType::kF32, {2}));
  const ValueId c = graph.add_value("c", ValueType::tensor(DType::kBool, {}));
  graph.inputs = {x, c};
  graph.add_node("If", {c}, {{"then_branch", branch}, {"else_branch", branch}});
  graph.add_node("Add", {graph.nodes[0].outputs[0], graph.add_constant(*Tensor::allocate(DType::kF32, {2}), "w")}, {});
  graph.outputs = graph.nodes[1].outputs;
  return graph;
}

TEST(diagram, graphviz_gets_boxes_frames_and_arrows_across_them) {
  const std::string dot = graph_dot(choice());
  EXPECT_TRUE(dot.starts_with("digraph \"say \\\"hi\\\"\" {\n")) << dot;
  EXPECT_NE(dot.find("g_in0 [label=\"x<y>\\nfloat32[2]\", shape=ellipse];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("g_1 [label=\"Add\\nw: float32[2]\"];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("subgraph cluster_g_0_g0 {\n    label=\"If: then\";\n    g_0_g0_0 [label=\"Relu\"];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("g_in0 -> g_0_g0_0 [label=\"float32[2]\"];"), std::string::npos) << dot;
}

TEST(diagram, mermaid_text_cannot_leave_its_quotes) {
  const std::string chart = graph_mermaid(choice());
  EXPECT_TRUE(chart.starts_with("flowchart TD\n")) << chart;
  EXPECT_NE(chart.find("g_in0([\"x#60;y#62;<br/>float32[2]\"])"), std::string::npos) << chart;
  EXPECT_NE(chart.find("subgraph g_0_g1[\"If: then\"]"), std::string::npos) << chart;
  EXPECT_NE(chart.find("g_in0 -->|\"float32[2]\"| g_0_g0_0"), std::string::npos) << chart;
}

}  // namespace
}  // namespace lanthorn
