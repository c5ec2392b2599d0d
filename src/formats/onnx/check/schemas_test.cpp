#include "formats/onnx/check/schemas.h"

#include <gtest/gtest.h>

namespace lanthorn::onnx {
namespace {

TEST(schemas, an_operator_is_the_one_of_its_opset) {
  const auto old = find_schema("", "Clip", 6), now = find_schema("", "Clip", 28);
  ASSERT_TRUE(old && now);
  EXPECT_EQ(old->since, 6);
  EXPECT_EQ(now->since, 13);
  EXPECT_EQ(old->inputs.size(), 1u);
  EXPECT_EQ(now->inputs.size(), 3u);
  EXPECT_TRUE(old->find("min") && !now->find("min"));
}

TEST(schemas, what_does_not_exist_yet_is_not_found) {
  EXPECT_FALSE(find_schema("", "Gelu", 19));
  EXPECT_TRUE(find_schema("", "Gelu", 20));
  EXPECT_FALSE(find_schema("", "Nothing", 28));
  EXPECT_FALSE(find_schema("com.example", "Gelu", 28));
}

TEST(schemas, fields_that_stay_are_those_of_the_version_before) {
  const auto conv = find_schema("", "Conv", 22);
  ASSERT_TRUE(conv);
  EXPECT_EQ(conv->since, 22);
  EXPECT_TRUE(conv->find("dilations") && conv->find("auto_pad"));
  EXPECT_TRUE(conv->inputs[0].types.has("tensor(bfloat16)"));
  EXPECT_FALSE(find_schema("", "Conv", 21)->inputs[0].types.has("tensor(bfloat16)"));
}

TEST(schemas, arity_counts_the_variadic_and_the_optional) {
  EXPECT_EQ(arity_of(find_schema("", "Concat", 13)->inputs).most, SIZE_MAX);
  EXPECT_EQ(arity_of(find_schema("", "Concat", 13)->inputs).least, 1u);
  EXPECT_EQ(arity_of(find_schema("", "Clip", 13)->inputs).least, 1u);
  EXPECT_EQ(arity_of(find_schema("", "Clip", 13)->inputs).most, 3u);
}

TEST(schemas, deprecation_and_requirement_are_known) {
  EXPECT_TRUE(find_schema("", "Upsample", 10)->deprecated);
  EXPECT_FALSE(find_schema("", "Upsample", 9)->deprecated);
  EXPECT_TRUE(find_schema("", "Concat", 13)->find("axis")->required);
  EXPECT_FALSE(find_schema("", "Softmax", 13)->find("axis")->required);
}

}  // namespace
}  // namespace lanthorn::onnx
