#include "graph/graph.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

ValueType f32(Dims dims) { return ValueType::tensor(DType::kF32, std::move(dims)); }

Graph two_relus() {
  Graph graph;
  graph.name = "g";
  graph.inputs = {graph.add_value("x", f32({Dim::symbol("n"), 3}))};
  const size_t a = graph.add_node("Relu", {graph.inputs[0]}, {});
  const size_t b = graph.add_node("Elu", {graph.nodes[a].outputs[0]}, {{"alpha", 0.5f}});
  graph.outputs = graph.nodes[b].outputs;
  return graph;
}

TEST(graph, text_shows_types_and_attributes) {
  EXPECT_EQ(two_relus().text(),
            "graph g(%x: float32[n, 3])\n"
            "  %1: ? = Relu(%x)\n"
            "  %2: ? = Elu(%1) {alpha=0.5}\n"
            "  return %2\n");
}

TEST(graph, verify_refuses_a_value_read_before_it_is_made) {
  Graph graph = two_relus();
  EXPECT_TRUE(graph.verify().ok());
  std::swap(graph.nodes[0], graph.nodes[1]);
  const Status status = graph.verify();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "value 1 is read before it is made");
  EXPECT_TRUE(sort_nodes(graph).ok());
  EXPECT_TRUE(graph.verify().ok());
}

TEST(graph, verify_refuses_two_makers_ids_out_of_range_and_equal_names) {
  Graph twice = two_relus();
  twice.nodes[1].outputs = twice.nodes[0].outputs;
  EXPECT_EQ(twice.verify().error().message, "value 1 is made twice");
  Graph outside = two_relus();
  outside.nodes[0].inputs[0] = 99;
  EXPECT_EQ(outside.verify().error().message, "value 99 is not there");
  Graph names = two_relus();
  names.values[1].name = "x";
  EXPECT_EQ(names.verify().error().message, "there are two values of the name 'x'");
}

TEST(graph, sort_refuses_a_cycle) {
  Graph graph = two_relus();
  graph.nodes[0].inputs[0] = graph.nodes[1].outputs[0];
  EXPECT_EQ(sort_nodes(graph).error().code, ErrorCode::kCorrupt);
}

TEST(graph, dead_nodes_go_and_what_a_subgraph_captures_stays) {
  Graph graph = two_relus();
  const size_t dead = graph.add_node("Abs", {graph.inputs[0]}, {});
  graph.add_node("Neg", graph.nodes[dead].outputs, {});
  const size_t kept = graph.add_node("Exp", {graph.inputs[0]}, {});
  auto body = std::make_shared<Graph>();
  body->captures = {{graph.nodes[kept].outputs[0], body->add_value("", f32({}))},
                    {graph.nodes[dead].outputs[0], body->add_value("", f32({}))}};
  const size_t inner = body->add_node("Tanh", {body->captures[0].inner}, {});
  body->add_node("Sin", {body->captures[1].inner}, {});
  body->outputs = body->nodes[inner].outputs;
  const ValueId condition = graph.add_constant(Tensor::scalar_bool(true));
  const ValueId unread = graph.add_constant(Tensor::scalar_f32(1));
  const size_t branch = graph.add_node("If", {condition}, {{"then_branch", body}});
  graph.outputs.push_back(graph.nodes[branch].outputs[0]);

  EXPECT_TRUE(remove_dead_nodes(graph));
  EXPECT_FALSE(graph.constant(unread));
  EXPECT_TRUE(graph.constant(condition));
  EXPECT_EQ(body->nodes.size(), 2u) << "others may share the subgraph";
  const auto& cleaned = *graph.nodes.back().attributes.graph("then_branch");
  EXPECT_EQ(cleaned->nodes.size(), 1u);
  EXPECT_EQ(cleaned->captures.size(), 1u);
  EXPECT_TRUE(graph.verify().ok());
  EXPECT_EQ(graph.nodes.size(), 4u) << graph.text();
}

TEST(attributes, answer_the_fallback_for_another_kind) {
  const Attributes attributes{{"axis", int64_t{2}}, {"mode", std::string("linear")}};
  EXPECT_EQ(attributes.integer("axis", 0), 2);
  EXPECT_EQ(attributes.integer("mode", 7), 7);
  EXPECT_EQ(attributes.text("mode", ""), "linear");
  EXPECT_TRUE(attributes == (Attributes{{"mode", std::string("linear")}, {"axis", int64_t{2}}}));
  EXPECT_FALSE(attributes == (Attributes{{"mode", std::string("cubic")}, {"axis", int64_t{2}}}));
}

}  // namespace
}  // namespace lanthorn
