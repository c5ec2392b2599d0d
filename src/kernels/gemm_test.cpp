#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include "kernels/kernel_testing.h"

namespace lanthorn {
namespace {

struct Product {
  size_t m, k, n;
  bool transposed = false, bias = false, residual = false;
  Activation activation = Activation::kNone;
};

// Sums of k products of values below 1: each addition rounds by at most 2^-24 of a partial sum below
// k, in any order; typical errors grow with sqrt(k), so this bound is loose and still finds every
// wrong or missing term, which is of the order of 1.
double sum_bound(size_t k) { return 2e-6 + 1e-6 * std::sqrt(static_cast<double>(k) + 1.0); }

void check_product(const KernelTable& table, const Workers& workers, const Product& p,
                   uint64_t seed) {
  SCOPED_TRACE("product " + sizes_text({p.m, p.k, p.n}));
  Numbers numbers(seed);
  GuardedFloats a(p.m * p.k), b(p.k * p.n), c(p.m * p.n, NAN), bias(p.n), residual(p.m * p.n);
  numbers.fill(a);
  numbers.fill(b);
  numbers.fill(bias);
  numbers.fill(residual);
  const size_t k_stride = p.transposed ? 1 : p.n, n_stride = p.transposed ? p.k : 1;
  const PackedMatrix packed = pack_matrix(table, workers, b.data(), p.k, p.n, k_stride, n_stride);
  Epilogue e;
  e.bias = p.bias ? bias.data() : nullptr;
  e.residual = p.residual ? residual.data() : nullptr;
  e.residual_stride = p.n;
  e.activation = p.activation;
  e.alpha = p.activation == Activation::kSilu ? 1.0f : 0.25f;
  e.beta = 0.75f;
  multiply(table, workers, a.data(), p.k, p.m, packed, c.data(), p.n, e);
  for (size_t i = 0; i < p.m; ++i) {
    for (size_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (size_t k = 0; k < p.k; ++k) {
        sum += static_cast<double>(a[i * p.k + k]) *
               static_cast<double>(b[k * k_stride + j * n_stride]);
      }
      if (p.bias) sum += static_cast<double>(bias[j]);
      if (p.residual) sum += static_cast<double>(residual[i * p.n + j]);
      const double want = plain_activation(p.activation, static_cast<double>(e.alpha),
                                           static_cast<double>(e.beta), sum);
      const double got = static_cast<double>(c[i * p.n + j]);
      ASSERT_TRUE(close(got, want, 1.2 * sum_bound(p.k)))
          << "row " << i << " column " << j << ": " << got << " instead of " << want;
    }
  }
}

TEST(gemm, products_of_all_sizes_around_the_tiles_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    uint64_t seed = 1;
    for (const size_t m : {0, 1, 2, 3, 5, 7, 11, 13, 14, 15, 17, 27, 29}) {
      for (const size_t k : {0, 1, 3, 8, 31}) {
        for (const size_t n : {1, 4, 8, 15, 16, 17, 24, 33, 48, 63, 65, 100}) {
          check_product(table, {}, {m, k, n, seed % 2 == 0, seed % 3 == 0, seed % 5 == 0}, seed);
          if (testing::Test::HasFatalFailure()) return;
          ++seed;
        }
      }
    }
  });
}

TEST(gemm, long_sums_are_split_into_blocks_and_stay_right) {
  for_each_level([](const KernelTable& table) {
    for (const size_t k : {511, 512, 513, 1023, 1025, 2300}) {
      for (const size_t m : {1, 4, 19}) {
        check_product(table, {}, {m, k, 37, false, true, true, Activation::kRelu}, k + m);
      }
    }
  });
}

TEST(gemm, every_activation_is_applied_after_bias_and_residual) {
  for_each_level([](const KernelTable& table) {
    for (int i = 0; i <= static_cast<int>(Activation::kGeluTanh); ++i) {
      for (const size_t n : {16, 21, 64}) {
        check_product(table, {}, {9, 20, n, false, true, true, static_cast<Activation>(i)}, n);
      }
    }
  });
}

TEST(gemm_Thread, products_split_over_threads_match_plain_loops) {
  ThreadPool pool(4);
  for_each_level([&pool](const KernelTable& table) {
    for (const int threads : {2, 3, 4}) {
      check_product(table, {&pool, threads}, {150, 64, 130, false, true}, 1);
      check_product(table, {&pool, threads}, {1, 700, 900, false, true}, 2);
      check_product(table, {&pool, threads}, {9, 300, 200, true, false, true}, 3);
    }
  });
}

TEST(gemm, nan_and_infinity_reach_the_outputs_that_plain_loops_give_them) {
  for_each_level([](const KernelTable& table) {
    for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kClip}) {
      GuardedFloats a(13 * 7, 0.5f), b(7 * 20, 0.25f), c(13 * 20);
      a[2 * 7 + 3] = NAN;
      a[5 * 7 + 6] = INFINITY;
      const PackedMatrix packed = pack_matrix(table, {}, b.data(), 7, 20, 20, 1);
      Epilogue e;
      e.activation = act;
      e.alpha = -1.0f;
      e.beta = INFINITY;
      multiply(table, {}, a.data(), 7, 13, packed, c.data(), 20, e);
      for (size_t i = 0; i < 13; ++i) {
        for (size_t j = 0; j < 20; ++j) {
          if (i == 2) {
            EXPECT_TRUE(std::isnan(c[i * 20 + j]));
          } else if (i == 5) {
            EXPECT_EQ(c[i * 20 + j], INFINITY);
          } else {
            EXPECT_FLOAT_EQ(c[i * 20 + j], 0.875f);
          }
        }
      }
    }
  });
}

TEST(gemm, rows_may_be_longer_than_the_matrix_and_what_lies_between_is_kept) {
  for_each_level([](const KernelTable& table) {
    GuardedFloats a(5 * 9 - 2, 1.0f), b(7 * 10, 1.0f), c(5 * 12 - 2, -3.0f);
    const PackedMatrix packed = pack_matrix(table, {}, b.data(), 7, 10, 10, 1);
    multiply(table, {}, a.data(), 9, 5, packed, c.data(), 12, {});
    for (size_t i = 0; i < c.size(); ++i) EXPECT_EQ(c[i], i % 12 < 10 ? 7.0f : -3.0f);
  });
}

TEST(gemm, products_of_small_unpacked_matrices_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    Numbers numbers(7);
    for (int round = 0; round < 200; ++round) {
      BatchedGemm p;
      p.b_transposed = round % 2 == 1;
      p.batch = numbers.below(4);
      const size_t m = numbers.below(20), n = numbers.below(70), k = numbers.below(40);
      SCOPED_TRACE("product " + sizes_text({p.batch, m, k, n}));
      GuardedFloats a(p.batch * m * k), b(p.batch * k * n), c(p.batch * m * n, NAN);
      numbers.fill(a);
      numbers.fill(b);
      p.one = {a.data(), k, b.data(), p.b_transposed ? k : n, c.data(), n, m, n, k, 0.5f};
      p.a_step = m * k;
      p.b_step = k * n;
      p.c_step = m * n;
      multiply_batched(table, {}, p);
      for (size_t i = 0; i < c.size(); ++i) {
        const size_t batch = i / (m * n), row = i / n % m, column = i % n;
        double sum = 0;
        for (size_t x = 0; x < k; ++x) {
          const size_t at = p.b_transposed ? column * k + x : x * n + column;
          sum += static_cast<double>(a[batch * m * k + row * k + x]) *
                 static_cast<double>(b[batch * k * n + at]);
        }
        ASSERT_NEAR(static_cast<double>(c[i]), sum / 2, sum_bound(k));
      }
    }
  });
}

TEST(gemm, a_split_covers_every_tile_and_feeds_all_threads) {
  for (const size_t threads : {2, 4, 8}) {
    for (const size_t m : {1, 49, 196, 784, 3136}) {
      for (const size_t panels : {1, 2, 4, 16, 64}) {
        const GemmSplit split = split_gemm(m, 1024, panels, 64, 6, threads);
        ASSERT_GT(split.rows, 0u);
        ASSERT_GT(split.panels, 0u);
        const size_t parts =
            (m + split.rows - 1) / split.rows * ((panels + split.panels - 1) / split.panels);
        if (m * panels >= 16 * threads) {
          EXPECT_GE(parts * 4, threads * 3) << m << " x " << panels;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lanthorn
