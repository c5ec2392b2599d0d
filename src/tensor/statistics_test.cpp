#include "tensor/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lanthorn {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor floats(std::vector<float> values) {
  return Tensor::of<float>(DType::kF32, {static_cast<int64_t>(values.size())}, values);
}

TEST(statistics, nan_is_counted_and_left_out_of_the_range_and_the_mean) {
  const auto found = tensor_statistics(floats({1, kNan, -3, 8}));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->has_range);
  EXPECT_EQ(found->minimum, -3);
  EXPECT_EQ(found->maximum, 8);
  EXPECT_EQ(found->mean, 2);
  EXPECT_EQ(found->nan_count, 1u);
  EXPECT_EQ(found->infinity_count, 0u);
}

TEST(statistics, what_has_no_numbers_has_no_range) {
  EXPECT_FALSE(tensor_statistics(floats({}))->has_range);
  EXPECT_FALSE(tensor_statistics(floats({kNan, kNan}))->has_range);
  EXPECT_FALSE(tensor_statistics(Tensor::of_strings({1}, {"a"}))->has_range);
}

TEST(statistics, every_element_of_a_long_tensor_counts_once) {
  std::vector<int64_t> values(10'001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  const auto found = tensor_statistics(Tensor::of_ints(values));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->maximum, 10'000);
  EXPECT_EQ(found->mean, 5'000);
}

TEST(statistics, a_strided_tensor_is_compared_in_c_order) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  const Tensor base = Tensor::of<float>(DType::kF32, {2, 3}, values);
  const Tensor turned = *Tensor::view(DType::kF32, {3, 2}, {1, 3}, 0, base.storage());
  const Tensor same = Tensor::of<float>(DType::kF32, {3, 2}, std::vector<float>{0, 3, 1, 4, 2, 5});
  EXPECT_EQ(compare_tensors(turned, same)->count, 0u);
  const auto other = compare_tensors(turned, base.reshaped({3, 2}));
  EXPECT_EQ(other->count, 4u);
  EXPECT_EQ(other->first, 1u);
  EXPECT_EQ(other->absolute, 2);
}

TEST(statistics, nan_equals_nan_and_differs_from_numbers_without_bound) {
  EXPECT_EQ(compare_tensors(floats({kNan, 0.0F}), floats({kNan, -0.0F}))->count, 0u);
  const auto found = compare_tensors(floats({kNan, 1}), floats({2, 1}));
  EXPECT_EQ(found->count, 1u);
  EXPECT_TRUE(std::isinf(found->absolute));
  EXPECT_EQ(compare_tensors(floats({kInfinity}), floats({kInfinity}))->count, 0u);
}

TEST(statistics, a_tolerance_is_relative_to_the_largest_magnitude) {
  const Tensor a = floats({100, 1, 0}), b = floats({100, 1.05F, 0});
  EXPECT_EQ(compare_tensors(a, b)->count, 1u);
  EXPECT_EQ(compare_tensors(a, b, 1e-3)->count, 0u);
  EXPECT_EQ(compare_tensors(a, b, 1e-4)->count, 1u);
}

TEST(statistics, unlike_dtypes_are_compared_by_value) {
  const Tensor wide = floats({1, 2, 2049}), narrow = *wide.cast(DType::kF16);
  const auto found = compare_tensors(wide, narrow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 1u);
  EXPECT_EQ(found->first, 2u);
  EXPECT_EQ(found->absolute, 1);
  const auto complex = compare_tensors(wide, *wide.cast(DType::kC64));
  ASSERT_FALSE(complex);
  EXPECT_EQ(complex.error().code, ErrorCode::kUnsupported);
}

TEST(statistics, integers_beyond_doubles_differ_where_their_bits_do) {
  const int64_t large = (int64_t{1} << 53) + 1;
  const int64_t left[] = {large}, right[] = {large - 1};
  EXPECT_EQ(compare_tensors(Tensor::of_ints(left), Tensor::of_ints(right))->count, 1u);
}

}  // namespace
}  // namespace lanthorn
