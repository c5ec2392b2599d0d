#include "ops/op_testing.h"

namespace lanthorn {
namespace {

using testing::GraphBuilder;

const Dim n = Dim::symbol("n");
const Dim h = Dim::symbol("h");
const Dim w = Dim::symbol("w");

TEST(infer, a_view_by_sizes_keeps_the_symbols) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, 512, 7, 7});
  const ValueId batch = g.node("Gather", {g.node("Shape", {x}), g.scalar(0)}, {{"axis", int64_t{0}}});
  const ValueId sizes = g.node("Concat", {g.node("Unsqueeze", {batch, g.ints({0})}), g.ints({-1})}, {{"axis", int64_t{0}}});
  const ValueId y = g.node("Reshape", {x, sizes});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(y), "float32[n, 25088]");
}

TEST(infer, channel_shuffle_divides_and_multiplies_back) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, 116, h, w});
  const ValueId shape = g.node("Shape", {x});
  auto size = [&](int64_t axis) { return g.node("Gather", {shape, g.ints({axis})}); };
  const ValueId groups = g.node("Div", {size(1), g.ints({2})});
  const ValueId wide = g.node("Reshape", {x, g.node("Concat", {size(0), g.ints({2}), groups, size(2), size(3)}, {{"axis", int64_t{0}}})});
  const ValueId turned = g.node("Transpose", {wide}, {{"perm", std::vector<int64_t>{0, 2, 1, 3, 4}}});
  const ValueId y = g.node("Reshape", {turned, g.node("Concat", {size(0), g.ints({-1}), size(2), size(3)}, {{"axis", int64_t{0}}})});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(turned), "float32[n, 58, 2, h, w]");
  EXPECT_EQ(g.type(y), "float32[n, 116, h, w]");
}

TEST(infer, windows_of_an_attention_are_partitioned_symbolically) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, h * 7, w * 7, 96});
  const ValueId shape = g.node("Shape", {x});
  auto size = [&](int64_t axis) { return g.node("Gather", {shape, g.ints({axis})}); };
  auto seventh = [&](int64_t axis) { return g.node("Div", {size(axis), g.ints({7})}); };
  const ValueId parts = g.node("Concat", {size(0), seventh(1), g.ints({7}), seventh(2), g.ints({7}), size(3)}, {{"axis", int64_t{0}}});
  const ValueId split = g.node("Reshape", {x, parts});
  const ValueId moved = g.node("Transpose", {split}, {{"perm", std::vector<int64_t>{0, 1, 3, 2, 4, 5}}});
  const ValueId count = g.node("Mul", {g.node("Mul", {size(0), seventh(1)}), seventh(2)});
  const ValueId y = g.node("Reshape", {moved, g.node("Concat", {count, g.ints({49}), size(3)}, {{"axis", int64_t{0}}})});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(split), "float32[n, h, 7, w, 7, 96]");
  EXPECT_EQ(g.type(y), "float32[h*n*w, 49, 96]");
}

TEST(infer, expand_by_where_and_constant_of_shape_keeps_the_batch) {
  // What exporters write for class_token.expand(n, -1, -1).
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, 3, 224, 224});
  const ValueId token = g.input(DType::kF32, {1, 1, 768});
  const ValueId batch = g.node("Gather", {g.node("Shape", {x}), g.ints({0})});
  const ValueId wanted = g.node("Concat", {batch, g.ints({-1, -1})}, {{"axis", int64_t{0}}});
  const ValueId ones = g.node("ConstantOfShape", {g.ints({3})}, {{"value", Tensor::of_ints(std::vector<int64_t>{1})}});
  const ValueId minus = g.node("Mul", {ones, g.scalar(-1)});
  const ValueId sizes = g.node("Where", {g.node("Equal", {wanted, minus}), ones, wanted});
  const ValueId y = g.node("Expand", {token, sizes});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(y), "float32[n, 1, 768]");
}

TEST(infer, slices_of_symbolic_dimensions) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, h, 8});
  auto slice = [&](int64_t start, int64_t end, int64_t axis, int64_t step) {
    return g.node("Slice", {x, g.ints({start}), g.ints({end}), g.ints({axis}), g.ints({step})});
  };
  const ValueId all = slice(0, INT64_MAX, 1, 1), halves = slice(0, INT64_MAX, 1, 2), last = slice(-1, INT64_MAX, 1, 1);
  const ValueId flipped = slice(-1, INT64_MIN, 1, -1), odd = slice(1, 8, 2, 2), none = slice(5, 3, 2, 1);
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(all), "float32[n, h, 8]");
  EXPECT_EQ(g.type(halves), "float32[n, floor_div(h + 1, 2), 8]");
  EXPECT_EQ(g.type(last), "float32[n, min(1, h), 8]");
  EXPECT_EQ(g.type(flipped), "float32[n, h, 8]");
  EXPECT_EQ(g.type(odd), "float32[n, h, 4]");
  EXPECT_EQ(g.type(none), "float32[n, h, 0]");
}

TEST(infer, an_unknown_rank_makes_what_follows_unknown_and_no_error) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, h});
  const ValueId axes = g.input(DType::kI64, {w});
  const ValueId squeezed = g.node("Squeeze", {x, axes});
  const ValueId y = g.node("Relu", {squeezed});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(squeezed), "float32[...]");
  EXPECT_EQ(g.type(y), "?");
}

TEST(infer, every_operator_that_is_not_there_is_listed) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n});
  g.node("Frobnicate", {x});
  g.node("Twiddle", {x});
  g.graph().nodes[1].source = "model.py:3";
  const Status status = g.infer();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(status.error().message, "operators that are not supported: Frobnicate, Twiddle (at model.py:3)");
}

TEST(infer, only_functions_that_leave_whole_numbers_alone_pass_them) {
  for (const char* op : {"Sqrt", "Exp", "Relu", "Softsign", "Gelu", "Reciprocal", "Abs"}) {
    const Node node{op, "", "", {0}, {1}, {}, ""};
    const Tensor minus_two = Tensor::scalar_f32(-2);
    const ValueType type = ValueType::tensor(DType::kF32, {});
    const Tensor* constant = &minus_two;
    InferContext context(node, std::span(&type, 1), std::span(&constant, 1), {});
    ASSERT_TRUE(infer_node(*find_op(op), context).ok());
    EXPECT_FALSE(context.output_elements[0] && (*context.output_elements[0])[0].is(-2)) << op;
  }
}

TEST(infer, an_error_names_its_node) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {2, 3});
  const ValueId y = g.input(DType::kF32, {4, 3});
  g.node("Add", {x, y});
  g.graph().nodes[0].name = "sum";
  const Status status = g.infer();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "shapes [2, 3] and [4, 3] do not broadcast");
  EXPECT_EQ(status.error().where, "node 0 'sum' (Add)");
}

TEST(infer, ports_refuse_wrong_types_missing_and_surplus_inputs) {
  GraphBuilder wrong;
  wrong.node("Not", {wrong.input(DType::kF32, {1})});
  EXPECT_FALSE(wrong.infer().ok());
  GraphBuilder missing;
  missing.node("Add", {missing.input(DType::kF32, {1})});
  EXPECT_FALSE(missing.infer().ok());
  GraphBuilder surplus;
  const ValueId x = surplus.input(DType::kF32, {1});
  surplus.node("Relu", {x, x});
  EXPECT_FALSE(surplus.infer().ok());
  GraphBuilder outputs;
  outputs.node("Relu", {outputs.input(DType::kF32, {1})}, {}, 2);
  EXPECT_FALSE(outputs.infer().ok());
}

TEST(infer, sizes_that_overflow_are_unknown_and_a_run_refuses_them) {
  GraphBuilder g;
  const ValueId x = g.input(DType::kF32, {n, 2});
  const ValueId y = g.node("Tile", {x, g.ints({int64_t{1} << 62, int64_t{1} << 62})});
  ASSERT_TRUE(g.infer().ok());
  EXPECT_EQ(g.type(y), "float32[4611686018427387904*n, ?]");
  const auto run = testing::run_op("Tile", {*Tensor::allocate(DType::kF32, {8, 2}), Tensor::of_ints(std::vector<int64_t>{int64_t{1} << 62, 1})});
  ASSERT_FALSE(run.ok());
}

TEST(infer, an_operator_table_is_complete) {
  for (const OpEntry& entry : all_ops()) {
    SCOPED_TRACE(entry.def->name);
    EXPECT_TRUE(entry.def->infer != nullptr);
    EXPECT_TRUE(entry.def->reference != nullptr);
    EXPECT_GE(entry.def->outputs.size(), 1u);
    EXPECT_EQ(find_op(entry.def->name, entry.def->domain), &entry) << "two operators have this name";
  }
  EXPECT_EQ(find_op("Relu", "com.example"), nullptr);
}

}  // namespace
}  // namespace lanthorn
