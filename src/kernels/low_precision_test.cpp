#include "kernels/conv_bf16.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "base/thread_pool.h"
#include "kernels/kernel_testing.h"

namespace lanthorn {
namespace {

double bf16_value(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return static_cast<double>(value);
}

struct Sizes {
  size_t m, k, n;
};
const std::vector<Sizes> kProducts = {{1, 1, 1},   {1, 5, 10},  {3, 4, 48},  {8, 16, 49},
                                      {13, 31, 7}, {16, 64, 96}, {29, 130, 50}, {0, 3, 4}};

TEST(low_precision, the_log_names_the_levels_with_instructions_of_their_own) {
  for_each_level([](const KernelTable& table) {
    std::printf("%s: bfloat16 %s, u8 x s8 %s\n", std::string(isa_name(table.level)).c_str(),
                table.low_precision->native_bf16 ? "native" : "emulated",
                table.low_precision->native_u8s8 ? "native" : "emulated");
  });
}

TEST(low_precision, rounding_to_bfloat16_goes_to_nearest_even_and_keeps_nan) {
  for_each_level([](const KernelTable& table) {
    const std::vector<float> x = {1.0f, 1.00390625f, 1.01171875f, 3.4e38f, INFINITY, NAN, -0.0f};
    std::vector<uint16_t> y(x.size());
    table.low_precision->to_bf16(x.data(), y.data(), x.size());
    EXPECT_EQ(y[0], 0x3f80);
    EXPECT_EQ(y[1], 0x3f80);  // a tie: the even one below
    EXPECT_EQ(y[2], 0x3f82);  // a tie: the even one above
    EXPECT_EQ(y[3], 0x7f80);  // rounds up to infinity
    EXPECT_EQ(y[4], 0x7f80);
    EXPECT_TRUE(std::isnan(bf16_value(y[5])));
    EXPECT_EQ(y[6], 0x8000);
  });
}

TEST(low_precision, bfloat16_products_match_plain_loops_over_rounded_values) {
  for_each_level([](const KernelTable& table) {
    for (const Sizes& p : kProducts) {
      SCOPED_TRACE(sizes_text({p.m, p.k, p.n}));
      GuardedFloats a(p.m * p.k), b(p.k * p.n), c(p.m * p.n, NAN), bias(p.n);
      Numbers numbers(p.k);
      numbers.fill(a);
      numbers.fill(b);
      numbers.fill(bias);
      std::vector<uint16_t> a16(a.size()), b16(b.size());
      table.low_precision->to_bf16(a.data(), a16.data(), a.size());
      table.low_precision->to_bf16(b.data(), b16.data(), b.size());
      const PackedBf16 packed = pack_bf16(table, b.data(), p.k, p.n, p.n, 1);
      FloatBuffer scratch(bf16_scratch_bytes(p.m, p.k) / sizeof(float) + 1);
      Epilogue e;
      e.bias = bias.data();
      e.activation = Activation::kRelu;
      multiply_bf16(table, {}, a.data(), p.m, packed, c.data(), p.n, e, scratch.data());
      for (size_t i = 0; i < p.m * p.n; ++i) {
        double sum = static_cast<double>(bias[i % p.n]);
        for (size_t k = 0; k < p.k; ++k) {
          sum += bf16_value(a16[i / p.n * p.k + k]) * bf16_value(b16[k * p.n + i % p.n]);
        }
        // Only the float32 sums round: products of bfloat16 are exact.
        ASSERT_NEAR(static_cast<double>(c[i]), sum < 0 ? 0 : sum,
                    2e-6 * std::sqrt(static_cast<double>(p.k) + 1));
      }
    }
  });
}

TEST(low_precision, byte_products_are_the_same_on_all_levels_and_near_the_float_product) {
  std::vector<std::vector<float>> of_first_level;
  for_each_level([&of_first_level](const KernelTable& table) {
    for (size_t which = 0; which < kProducts.size(); ++which) {
      const Sizes& p = kProducts[which];
      SCOPED_TRACE(sizes_text({p.m, p.k, p.n}));
      GuardedFloats a(p.m * p.k), b(p.k * p.n), c(p.m * p.n, NAN);
      Numbers numbers(p.k);
      numbers.fill(a, -1.0f, 2.0f);
      numbers.fill(b);
      const PackedS8 packed = pack_s8(table, b.data(), p.k, p.n, p.n, 1);
      FloatBuffer scratch(s8_scratch_bytes(p.m, p.k) / sizeof(float) + 1);
      multiply_s8(table, {}, a.data(), p.m, packed, c.data(), p.n, {}, scratch.data());
      for (size_t i = 0; i < p.m * p.n; ++i) {
        double sum = 0;
        for (size_t k = 0; k < p.k; ++k) {
          sum += static_cast<double>(a[i / p.n * p.k + k]) * static_cast<double>(b[k * p.n + i % p.n]);
        }
        // Half a step of A (3 / 255) times B below 1, and half a step of B (1 / 127) times A below 2,
        // per term; errors of terms add up like sqrt(k), with room for small k.
        const double bound = (3.0 / 510 + 2.0 / 254) * (2 + std::sqrt(static_cast<double>(p.k)));
        ASSERT_NEAR(static_cast<double>(c[i]), sum, bound);
      }
      const std::vector<float> result(c.data(), c.data() + c.size());
      if (of_first_level.size() <= which) of_first_level.push_back(result);
      for (size_t i = 0; i < result.size(); ++i) {
        ASSERT_NEAR(result[i], of_first_level[which][i], 1e-6f * (1 + std::abs(result[i])));
      }
    }
  });
}

TEST(low_precision, a_dot_product_of_extreme_bytes_does_not_saturate) {
  for_each_level([](const KernelTable& table) {
    // 255 * 127 in all places: 16-bit pair sums would overflow.
    GuardedFloats a(1 * 64, 255.0f), b(64 * 1, 127.0f), c(1);
    const PackedS8 packed = pack_s8(table, b.data(), 64, 1, 1, 1);
    FloatBuffer scratch(s8_scratch_bytes(1, 64) / sizeof(float) + 1);
    multiply_s8(table, {}, a.data(), 1, packed, c.data(), 1, {}, scratch.data());
    EXPECT_FLOAT_EQ(c[0], 64.0f * 255.0f * 127.0f);
  });
}

TEST(low_precision, a_row_with_nan_or_infinity_gives_nan_and_others_stay) {
  for_each_level([](const KernelTable& table) {
    GuardedFloats a(3 * 20, 0.5f), b(20 * 5, 0.25f), c(3 * 5);
    a[7] = NAN;
    a[2 * 20 + 19] = INFINITY;
    const PackedS8 packed = pack_s8(table, b.data(), 20, 5, 5, 1);
    FloatBuffer scratch(s8_scratch_bytes(3, 20) / sizeof(float) + 1);
    multiply_s8(table, {}, a.data(), 3, packed, c.data(), 5, {}, scratch.data());
    for (size_t i = 0; i < 15; ++i) EXPECT_EQ(std::isnan(c[i]), i / 5 != 1);
  });
}

TEST(low_precision_Thread, products_split_over_threads_are_those_of_one) {
  ThreadPool pool(3);
  for_each_level([&pool](const KernelTable& table) {
    GuardedFloats a(100 * 200), b(200 * 300), one(100 * 300), three(100 * 300);
    Numbers numbers(1);
    numbers.fill(a);
    numbers.fill(b);
    const PackedS8 s8 = pack_s8(table, b.data(), 200, 300, 300, 1);
    const PackedBf16 bf16 = pack_bf16(table, b.data(), 200, 300, 300, 1);
    FloatBuffer scratch(100 * 200);
    multiply_s8(table, {}, a.data(), 100, s8, one.data(), 300, {}, scratch.data());
    multiply_s8(table, {&pool, 3}, a.data(), 100, s8, three.data(), 300, {}, scratch.data());
    for (size_t i = 0; i < one.size(); ++i) ASSERT_EQ(one[i], three[i]);
    multiply_bf16(table, {}, a.data(), 100, bf16, one.data(), 300, {}, scratch.data());
    multiply_bf16(table, {&pool, 3}, a.data(), 100, bf16, three.data(), 300, {}, scratch.data());
    for (size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], three[i], 1e-4);
  });
}

TEST(conv_bf16, convolutions_match_plain_loops_over_rounded_values) {
  ThreadPool pool(2);
  for_each_level([&pool](const KernelTable& table) {
    const auto round = [&table](GuardedFloats& values) {
      std::vector<uint16_t> bits(values.size());
      table.low_precision->to_bf16(values.data(), bits.data(), bits.size());
      for (size_t i = 0; i < bits.size(); ++i) values[i] = static_cast<float>(bf16_value(bits[i]));
    };
    const ConvSizes shapes[] = {
        {.in_h = 5, .in_w = 7, .in_c = 9, .out_h = 5, .out_w = 7, .out_c = 50},
        {.batch = 2, .in_h = 6, .in_w = 9, .in_c = 11, .out_h = 3, .out_w = 5, .out_c = 13, .kernel_h = 3, .kernel_w = 3,
         .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1},
        {.in_h = 40, .in_w = 30, .in_c = 16, .out_h = 40, .out_w = 30, .out_c = 8, .kernel_h = 3, .kernel_w = 3,
         .dilation_h = 2, .dilation_w = 2, .pad_top = 2, .pad_left = 2},
        {.in_h = 8, .in_w = 8, .in_c = 8, .out_h = 4, .out_w = 4, .out_c = 3, .stride_h = 2, .stride_w = 2}};
    for (const ConvSizes& s : shapes) {
      ASSERT_TRUE(conv_bf16_applies(s));
      Numbers numbers(s.in_c);
      const size_t outputs = s.pixels() * s.out_c;
      GuardedFloats input(s.batch * s.in_h * s.in_w * s.in_c), weights(s.out_c * s.in_c * s.taps());
      GuardedFloats bias(s.out_c), residual(outputs), got(outputs, NAN), want(outputs, NAN);
      numbers.fill(input);
      numbers.fill(weights);
      numbers.fill(bias);
      numbers.fill(residual);
      Epilogue e;
      e.bias = bias.data();
      e.residual = residual.data();
      e.residual_stride = s.out_c;
      e.activation = Activation::kRelu;
      for (const int threads : {1, 2}) {
        const Workers workers{&pool, threads};
        const PackedBf16 packed = pack_conv_bf16(table, s, weights.data());
        FloatBuffer scratch(conv_bf16_scratch_bytes(s, threads) / sizeof(float) + 1);
        convolve_bf16(table, workers, s, packed, input.data(), got.data(), e, scratch.data());
        GuardedFloats x(input.size()), w(weights.size());
        std::copy_n(input.data(), input.size(), x.data());
        std::copy_n(weights.data(), weights.size(), w.data());
        round(x);
        round(w);
        const PackedConv plain = pack_conv(table, {}, s, ConvAlgorithm::kIndirect, w.data());
        FloatBuffer plain_scratch(conv_scratch_floats(table, s, ConvAlgorithm::kIndirect, 1));
        convolve_nhwc(table, {}, s, plain, x.data(), want.data(), e, plain_scratch.data());
        for (size_t i = 0; i < outputs; ++i) ASSERT_NEAR(got[i], want[i], 1e-4) << i << ", " << threads << " threads";
      }
    }
  });
}

}  // namespace
}  // namespace lanthorn
