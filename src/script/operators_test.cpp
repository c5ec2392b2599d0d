#include <array>

#include "script/operators.h"

#include <gtest/gtest.h>

#include "script/graph_lowering.h"

namespace lanthorn::script {
namespace {

Value ints(std::vector<int64_t> values) { return make_ints(Dims(values.begin(), values.end())); }

std::string chosen(std::string_view name, CallArguments arguments) {
  const Match found = match(operators_named(name), arguments);
  return found.op ? found.op->schema.overload : "none";
}

TEST(schema, names_defaults_lists_and_keyword_only_arguments_are_read) {
  const auto schema = parse_schema(
      "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, *, float "
      "eps=1e-05) -> Tensor");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_EQ(schema->name, "aten::conv2d");
  ASSERT_EQ(schema->arguments.size(), 5u);
  EXPECT_TRUE(schema->arguments[2].type.optional);
  EXPECT_EQ(schema->arguments[3].type.fixed_size, 2);
  EXPECT_EQ(schema->arguments[3].fallback.list()->items.size(), 2u);
  EXPECT_TRUE(schema->arguments[4].keyword_only);
  EXPECT_EQ(*schema->arguments[4].fallback.real(), 1e-05);
}

TEST(schema, a_text_that_is_none_says_where) {
  const auto schema = parse_schema("aten::f(Tensor a; Tensor b) -> Tensor");
  ASSERT_FALSE(schema.ok());
  EXPECT_NE(schema.error().message.find("at 16"), std::string::npos) << schema.error().message;
}

TEST(operators, every_schema_of_the_tables_is_one) { EXPECT_EQ(broken_schemas(), ""); }

TEST(operators, numbers_and_tensors_take_their_own_overloads) {
  const Value tensor(GraphLowering::loaded(Tensor::of_floats(std::vector<float>{1, 2}), "w"));
  EXPECT_EQ(chosen("aten::add", {{tensor, tensor}, {}}), "Tensor");
  EXPECT_EQ(chosen("aten::add", {{tensor, Value(Dim(1))}, {}}), "Scalar");
  EXPECT_EQ(chosen("aten::add", {{Value(Dim(1)), Value::of_double(2)}, {}}), "number");
  EXPECT_EQ(chosen("aten::add", {{Value(std::string("a")), Value(std::string("b"))}, {}}), "str");
  EXPECT_EQ(chosen("aten::add", {{ints({1}), ints({2})}, {}}), "t");
}

TEST(operators, a_keyword_that_no_overload_has_fits_none) {
  EXPECT_EQ(chosen("aten::add", {{Value(Dim(1)), Value(Dim(2))}, {{"beta", Value(Dim(1))}}}),
            "none");
}

TEST(operators, an_empty_list_is_told_by_its_declared_elements) {
  SchemaType list;
  list.kind = SchemaType::Kind::kList;
  list.args.emplace_back().kind = SchemaType::Kind::kInt;
  EXPECT_TRUE(fit(list, make_list({}, "int")).has_value());
  EXPECT_FALSE(fit(list, make_list({}, "Tensor")).has_value());
  EXPECT_TRUE(fit(list, make_list({})).has_value());
}

TEST(operators, a_number_stands_for_a_list_of_fixed_size) {
  GraphLowering lowering;
  const Value x(GraphLowering::loaded(*Tensor::allocate(DType::kF32, {1, 1, 4, 4}), "x"));
  Match found = match(operators_named("aten::max_pool2d"), {{x, Value(Dim(2))}, {}});
  ASSERT_NE(found.op, nullptr);
  const auto arguments = convert(lowering, std::move(found));
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->ints(1), (Dims{2, 2}));
}

TEST(operators, promotion_weighs_dimensioned_over_0d_over_wrapped) {
  const auto tensor = [](DType dtype, Shape shape, bool wrapped = false) {
    TensorRef ref = GraphLowering::loaded(*Tensor::allocate(dtype, std::move(shape)), "");
    ref->wrapped_number = wrapped;
    return Value(ref);
  };
  const Value i64 = tensor(DType::kI64, {2});
  const auto of = [](Value a, Value b) {
    return result_type(std::array{std::move(a), std::move(b)});
  };
  EXPECT_EQ(of(i64, Value::of_double(0.5)), DType::kF32);
  EXPECT_EQ(of(tensor(DType::kF16, {2}), Value::of_double(2)), DType::kF16);
  EXPECT_EQ(of(i64, tensor(DType::kF64, {})), DType::kF64);
  EXPECT_EQ(of(i64, tensor(DType::kF64, {}, true)), DType::kF32);
  EXPECT_EQ(of(tensor(DType::kF32, {2}), tensor(DType::kF64, {})), DType::kF32);
  EXPECT_EQ(of(tensor(DType::kI32, {2}), tensor(DType::kI64, {})), DType::kI32);
  EXPECT_EQ(of(tensor(DType::kU8, {2}), tensor(DType::kI8, {2})), DType::kI16);
  EXPECT_EQ(of(tensor(DType::kF16, {2}), tensor(DType::kBF16, {2})), DType::kF32);
}

}  // namespace
}  // namespace lanthorn::script
