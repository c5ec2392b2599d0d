#include "graph/dim.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

const Dim h = Dim::symbol("h");
const Dim w = Dim::symbol("w");

TEST(dim, sums_and_products_are_canonical) {
  EXPECT_EQ(h + w, w + h);
  EXPECT_EQ((h + 1) * (h - 1), h * h - 1);
  EXPECT_EQ(h - h, Dim(0));
  EXPECT_EQ((2 * h + 1).text(), "2*h + 1");
  EXPECT_EQ((h * w - 3 * h).text(), "h*w - 3*h");
}

TEST(dim, an_unknown_equals_itself_only) {
  const Dim a = Dim::unknown();
  EXPECT_EQ(a, a);
  EXPECT_FALSE(a == Dim::unknown());
  EXPECT_EQ(a - a, Dim(0));
}

TEST(dim, division_by_a_factor_takes_it_away) {
  EXPECT_EQ(floor_div(h * 4, 4), h);
  EXPECT_EQ(floor_div(h * w, w), h);
  EXPECT_EQ(floor_div(h * w + w, h + 1), w);
  EXPECT_EQ(floor_div(4 * h + 6, 2), 2 * h + 3);
  EXPECT_EQ(mod(h * 4, 4), Dim(0));
  EXPECT_EQ(mod(h * w, w), Dim(0));
}

TEST(dim, division_rounds_toward_minus_infinity_and_mod_has_the_divisors_sign) {
  EXPECT_EQ(floor_div(Dim(-7), Dim(2)), Dim(-4));
  EXPECT_EQ(floor_div(Dim(7), Dim(-2)), Dim(-4));
  EXPECT_EQ(mod(Dim(-7), Dim(3)), Dim(2));
  EXPECT_EQ(mod(Dim(7), Dim(-3)), Dim(-2));
  EXPECT_EQ(ceil_div(Dim(7), Dim(2)), Dim(4));
}

TEST(dim, nested_divisions_become_one) {
  EXPECT_EQ(floor_div(floor_div(h, 2), 2), floor_div(h, 4));
  EXPECT_EQ(floor_div(h - 1, 2) + 1, floor_div(h + 1, 2));
  EXPECT_EQ(floor_div(2 * h, 4), floor_div(h, 2));
  EXPECT_EQ(floor_div(5 * h, 2), 2 * h + floor_div(h, 2));
}

// Every rule above against plain arithmetic: substitution must not change the value.
TEST(dim, expressions_have_the_value_that_substitution_gives) {
  for (int64_t a = 0; a < 9; ++a) {
    for (int64_t b = -5; b <= 5; ++b) {
      if (b == 0) continue;
      for (int64_t c = -4; c <= 4; ++c) {
        const auto lookup = [a](const std::string&) { return std::optional<Dim>(a); };
        const Dim x = 3 * h + c;
        EXPECT_EQ(floor_div(x, b).substitute(lookup), floor_div(3 * Dim(a) + c, b))
            << a << " " << b << " " << c;
        EXPECT_EQ(mod(x, b).substitute(lookup), mod(3 * Dim(a) + c, b))
            << a << " " << b << " " << c;
        EXPECT_EQ(ceil_div(x, b).substitute(lookup), ceil_div(3 * Dim(a) + c, b))
            << a << " " << b << " " << c;
        EXPECT_EQ(max(x, b * h).substitute(lookup), max(3 * Dim(a) + c, b * Dim(a)));
        EXPECT_EQ(min(x, b * h).substitute(lookup), min(3 * Dim(a) + c, b * Dim(a)));
        EXPECT_EQ(floor_div(b * h * h + c * h + 1, h + 1).substitute(lookup),
                  floor_div(b * Dim(a) * a + c * Dim(a) + 1, Dim(a) + 1));
      }
    }
  }
}

TEST(dim, sizes_are_not_negative_so_clamps_vanish) {
  EXPECT_EQ(max(h, 0), h);
  EXPECT_EQ(max(h + 2, 1), h + 2);
  EXPECT_EQ(min(h, INT64_MAX), h);
  EXPECT_EQ(max(h, h - 3), h);
  EXPECT_EQ(min(mod(h, 4), 3), mod(h, 4));
  EXPECT_EQ(max(h, w).text(), "max(h, w)");
  EXPECT_EQ(max(h, w), max(w, h));
}

TEST(dim, overflow_and_growth_give_an_unknown) {
  EXPECT_FALSE((Dim(INT64_MAX) + 1).is_known());
  EXPECT_FALSE((Dim(INT64_MIN) * -1).is_known());
  Dim x = h;
  for (int i = 0; i < 2000; ++i) x = max(x * w, floor_div(x, w + 1));
  EXPECT_LE(x.text().size(), 100'000u);
  EXPECT_FALSE(floor_div(h, Dim(0)) == floor_div(h, Dim(0)));
}

TEST(dim, symbols_and_substitution) {
  const Dim x = floor_div(h, 2) * w + 1;
  EXPECT_EQ(x.symbols(), (std::set<std::string>{"h", "w"}));
  const Dim y = x.substitute(
      [](const std::string& name) { return name == "h" ? std::optional<Dim>(7) : std::nullopt; });
  EXPECT_EQ(y, 3 * w + 1);
  EXPECT_EQ(h.symbol_name(), "h");
  EXPECT_EQ((h + 1).symbol_name(), "");
}

}  // namespace
}  // namespace lanthorn
