#include "kernels/conv.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/kernel_testing.h"

namespace lanthorn {
namespace {

struct Extra {
  bool bias = true, residual = false;
  Activation activation = Activation::kNone;
  size_t pad_bottom = 0, pad_right = 0;
};

ConvSizes with_outputs(ConvSizes s, size_t pad_bottom, size_t pad_right) {
  const size_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1;
  const size_t reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
  s.out_h = (s.in_h + s.pad_top + pad_bottom - reach_h) / s.stride_h + 1;
  s.out_w = (s.in_w + s.pad_left + pad_right - reach_w) / s.stride_w + 1;
  return s;
}

std::string text_of(const ConvSizes& s) {
  return sizes_text({s.batch, s.in_h, s.in_w, s.in_c}) + " to " +
         sizes_text({s.out_h, s.out_w, s.out_c}) + ", kernel " +
         sizes_text({s.kernel_h, s.kernel_w}) + " stride " + sizes_text({s.stride_h, s.stride_w}) +
         " dilation " + sizes_text({s.dilation_h, s.dilation_w}) + " pad " +
         sizes_text({s.pad_top, s.pad_left}) + " groups " + std::to_string(s.groups);
}

double plain_sum(const ConvSizes& s, const GuardedFloats& input, const GuardedFloats& weights,
                 size_t image, size_t y, size_t x, size_t o) {
  const size_t in = s.group_in();
  const size_t group = o / s.group_out();
  double sum = 0;
  for (size_t ky = 0; ky < s.kernel_h; ++ky) {
    const size_t in_y = y * s.stride_h + ky * s.dilation_h;
    if (in_y < s.pad_top || in_y - s.pad_top >= s.in_h) continue;
    for (size_t kx = 0; kx < s.kernel_w; ++kx) {
      const size_t in_x = x * s.stride_w + kx * s.dilation_w;
      if (in_x < s.pad_left || in_x - s.pad_left >= s.in_w) continue;
      for (size_t i = 0; i < in; ++i) {
        const size_t at = ((image * s.in_h + in_y - s.pad_top) * s.in_w + in_x - s.pad_left) *
                              s.in_c + group * in + i;
        sum += static_cast<double>(input[at]) *
               static_cast<double>(weights[((o * in + i) * s.kernel_h + ky) * s.kernel_w + kx]);
      }
    }
  }
  return sum;
}

void check_conv(const KernelTable& table, const Workers& workers, const ConvSizes& s,
                ConvAlgorithm algorithm, const Extra& extra, uint64_t seed) {
  SCOPED_TRACE(std::string(conv_algorithm_name(algorithm)) + " " + text_of(s));
  Numbers numbers(seed);
  const size_t outputs = s.pixels() * s.out_c;
  GuardedFloats input(s.batch * s.in_h * s.in_w * s.in_c);
  GuardedFloats weights(s.out_c * s.group_in() * s.taps());
  GuardedFloats bias(s.out_c), residual(outputs), output(outputs, NAN);
  numbers.fill(input);
  numbers.fill(weights);
  numbers.fill(bias);
  numbers.fill(residual);
  const PackedConv packed = pack_conv(table, workers, s, algorithm, weights.data());
  FloatBuffer scratch(conv_scratch_floats(table, s, algorithm, workers.count()));
  Epilogue e;
  e.bias = extra.bias ? bias.data() : nullptr;
  e.residual = extra.residual ? residual.data() : nullptr;
  e.residual_stride = s.out_c;
  e.activation = extra.activation;
  e.alpha = 0.0f;
  e.beta = 6.0f;
  convolve_nhwc(table, workers, s, packed, input.data(), output.data(), e, scratch.data());
  // Sums of k products below 1 are of the order of sqrt(k). A direct sum rounds each addition;
  // Winograd F4's constants multiply that by up to about 30 in a tile's last pixel, and by about 1 in
  // the mean of squares, which is therefore the sharper test of the two.
  const double k = static_cast<double>(s.group_in() * s.taps());
  const bool winograd =
      algorithm == ConvAlgorithm::kWinograd4 || algorithm == ConvAlgorithm::kWinograd2;
  const double bound = (winograd ? 3e-5 : 1e-6) * std::sqrt(k) + 2e-6;
  double squares = 0.0;
  for (size_t i = 0; i < outputs; ++i) {
    const size_t pixel = i / s.out_c, o = i % s.out_c;
    double sum = plain_sum(s, input, weights, pixel / s.out_w / s.out_h, pixel / s.out_w % s.out_h,
                           pixel % s.out_w, o);
    if (extra.bias) sum += static_cast<double>(bias[o]);
    if (extra.residual) sum += static_cast<double>(residual[i]);
    const double want = plain_activation(extra.activation, 0.0, 6.0, sum);
    ASSERT_TRUE(close(static_cast<double>(output[i]), want, bound))
        << "pixel " << pixel << " channel " << o << ": " << output[i] << " instead of " << want;
    squares += (static_cast<double>(output[i]) - want) * (static_cast<double>(output[i]) - want);
  }
  if (outputs > 0 && std::isfinite(squares)) {
    ASSERT_LT(std::sqrt(squares / static_cast<double>(outputs)), 2e-6 * std::sqrt(k) + 5e-7);
  }
}

ConvSizes random_shape(Numbers& numbers, Extra* extra) {
  ConvSizes s;
  s.batch = 1 + numbers.below(2);
  s.groups = numbers.below(3) == 0 ? 1 + numbers.below(4) : 1;
  s.in_c = s.groups * (1 + numbers.below(numbers.below(3) == 0 ? 40 : 7));
  s.out_c = s.groups * (1 + numbers.below(numbers.below(3) == 0 ? 70 : 20));
  s.kernel_h = 1 + numbers.below(4);
  s.kernel_w = 1 + numbers.below(4);
  s.stride_h = 1 + numbers.below(3);
  s.stride_w = 1 + numbers.below(3);
  s.dilation_h = 1 + numbers.below(2);
  s.dilation_w = 1 + numbers.below(2);
  s.pad_top = numbers.below(3);
  s.pad_left = numbers.below(3);
  extra->pad_bottom = numbers.below(3);
  extra->pad_right = numbers.below(3);
  s.in_h = (s.kernel_h - 1) * s.dilation_h + 1 + numbers.below(12);
  s.in_w = (s.kernel_w - 1) * s.dilation_w + 1 + numbers.below(20);
  extra->bias = numbers.below(2) == 0;
  extra->residual = numbers.below(3) == 0;
  extra->activation = numbers.below(2) == 0 ? Activation::kRelu : Activation::kNone;
  return with_outputs(s, extra->pad_bottom, extra->pad_right);
}

TEST(conv, random_shapes_match_plain_loops_with_the_chosen_and_the_general_algorithm) {
  for_each_level([](const KernelTable& table) {
    Numbers numbers(3);
    for (uint64_t round = 0; round < 250; ++round) {
      Extra extra;
      const ConvSizes s = random_shape(numbers, &extra);
      check_conv(table, {}, s, choose_conv(s), extra, round);
      if (round % 3 == 0) check_conv(table, {}, s, ConvAlgorithm::kIndirect, extra, round);
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(conv, stems_with_few_channels_and_patches_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    const Extra extra{.activation = Activation::kRelu};
    const auto check = [&](ConvSizes s, size_t pad) {
      s.pad_top = s.pad_left = pad;
      s = with_outputs(s, pad, pad);
      EXPECT_EQ(choose_conv(s), ConvAlgorithm::kRows);
      check_conv(table, {}, s, ConvAlgorithm::kRows, extra, s.in_h);
    };
    const auto stem = [](size_t size, size_t out, size_t kernel, size_t stride) {
      return ConvSizes{.in_h = size, .in_w = size, .in_c = 3, .out_c = out, .kernel_h = kernel,
                       .kernel_w = kernel, .stride_h = stride, .stride_w = stride};
    };
    check(stem(37, 64, 7, 2), 3);
    check(stem(33, 32, 3, 2), 1);
    check(stem(34, 24, 3, 2), 1);
    check(stem(20, 64, 3, 1), 1);
    check(stem(40, 96, 4, 4), 0);
    check(stem(160, 50, 16, 16), 0);
  });
}

TEST(conv, depthwise_kernels_of_all_sizes_strides_and_channel_counts_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    uint64_t seed = 0;
    for (const size_t kernel : {1, 2, 3, 5, 7}) {
      for (const size_t stride : {1, 2, 3}) {
        for (const size_t channels : {2, 8, 16, 19, 48, 65}) {
          for (const size_t pad : {size_t{0}, kernel / 2, kernel}) {
            ConvSizes s{.in_h = kernel + seed % 9, .in_w = kernel + seed % 23, .in_c = channels,
                        .out_c = channels, .kernel_h = kernel, .kernel_w = kernel,
                        .stride_h = stride, .stride_w = stride, .pad_top = pad, .pad_left = pad,
                        .groups = channels};
            s = with_outputs(s, pad, seed % 2 ? pad : 0);
            const Extra extra{.bias = seed % 2 == 0, .residual = seed % 5 == 0,
                              .activation = seed % 3 ? Activation::kClip : Activation::kHardSwish};
            check_conv(table, {}, s, ConvAlgorithm::kDepthwise, extra, ++seed);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

TEST(conv, small_groups_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    uint64_t seed = 0;
    for (const size_t group : {4, 8}) {
      for (const size_t channels : {16, 32, 48}) {
        for (const size_t stride : {1, 2}) {
          for (const size_t kernel : {1, 3}) {
            ConvSizes s{.batch = 1 + seed % 2, .in_h = 5 + seed % 4, .in_w = 9, .in_c = channels,
                        .out_c = channels, .kernel_h = kernel, .kernel_w = kernel,
                        .stride_h = stride, .stride_w = stride, .pad_top = kernel / 2,
                        .pad_left = kernel / 2, .groups = channels / group};
            s = with_outputs(s, kernel / 2, kernel / 2);
            EXPECT_EQ(choose_conv(s), ConvAlgorithm::kGrouped);
            const Extra extra{.bias = seed % 2 == 0, .residual = seed % 3 == 0,
                              .activation = seed % 2 ? Activation::kRelu : Activation::kClip};
            check_conv(table, {}, s, ConvAlgorithm::kGrouped, extra, ++seed);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

TEST(conv, winograd_matches_plain_loops_within_its_bound) {
  for_each_level([](const KernelTable& table) {
    uint64_t seed = 0;
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::kWinograd2, ConvAlgorithm::kWinograd4}) {
      for (const size_t size : {1, 3, 7, 9, 14}) {
        for (const size_t channels : {1, 5, 16, 35}) {
          for (const size_t pad : {0, 1, 2}) {
            if (size + 2 * pad < 3) continue;
            ConvSizes s{.batch = 1 + seed % 2, .in_h = size, .in_w = size + seed % 3,
                        .in_c = channels, .out_c = channels + seed % 13, .kernel_h = 3,
                        .kernel_w = 3, .pad_top = pad, .pad_left = pad};
            s = with_outputs(s, pad, pad);
            const Extra extra{.bias = seed % 2 == 0, .residual = seed % 3 == 0,
                              .activation = seed % 2 ? Activation::kRelu : Activation::kSilu};
            // SiLU's alpha of 0 makes it x / 2.
            check_conv(table, {}, s, algorithm, extra, ++seed);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

// Many channels: their weights are transformed in each run.
TEST(conv, winograd_matches_plain_loops_where_it_transforms_weights_as_it_goes) {
  for_each_level([](const KernelTable& table) {
    uint64_t seed = 0;
    for (const size_t size : {4, 12}) {
      ConvSizes s{.batch = 1 + seed % 2, .in_h = size, .in_w = size + 3, .in_c = 260 + seed % 2, .out_c = 67 + seed,
                  .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1};
      check_conv(table, {}, with_outputs(s, 1, 1), ConvAlgorithm::kWinograd4,
                 {.bias = true, .residual = seed % 2 == 0, .activation = Activation::kRelu}, ++seed);
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(conv, winograd_does_not_spread_infinity_and_nan) {
  for_each_level([](const KernelTable& table) {
   for (const size_t in_c : {size_t{16}, size_t{820}}) {
    ConvSizes s{.in_h = 12, .in_w = 12, .in_c = in_c, .out_c = 20, .kernel_h = 3, .kernel_w = 3,
                .pad_top = 1, .pad_left = 1};
    s = with_outputs(s, 1, 1);
    GuardedFloats input(12 * 12 * in_c, 0.5f), weights(20 * in_c * 9, 0.25f), output(12 * 12 * 20);
    input[(5 * 12 + 5) * in_c + 3] = NAN;
    input[(9 * 12 + 2) * in_c + 1] = INFINITY;
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::kWinograd2, ConvAlgorithm::kWinograd4}) {
      const PackedConv packed = pack_conv(table, {}, s, algorithm, weights.data());
      FloatBuffer scratch(conv_scratch_floats(table, s, algorithm, 1));
      Epilogue e;
      e.activation = Activation::kRelu;
      convolve_nhwc(table, {}, s, packed, input.data(), output.data(), e, scratch.data());
      for (size_t y = 0; y < 12; ++y) {
        for (size_t x = 0; x < 12; ++x) {
          const float got = output[(y * 12 + x) * 20 + 7];
          const bool nan = y >= 4 && y <= 6 && x >= 4 && x <= 6;
          const bool infinite = y >= 8 && y <= 10 && x >= 1 && x <= 3;
          EXPECT_EQ(std::isnan(got), nan) << y << ", " << x;
          EXPECT_EQ(std::isinf(got), infinite) << y << ", " << x;
        }
      }
    }
   }
  });
}

TEST(conv_Thread, all_algorithms_match_plain_loops_on_several_threads) {
  ThreadPool pool(4);
  for_each_level([&pool](const KernelTable& table) {
    for (const int threads : {2, 4}) {
      const Workers workers{&pool, threads};
      Numbers numbers(static_cast<uint64_t>(threads));
      for (uint64_t round = 0; round < 40; ++round) {
        Extra extra;
        ConvSizes s = random_shape(numbers, &extra);
        check_conv(table, workers, s, choose_conv(s), extra, round);
        if (testing::Test::HasFatalFailure()) return;
      }
      for (const size_t size : {7, 14, 40}) {
        for (const ConvAlgorithm a : {ConvAlgorithm::kWinograd2, ConvAlgorithm::kWinograd4,
                                      ConvAlgorithm::kIndirect}) {
          ConvSizes s{.in_h = size, .in_w = size, .in_c = 24, .out_c = 70, .kernel_h = 3,
                      .kernel_w = 3, .pad_top = 1, .pad_left = 1};
          check_conv(table, workers, with_outputs(s, 1, 1), a, {.residual = true}, size);
          if (size != 14 || a != ConvAlgorithm::kWinograd4) continue;
          s.in_c = 250;
          check_conv(table, workers, with_outputs(s, 1, 1), a, {.residual = true}, size);
        }
      }
    }
  });
}

TEST(conv, the_choice_follows_the_shape) {
  const auto choose = [](size_t size, size_t in, size_t out, size_t kernel, size_t stride,
                         size_t groups) {
    ConvSizes s{.in_h = size, .in_w = size, .in_c = in, .out_c = out, .kernel_h = kernel,
                .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .pad_top = kernel / 2,
                .pad_left = kernel / 2, .groups = groups};
    return choose_conv(with_outputs(s, kernel / 2, kernel / 2));
  };
  EXPECT_EQ(choose(56, 64, 256, 1, 1, 1), ConvAlgorithm::kPointwise);
  EXPECT_EQ(choose(56, 256, 512, 1, 2, 1), ConvAlgorithm::kIndirect);
  EXPECT_EQ(choose(224, 3, 64, 7, 2, 1), ConvAlgorithm::kRows);
  EXPECT_EQ(choose(56, 64, 64, 3, 1, 1), ConvAlgorithm::kWinograd4);
  EXPECT_EQ(choose(28, 128, 128, 3, 1, 1), ConvAlgorithm::kWinograd4);
  EXPECT_EQ(choose(14, 256, 256, 3, 1, 1), ConvAlgorithm::kWinograd4);
  EXPECT_EQ(choose(7, 512, 512, 3, 1, 1), ConvAlgorithm::kWinograd2);
  EXPECT_EQ(choose(56, 128, 128, 3, 2, 1), ConvAlgorithm::kIndirect);
  EXPECT_EQ(choose(56, 128, 128, 3, 1, 32), ConvAlgorithm::kGrouped);
  EXPECT_EQ(choose(56, 512, 512, 3, 1, 32), ConvAlgorithm::kIndirect);
  EXPECT_EQ(choose(56, 144, 144, 3, 2, 144), ConvAlgorithm::kDepthwise);
}

}  // namespace
}  // namespace lanthorn
