#include <gtest/gtest.h>

#include <cmath>

#include "ops/fourier_shared.h"

namespace lanthorn {
namespace {

std::vector<Complex> by_definition(const std::vector<Complex>& x) {
  std::vector<Complex> y(x.size());
  for (size_t k = 0; k < x.size(); ++k) {
    for (size_t n = 0; n < x.size(); ++n) {
      const double angle =
          -2 * M_PI * static_cast<double>(k * n % x.size()) / static_cast<double>(x.size());
      const Complex term = x[n] * Complex{std::cos(angle), std::sin(angle)};
      y[k] = {y[k].real + term.real, y[k].imaginary + term.imaginary};
    }
  }
  return y;
}

TEST(fourier, is_the_sum_that_defines_it_at_every_length) {
  for (size_t length = 1; length <= 40; ++length) {
    std::vector<Complex> x;
    for (size_t i = 0; i < length; ++i)
      x.push_back({std::sin(1.0 + static_cast<double>(i * i)), 0.25 * static_cast<double>(i % 7)});
    const std::vector<Complex> want = by_definition(x);
    std::vector<Complex> got = x;
    Fourier(length, false).run(got);
    for (size_t i = 0; i < length; ++i) {
      EXPECT_NEAR(got[i].real, want[i].real, 1e-10) << length;
      EXPECT_NEAR(got[i].imaginary, want[i].imaginary, 1e-10) << length;
    }
    Fourier(length, true).run(got);
    for (size_t i = 0; i < length; ++i) EXPECT_NEAR(got[i].real, x[i].real, 1e-12) << length;
  }
}

}  // namespace
}  // namespace lanthorn
