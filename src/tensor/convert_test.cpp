#include "tensor/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tensor/half.h"

namespace lanthorn {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// All 65,536 halves survive, and a tie goes to the even neighbor: a number between two halves is
// exact in float, so the expectation needs no second implementation.
TEST(convert, every_half_survives_and_ties_go_to_even) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = f16_to_f32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
      continue;
    }
    ASSERT_EQ(f32_to_f16(value), half);
    if ((bits & 0x7fff) >= 0x7bff) continue;
    const float next = f16_to_f32(static_cast<uint16_t>(half + 1));
    const uint16_t even = half % 2 == 0 ? half : static_cast<uint16_t>(half + 1);
    const float middle = (value + next) / 2;
    ASSERT_EQ(f32_to_f16(middle), even) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, next)), static_cast<uint16_t>(half + 1)) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, value)), half) << bits;
  }
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(1e-8f), 0);
}

TEST(convert, bfloat16_rounds_to_even_and_keeps_nan) {
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x7f7fffffu)), 0x7f80);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

struct SmallType {
  DType dtype;
  int bits;
  float largest;
};

TEST(convert, every_small_float_survives_and_ties_go_to_even) {
  const SmallType types[] = {{DType::kF8E4M3FN, 8, 448},       {DType::kF8E4M3FNUZ, 8, 240}, {DType::kF8E5M2, 8, 57344},
                             {DType::kF8E5M2FNUZ, 8, 57344},   {DType::kF6E2M3, 6, 7.5f},    {DType::kF6E3M2, 6, 28},
                             {DType::kF4E2M1, 4, 6}};
  for (const SmallType& type : types) {
    SCOPED_TRACE(dtype_name(type.dtype));
    for (int bits = 0; bits < 1 << (type.bits - 1); ++bits) {
      const auto pattern = static_cast<uint8_t>(bits);
      const float value = small_float_to_f32(type.dtype, pattern);
      if (std::isnan(value) || std::isinf(value)) continue;
      EXPECT_LE(value, type.largest);
      ASSERT_EQ(f32_to_small_float(type.dtype, value, false), pattern);
      if (value == type.largest) continue;
      const float next = small_float_to_f32(type.dtype, static_cast<uint8_t>(bits + 1));
      ASSERT_EQ(f32_to_small_float(type.dtype, (value + next) / 2, false), bits + bits % 2) << bits;
    }
    EXPECT_EQ(small_float_to_f32(type.dtype, f32_to_small_float(type.dtype, kInf, true)), type.largest);
    EXPECT_EQ(small_float_to_f32(type.dtype, f32_to_small_float(type.dtype, -1e9f, true)), -type.largest);
  }
  EXPECT_TRUE(std::isnan(small_float_to_f32(DType::kF8E4M3FN, f32_to_small_float(DType::kF8E4M3FN, 1e9f, false))));
  EXPECT_EQ(small_float_to_f32(DType::kF8E5M2, f32_to_small_float(DType::kF8E5M2, 1e9f, false)), kInf);
}

TEST(convert, integers_take_the_low_bits_and_floats_go_toward_zero) {
  const int16_t wide[] = {200, -1, 300};
  int8_t narrow[3];
  convert(DType::kI16, wide, DType::kI8, narrow, 3);
  EXPECT_EQ(narrow[0], -56);
  EXPECT_EQ(narrow[1], -1);
  EXPECT_EQ(narrow[2], 44);
  const float reals[] = {1.9f, -1.9f, 3e9f, std::numeric_limits<float>::quiet_NaN()};
  int32_t whole[4];
  convert(DType::kF32, reals, DType::kI32, whole, 4);
  EXPECT_EQ(whole[0], 1);
  EXPECT_EQ(whole[1], -1);
  EXPECT_EQ(whole[2], INT32_MIN);
  EXPECT_EQ(whole[3], INT32_MIN);
  uint8_t flags[4];
  convert(DType::kF32, reals, DType::kBool, flags, 4);
  EXPECT_EQ(flags[0] + flags[1] + flags[2] + flags[3], 4);
}

// A 64-bit integer must not pass through double on its way to float.
TEST(convert, a_large_integer_is_rounded_once) {
  const int64_t value = (int64_t{1} << 53) + (int64_t{1} << 29) + 1;
  float result;
  convert(DType::kI64, &value, DType::kF32, &result, 1);
  EXPECT_EQ(result, std::nextafter(0x1p53f, kInf));
  const uint64_t largest = UINT64_MAX;
  double real;
  convert(DType::kU64, &largest, DType::kF64, &real, 1);
  EXPECT_EQ(real, 0x1p64);
}

}  // namespace
}  // namespace lanthorn
