#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "kernels/kernel_testing.h"

namespace lanthorn {
namespace {

const std::vector<size_t> kSizes = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 257};

double d(float x) { return static_cast<double>(x); }

// Relative to the value, with an absolute part for functions that are computed as a ratio or a
// difference of numbers near 1 (see simd_math.h).
void expect_near(float got, double want, double relative, double absolute) {
  EXPECT_TRUE(close(d(got), want, relative * std::abs(want) + absolute))
      << got << " instead of " << want;
}

TEST(elementwise, activations_match_their_formulas_and_propagate_nan) {
  for_each_level([](const KernelTable& table) {
    for (int a = 0; a <= static_cast<int>(Activation::kGeluTanh); ++a) {
      const auto activation = static_cast<Activation>(a);
      SCOPED_TRACE("activation " + std::to_string(a));
      const float alpha = activation == Activation::kSilu ? 1.0f : -0.3f;
      for (const size_t n : kSizes) {
        GuardedFloats x(n), y(n);
        Numbers numbers(n);
        numbers.fill(x, -12.0f, 12.0f);
        table.elementwise->activate(activation, alpha, 0.7f, x.data(), y.data(), n);
        for (size_t i = 0; i < n; ++i) {
          const double want = plain_activation(activation, d(alpha), d(0.7f), d(x[i]));
          expect_near(y[i], want, 1e-6, 1e-6 * std::max(1.0, std::abs(d(x[i]))));
        }
      }
      GuardedFloats special(3), y(3);
      special[0] = special[1] = special[2] = NAN;
      table.elementwise->activate(activation, alpha, 0.7f, special.data(), y.data(), 3);
      for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y[i]));
    }
  });
}

struct UnaryCase {
  Unary op;
  double (*plain)(double);
  float low, high;
  double relative, absolute;
};

TEST(elementwise, unary_functions_match_the_standard_library) {
  const UnaryCase cases[] = {
      {Unary::kAbs, [](double v) { return std::abs(v); }, -5, 5, 0, 0},
      {Unary::kNeg, [](double v) { return -v; }, -5, 5, 0, 0},
      {Unary::kExp, [](double v) { return std::exp(v); }, -80, 80, 3e-7, 0},
      {Unary::kLog, [](double v) { return std::log(v); }, 1e-6f, 100, 2e-7, 1e-7},
      {Unary::kSqrt, [](double v) { return std::sqrt(v); }, 0, 100, 1e-7, 0},
      {Unary::kReciprocal, [](double v) { return 1 / v; }, 0.1f, 100, 1e-7, 0},
      {Unary::kErf, [](double v) { return std::erf(v); }, -5, 5, 1e-6, 4e-7},
      {Unary::kFloor, [](double v) { return std::floor(v); }, -5, 5, 0, 0},
      {Unary::kCeil, [](double v) { return std::ceil(v); }, -5, 5, 0, 0},
      {Unary::kSquare, [](double v) { return v * v; }, -5, 5, 1e-7, 0},
  };
  for_each_level([&cases](const KernelTable& table) {
    for (const UnaryCase& c : cases) {
      SCOPED_TRACE("function " + std::to_string(static_cast<int>(c.op)));
      for (const size_t n : kSizes) {
        GuardedFloats x(n), y(n);
        Numbers numbers(n + 1);
        numbers.fill(x, c.low, c.high);
        table.elementwise->unary(c.op, x.data(), y.data(), n);
        for (size_t i = 0; i < n; ++i) expect_near(y[i], c.plain(d(x[i])), c.relative, c.absolute);
      }
    }
  });
}

TEST(elementwise, exp_and_log_of_special_values_are_those_of_the_standard_library) {
  for_each_level([](const KernelTable& table) {
    const std::vector<float> values = {0.0f,   -0.0f, 1.0f,   88.5f,  89.5f,   200.0f,   -87.0f,
                                       -95.0f, -103.0f, -110.0f, INFINITY, -INFINITY, NAN,
                                       1e-40f, 3e38f, -1.0f};
    GuardedFloats x(values.size()), y(values.size());
    std::copy(values.begin(), values.end(), x.data());
    table.elementwise->unary(Unary::kExp, x.data(), y.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      // Denormal results have fewer bits: one unit of theirs is 1.4e-45.
      const float want = std::exp(x[i]);
      EXPECT_TRUE(close(d(y[i]), d(want), 3e-7 * d(want) + 3e-45)) << "exp " << x[i] << " " << y[i];
    }
    table.elementwise->unary(Unary::kLog, x.data(), y.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const float want = std::log(x[i]);
      EXPECT_TRUE(close(d(y[i]), d(want), 3e-7 * std::abs(d(want)))) << "log " << x[i] << " " << y[i];
    }
  });
}

TEST(elementwise, binary_functions_match_for_arrays_and_numbers_on_both_sides) {
  const auto plain = [](Binary op, float a, float b) -> float {
    switch (op) {
      case Binary::kAdd: return a + b;
      case Binary::kSub: return a - b;
      case Binary::kMul: return a * b;
      case Binary::kDiv: return a / b;
      case Binary::kMax: return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
      case Binary::kMin: return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
    }
    return 0.0f;
  };
  for_each_level([&plain](const KernelTable& table) {
    for (int o = 0; o <= static_cast<int>(Binary::kMin); ++o) {
      const auto op = static_cast<Binary>(o);
      for (const size_t n : kSizes) {
        GuardedFloats a(n), b(n), y(n);
        Numbers numbers(n + 5);
        numbers.fill(a);
        numbers.fill(b);
        if (n > 3) a[n / 2] = b[n / 3] = NAN;
        const auto check = [&](const std::function<float(size_t)>& want) {
          for (size_t i = 0; i < n; ++i) ASSERT_TRUE(close(d(y[i]), d(want(i)), 0.0)) << i;
        };
        table.elementwise->binary(op, a.data(), b.data(), y.data(), n);
        check([&](size_t i) { return plain(op, a[i], b[i]); });
        table.elementwise->binary_scalar(op, a.data(), 0.25f, false, y.data(), n);
        check([&](size_t i) { return plain(op, a[i], 0.25f); });
        table.elementwise->binary_scalar(op, a.data(), 0.25f, true, y.data(), n);
        check([&](size_t i) { return plain(op, 0.25f, a[i]); });
      }
    }
  });
}

TEST(rows, softmax_sums_to_one_and_matches_for_rows_and_columns) {
  for_each_level([](const KernelTable& table) {
    for (const bool log : {false, true}) {
      for (const size_t n : kSizes) {
        if (n == 0) continue;
        const size_t rows = 3;
        GuardedFloats x(rows * n), y(rows * n), columns(rows * n), z(rows * n), scratch(2 * rows);
        Numbers numbers(n);
        numbers.fill(x, -20.0f, 20.0f);
        if (n > 2) x[n] = -INFINITY;  // a masked value
        for (size_t i = 0; i < x.size(); ++i) columns[i % n * rows + i / n] = x[i];
        table.rows->softmax(x.data(), y.data(), rows, n, log);
        table.rows->softmax_columns(columns.data(), z.data(), n, rows, log, scratch.data());
        for (size_t r = 0; r < rows; ++r) {
          double most = -INFINITY, sum = 0;
          for (size_t i = 0; i < n; ++i) most = std::max(most, d(x[r * n + i]));
          for (size_t i = 0; i < n; ++i) sum += std::exp(d(x[r * n + i]) - most);
          for (size_t i = 0; i < n; ++i) {
            const double shifted = d(x[r * n + i]) - most;
            const double want = log ? shifted - std::log(sum) : std::exp(shifted) / sum;
            expect_near(y[r * n + i], want, 2e-6, 1e-7);
            expect_near(z[i * rows + r], want, 2e-6, 1e-7);
          }
        }
      }
    }
  });
}

TEST(rows, softmax_of_a_row_with_nan_is_nan_and_other_rows_are_not) {
  for_each_level([](const KernelTable& table) {
    GuardedFloats x(3 * 21, 1.0f), y(3 * 21);
    x[21 + 19] = NAN;
    table.rows->softmax(x.data(), y.data(), 3, 21, false);
    for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i / 21 == 1);
  });
}

TEST(rows, normalizations_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    for (const size_t n : kSizes) {
      if (n == 0) continue;
      const size_t rows = 3;
      GuardedFloats x(rows * n), residual(rows * n), scale(n), shift(n), y(rows * n), sum(rows * n),
          rms(rows * n), mean_out(rows), inverse_out(rows);
      Numbers numbers(n);
      numbers.fill(x, -3.0f, 5.0f);
      numbers.fill(residual);
      numbers.fill(scale);
      numbers.fill(shift);
      const bool has_residual = n % 2 == 1;
      table.rows->layer_norm(
          {x.data(), has_residual ? residual.data() : nullptr, scale.data(),
           n % 3 == 0 ? nullptr : shift.data(), 1e-5f, y.data(),
           has_residual ? sum.data() : nullptr, mean_out.data(), inverse_out.data()},
          rows, n);
      table.rows->rms_norm(x.data(), scale.data(), 1e-5f, rms.data(), rows, n);
      for (size_t r = 0; r < rows; ++r) {
        std::vector<double> v(n);
        double mean = 0, variance = 0, squares = 0;
        for (size_t i = 0; i < n; ++i) {
          v[i] = d(x[r * n + i]) + (has_residual ? d(residual[r * n + i]) : 0.0);
          mean += v[i] / static_cast<double>(n);
          squares += d(x[r * n + i]) * d(x[r * n + i]) / static_cast<double>(n);
        }
        for (size_t i = 0; i < n; ++i) {
          variance += (v[i] - mean) * (v[i] - mean) / static_cast<double>(n);
        }
        const double inverse = 1 / std::sqrt(variance + 1e-5);
        expect_near(mean_out[r], mean, 1e-6, 1e-6);
        // Rounding of the mean moves a tiny variance (one value: none) against epsilon.
        expect_near(inverse_out[r], inverse, 1e-5, 0);
        for (size_t i = 0; i < n; ++i) {
          const double add = n % 3 == 0 ? 0.0 : d(shift[i]);
          expect_near(y[r * n + i], (v[i] - mean) * inverse * d(scale[i]) + add, 1e-5, 5e-6);
          expect_near(rms[r * n + i], d(x[r * n + i]) * d(scale[i]) / std::sqrt(squares + 1e-5),
                      2e-6, 1e-7);
          if (has_residual) expect_near(sum[r * n + i], v[i], 1e-7, 1e-7);
        }
      }
    }
  });
}

TEST(rows, reductions_of_rows_and_columns_match_plain_loops) {
  for_each_level([](const KernelTable& table) {
    for (int o = 0; o <= static_cast<int>(Reduction::kSumSquare); ++o) {
      const auto op = static_cast<Reduction>(o);
      SCOPED_TRACE("reduction " + std::to_string(o));
      for (const size_t n : {1, 2, 5, 16, 49, 130}) {
        for (const size_t rows : {1, 3, 16, 70}) {
          GuardedFloats x(rows * n), y(rows), columns(rows * n), z(rows);
          Numbers numbers(n + rows);
          numbers.fill(x);
          if (rows == 3) x[n + n / 2] = NAN;
          for (size_t i = 0; i < x.size(); ++i) columns[i % n * rows + i / n] = x[i];
          table.rows->reduce_rows(op, x.data(), y.data(), rows, n);
          table.rows->reduce_columns(op, columns.data(), z.data(), n, rows);
          for (size_t r = 0; r < rows; ++r) {
            double want = op == Reduction::kMax ? -INFINITY : op == Reduction::kMin ? INFINITY : 0;
            for (size_t i = 0; i < n; ++i) {
              const double v = d(x[r * n + i]);
              if (op == Reduction::kMax) want = std::isnan(v) || v > want ? v : want;
              if (op == Reduction::kMin) want = std::isnan(v) || v < want ? v : want;
              if (op == Reduction::kSum) want += v;
              if (op == Reduction::kMean) want += v / static_cast<double>(n);
              if (op == Reduction::kSumSquare) want += v * v;
            }
            expect_near(y[r], want, 1e-6, 1e-5);
            expect_near(z[r], want, 1e-6, 1e-5);
          }
        }
      }
    }
  });
}

TEST(rows, pooling_windows_match_plain_loops_and_propagate_nan) {
  for_each_level([](const KernelTable& table) {
    for (const size_t channels : kSizes) {
      GuardedFloats x(9 * channels), most(channels), sum(channels);
      Numbers numbers(channels);
      numbers.fill(x);
      if (channels > 1) x[4 * channels + 1] = NAN;
      const float* taps[9];
      for (size_t t = 0; t < 9; ++t) taps[t] = x.data() + t * channels;
      for (const size_t count : {1, 4, 9}) {
        table.rows->max_of_taps(taps, count, most.data(), channels);
        table.rows->sum_of_taps(taps, count, 0.5f, sum.data(), channels);
        for (size_t c = 0; c < channels; ++c) {
          double want = -INFINITY, total = 0;
          for (size_t t = 0; t < count; ++t) {
            const double v = d(x[t * channels + c]);
            total += v;
            want = std::isnan(want) || want > v ? want : v;
          }
          if (std::isnan(total)) want = NAN;
          expect_near(most[c], want, 0, 0);
          expect_near(sum[c], total / 2, 1e-6, 1e-6);
        }
      }
    }
  });
}

TEST(rows, transposed_blocks_of_any_size_match) {
  for_each_level([](const KernelTable& table) {
    for (const size_t rows : {1, 2, 3, 4, 5, 9, 16, 33}) {
      for (const size_t columns : {1, 2, 3, 4, 7, 8, 16, 17, 40}) {
        for (const size_t extra : {0, 3}) {
          GuardedFloats x((rows - 1) * (columns + extra) + columns);
          GuardedFloats y((columns - 1) * (rows + extra) + rows, -1.0f);
          Numbers(rows).fill(x);
          table.rows->transpose(x.data(), columns + extra, rows, columns, y.data(), rows + extra);
          for (size_t i = 0; i < y.size(); ++i) {
            const size_t row = i % (rows + extra), column = i / (rows + extra);
            ASSERT_EQ(y[i], row < rows ? x[row * (columns + extra) + column] : -1.0f);
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace lanthorn
