// Attributes and inputs that no honest exporter writes: an error, never a crash.
#include "ops/op_testing.h"

namespace lanthorn {
namespace {

using testing::run_op;

Tensor floats(Shape shape) { return *Tensor::allocate(DType::kF32, std::move(shape)); }
Tensor ints(std::vector<int64_t> values) { return Tensor::of_ints(values); }

constexpr int64_t kExtremes[] = {INT64_MIN, INT64_MIN + 1, INT32_MIN, -3, -1, 0, 1, 2, 3, INT32_MAX, INT64_MAX};

TEST(hostile_nodes, slices_take_every_extreme_bound_and_step) {
  for (const int64_t start : kExtremes) {
    for (const int64_t end : kExtremes) {
      for (const int64_t step : kExtremes) {
        const auto out = run_op("Slice", {floats({3, 2}), ints({start}), ints({end}), ints({0}), ints({step})});
        EXPECT_EQ(out.ok(), step != 0);
      }
    }
  }
}

TEST(hostile_nodes, pads_take_every_extreme) {
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    for (const int64_t before : kExtremes) {
      for (const int64_t after : kExtremes) {
        const auto out = run_op("Pad", {floats({3}), ints({before, after})}, {{"mode", std::string(mode)}});
        if (out.ok()) {
          EXPECT_EQ(out->front().tensor()->count(), 3 + before + after);
        }
      }
    }
  }
}

TEST(hostile_nodes, an_axis_out_of_range_is_refused_by_every_operator_that_has_one) {
  for (const char* op : {"ArgMax", "Softmax", "Concat", "Split", "GatherElements", "Compress", "Flatten", "Unique"}) {
    for (const int64_t axis : {INT64_MIN, int64_t{-9}, int64_t{9}, INT64_MAX}) {
      std::vector<Tensor> inputs{floats({2, 3})};
      if (std::string(op) == "GatherElements") inputs.push_back(*Tensor::allocate(DType::kI64, {2, 3}));
      if (std::string(op) == "Compress") inputs.push_back(*Tensor::allocate(DType::kBool, {2}));
      EXPECT_FALSE(run_op(op, inputs, {{"axis", axis}}).ok()) << op << " " << axis;
    }
  }
}

TEST(hostile_nodes, indices_out_of_range_are_refused) {
  for (const int64_t index : {INT64_MIN, int64_t{-4}, int64_t{3}, INT64_MAX}) {
    EXPECT_EQ(run_op("Gather", {floats({3}), ints({index})}).error().code, ErrorCode::kInvalidInput);
    EXPECT_FALSE(run_op("GatherElements", {floats({3}), ints({index})}).ok());
    EXPECT_FALSE(run_op("ScatterElements", {floats({3}), ints({index}), floats({1})}).ok());
    const Tensor place = ints({index}).reshaped({1, 1});
    EXPECT_FALSE(run_op("GatherND", {floats({3}), place}).ok());
    EXPECT_FALSE(run_op("ScatterND", {floats({3}), place, floats({1})}).ok());
  }
}

TEST(hostile_nodes, batches_that_do_not_agree_are_refused) {
  const Tensor places = *Tensor::allocate(DType::kI64, {2, 1});
  EXPECT_FALSE(run_op("GatherND", {floats({4, 3}), places}, {{"batch_dims", int64_t{1}}}).ok());
}

TEST(hostile_nodes, outputs_larger_than_the_limit_are_refused_before_they_are_allocated) {
  const int64_t huge = int64_t{1} << 40;
  EXPECT_EQ(run_op("ConstantOfShape", {ints({huge})}).error().code, ErrorCode::kLimit);
  EXPECT_EQ(run_op("Expand", {floats({1}), ints({huge})}).error().code, ErrorCode::kLimit);
  EXPECT_EQ(run_op("Range", {Tensor::scalar_i64(0), Tensor::scalar_i64(huge), Tensor::scalar_i64(1)}).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(run_op("ConstantOfShape", {ints({INT64_MAX, INT64_MAX})}).ok());
  EXPECT_FALSE(run_op("ConstantOfShape", {ints({-1})}).ok());
}

TEST(hostile_nodes, division_by_zero_and_its_overflow) {
  EXPECT_FALSE(run_op("Div", {ints({1}), ints({0})}).ok());
  EXPECT_FALSE(run_op("Mod", {ints({1}), ints({0})}).ok());
  EXPECT_TRUE(run_op("Div", {ints({INT64_MIN}), ints({-1})}).ok());
  EXPECT_TRUE(run_op("Mod", {ints({INT64_MIN}), ints({-1})}).ok());
}

TEST(hostile_nodes, a_slope_that_is_larger_than_its_input_is_refused) {
  EXPECT_TRUE(run_op("PRelu", {floats({2, 3}), floats({3})}).ok());
  EXPECT_FALSE(run_op("PRelu", {floats({3}), floats({2, 3})}).ok());
  EXPECT_FALSE(run_op("PRelu", {floats({1, 3}), floats({2, 3})}).ok());
}

TEST(hostile_nodes, outputs_that_a_node_leaves_out_are_not_written) {
  EXPECT_TRUE(run_op("DynamicQuantizeLinear", {floats({3})}, {}, 1).ok());
  EXPECT_TRUE(run_op("TopK", {floats({3}), ints({2})}, {}, 1).ok());
  Node node{"Relu", "", "", {0}, {kNoValue}, {}, ""};
  const Value x(floats({3}));
  EXPECT_FALSE(run_reference(node, std::span(&x, 1)).ok());
}

TEST(hostile_nodes, equations_that_cannot_be_read_are_refused) {
  for (const char* equation : {"", "ij", "ij,jk", "i->j", "ij->ii", "i.j->ij", "......->", "ijk->i", "ij->ij->ij", "(i)j"}) {
    EXPECT_FALSE(run_op("Einsum", {floats({2, 3})}, {{"equation", std::string(equation)}}).ok() &&
                 std::string(equation) != "ij") << equation;
  }
}

TEST(hostile_nodes, blocks_and_shapes_that_do_not_divide_are_refused) {
  for (const int64_t block : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{3}, INT64_MAX}) {
    EXPECT_FALSE(run_op("DepthToSpace", {floats({1, 8, 2, 2})}, {{"blocksize", block}}).ok());
    EXPECT_FALSE(run_op("SpaceToDepth", {floats({1, 8, 2, 2})}, {{"blocksize", block}}).ok());
  }
  EXPECT_FALSE(run_op("Reshape", {floats({2, 3}), ints({4, -1})}).ok());
  EXPECT_FALSE(run_op("Reshape", {floats({2, 3}), ints({-1, -1})}).ok());
  EXPECT_FALSE(run_op("Reshape", {floats({2, 3}), ints({0, 0, 0})}).ok());
}

}  // namespace
}  // namespace lanthorn
