#include "optimize/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "optimize/graph_index.h"

namespace lanthorn {
namespace {

/// A graph that is written from its input on.
class Writer {
 public:
  explicit Writer(Dims input) {
    x = graph.add_value("x", ValueType::tensor(DType::kF32, std::move(input)));
    graph.inputs = {x};
  }
  ValueId add(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const size_t node = graph.add_node(std::move(op), std::move(inputs), std::move(attributes));
    return graph.nodes[node].outputs[0];
  }
  ValueId floats(Shape shape, float value = 0.5f) {
    Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
    for (float& element : tensor.mutable_as<float>()) element = value;
    return graph.add_constant(std::move(tensor));
  }
  ValueId number(float value) { return graph.add_constant(Tensor::scalar_f32(value)); }
  ValueId ints(std::vector<int64_t> values) { return graph.add_constant(Tensor::of_ints(values)); }

  /// Names of the operators that are left, in order.
  std::string optimized(ValueId output) {
    graph.outputs = {output};
    const Status status = optimize(graph, {});
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().text());
    std::string names;
    for (const Node& node : graph.nodes) names += (names.empty() ? "" : " ") + node.op;
    return names;
  }

  Graph graph;
  ValueId x;
};

ValueId batch_norm(Writer& w, ValueId x, int64_t channels) {
  return w.add("BatchNormalization", {x, w.floats({channels}), w.floats({channels}), w.floats({channels}), w.floats({channels})});
}

TEST(optimize, a_residual_block_becomes_its_convolutions) {
  Writer w({Dim::symbol("batch"), 4, 8, 8});
  const auto conv = [&](ValueId x) {
    return batch_norm(w, w.add("Conv", {x, w.floats({4, 4, 3, 3})}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}), 4);
  };
  const ValueId first = w.add("Relu", {conv(w.x)});
  const ValueId second = w.add("Relu", {w.add("Add", {conv(first), w.x})});
  EXPECT_EQ(w.optimized(second), "Transpose FusedConv FusedConv Transpose");
  const Node& last = w.graph.nodes[2];
  EXPECT_EQ(last.inputs.size(), 4u);
  EXPECT_EQ(last.attributes.text("activation", ""), "Relu");
}

TEST(optimize, a_classifier_head_needs_no_layout_of_its_own) {
  Writer w({Dim::symbol("batch"), 4, 8, 8});
  const ValueId conv = w.add("Conv", {w.x, w.floats({6, 4, 1, 1})});
  const ValueId flat = w.add("Flatten", {w.add("GlobalAveragePool", {conv})});
  const ValueId y = w.add("Gemm", {flat, w.floats({10, 6}), w.floats({10})}, {{"transB", int64_t{1}}});
  const std::string names = w.optimized(y);
  EXPECT_EQ(names.substr(0, 31), "Transpose FusedConv ReduceMean ");
  EXPECT_EQ(names.substr(names.size() - 11), "FusedMatMul");
}

TEST(optimize, decomposed_layer_normalization_is_found) {
  Writer w({Dim::symbol("batch"), 5, 8});
  const ValueId axes = w.ints({-1});
  const ValueId centered = w.add("Sub", {w.x, w.add("ReduceMean", {w.x, axes})});
  const ValueId variance = w.add("ReduceMean", {w.add("Mul", {centered, centered}), axes});
  const ValueId y = w.add("Div", {centered, w.add("Sqrt", {w.add("Add", {variance, w.number(1e-6f)})})});
  EXPECT_EQ(w.optimized(w.add("Add", {w.add("Mul", {y, w.floats({8})}), w.floats({8})})), "LayerNormalization");
  EXPECT_FLOAT_EQ(w.graph.nodes[0].attributes.real("epsilon", 0), 1e-6f);
}

TEST(optimize, decomposed_activations_are_found) {
  {
    Writer w({4, 8});
    const ValueId erf = w.add("Erf", {w.add("Mul", {w.x, w.number(0.70710678f)})});
    EXPECT_EQ(w.optimized(w.add("Mul", {w.add("Mul", {w.x, w.add("Add", {erf, w.number(1)})}), w.number(0.5f)})), "Gelu");
  }
  {
    Writer w({4, 8});
    const ValueId cube = w.add("Mul", {w.add("Pow", {w.x, w.number(3)}), w.number(0.044715f)});
    const ValueId tanh = w.add("Tanh", {w.add("Mul", {w.add("Add", {w.x, cube}), w.number(0.7978845608f)})});
    EXPECT_EQ(w.optimized(w.add("Mul", {w.add("Mul", {w.x, w.number(0.5f)}), w.add("Add", {tanh, w.number(1)})})), "Gelu");
    EXPECT_EQ(w.graph.nodes[0].attributes.text("approximate", ""), "tanh");
  }
  {
    Writer w({4, 8});
    EXPECT_EQ(w.optimized(w.add("Mul", {w.add("Sigmoid", {w.x}), w.x})), "Swish");
  }
  {
    Writer w({4, 8});
    const ValueId ramp = w.add("Clip", {w.add("Add", {w.x, w.number(3)}), w.number(0), w.number(6)});
    EXPECT_EQ(w.optimized(w.add("Mul", {w.x, w.add("Div", {ramp, w.number(6)})})), "HardSwish");
  }
}

TEST(optimize, shape_arithmetic_over_symbols_becomes_a_constant_operand) {
  Writer w({Dim::symbol("batch"), 4, 6});
  const ValueId batch = w.add("Gather", {w.add("Shape", {w.x}), w.ints({0})});
  const ValueId shape = w.add("Concat", {batch, w.ints({24})}, {{"axis", int64_t{0}}});
  EXPECT_EQ(w.optimized(w.add("Reshape", {w.x, shape})), "Reshape");
}

TEST(optimize, transposes_around_a_normalization_cancel) {
  Writer w({1, 4, 8, 8});
  const ValueId conv = w.add("Conv", {w.x, w.floats({4, 4, 1, 1})});
  const ValueId turned = w.add("Transpose", {conv}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  const ValueId norm = w.add("LayerNormalization", {turned, w.floats({4}), w.floats({4})});
  const ValueId back = w.add("Transpose", {norm}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  const ValueId y = w.add("Conv", {w.add("Relu", {back}), w.floats({2, 4, 1, 1})});
  EXPECT_EQ(w.optimized(y), "Transpose FusedConv LayerNormalization Relu FusedConv Transpose");
}

TEST(optimize, attention_reads_heads_where_they_lie) {
  Writer w({Dim::symbol("batch"), 7, 8});
  const auto heads = [&](std::vector<int64_t> perm) {
    const ValueId rows = w.add("Reshape", {w.add("MatMul", {w.x, w.floats({8, 8})}), w.ints({0, 0, 2, 4})});
    return w.add("Transpose", {rows}, {{"perm", std::move(perm)}});
  };
  const ValueId q = heads({0, 2, 1, 3}), k = heads({0, 2, 3, 1}), v = heads({0, 2, 1, 3});
  const ValueId scores = w.add("Div", {w.add("MatMul", {q, k}), w.number(2)});
  const ValueId mixed = w.add("MatMul", {w.add("Softmax", {scores}), v});
  const ValueId y = w.add("Reshape", {w.add("Transpose", {mixed}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}), w.ints({0, 0, 8})});
  const std::string names = w.optimized(y);
  EXPECT_EQ(names.find("Transpose"), std::string::npos) << names;
  EXPECT_EQ(names.find("Softmax"), std::string::npos) << names;
  const auto node = std::find_if(w.graph.nodes.begin(), w.graph.nodes.end(), [](const Node& n) { return n.op == "FusedAttention"; });
  ASSERT_NE(node, w.graph.nodes.end()) << names;
  EXPECT_FLOAT_EQ(node->attributes.real("scale", 0), 0.5f);
}

TEST(optimize, einsum_attention_over_five_axes_is_found) {
  Writer w({Dim::symbol("batch"), 4, 2, 6, 8});
  const ValueId scores = w.add("Einsum", {w.x, w.x}, {{"equation", std::string("BGHID, BGHJD -> BGHIJ")}});
  const ValueId weights = w.add("Softmax", {w.add("Add", {scores, w.floats({1, 2, 6, 6})})});
  const std::string names =
      w.optimized(w.add("Einsum", {weights, w.x}, {{"equation", std::string("BGHIJ, BGHJD -> BGHID")}}));
  EXPECT_NE(names.find("FusedAttention"), std::string::npos) << names;
  EXPECT_EQ(names.find("Einsum"), std::string::npos) << names;
  EXPECT_EQ(names.find("Softmax"), std::string::npos) << names;
}

TEST(optimize, zero_padding_moves_into_the_convolution) {
  Writer w({1, 2, 5, 5});
  const ValueId padded = w.add("Pad", {w.x, w.ints({0, 0, 1, 0, 0, 0, 2, 1})});
  EXPECT_EQ(w.optimized(w.add("Conv", {padded, w.floats({2, 2, 3, 3})})), "Transpose FusedConv Transpose");
  EXPECT_EQ(w.graph.nodes[1].attributes.ints("pads"), (std::vector<int64_t>{1, 0, 2, 1}));
}

TEST(optimize, weights_that_pass_through_operators_are_computed_once) {
  Writer w({Dim::symbol("batch"), 8});
  const ValueId turned = w.add("Transpose", {w.floats({4, 8})}, {{"perm", std::vector<int64_t>{1, 0}}});
  EXPECT_EQ(w.optimized(w.add("MatMul", {w.x, turned})), "FusedMatMul");
}

TEST(optimize, results_much_bigger_than_their_constants_are_not_stored) {
  Writer w({1});
  const ValueId big = w.add("Expand", {w.number(1), w.ints({4096, 4096})});
  EXPECT_NE(w.optimized(w.add("Add", {big, w.x})).find("Expand"), std::string::npos);
}

}  // namespace
}  // namespace lanthorn
