#include <gtest/gtest.h>

#include <string>

#include "ops/regex_shared.h"

namespace lanthorn {
namespace {

bool whole(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::parse(pattern);
  EXPECT_TRUE(regex.ok()) << pattern;
  return regex.ok() && regex->matches_whole(text);
}

TEST(regex, matches_whole_texts_as_re2_does) {
  EXPECT_TRUE(whole("a|ab", "ab"));
  EXPECT_TRUE(whole("(?:x(y|z)){2,3}", "xyxzxy"));
  EXPECT_FALSE(whole("(?:x(y|z)){2,3}", "xy"));
  EXPECT_TRUE(whole("[^a-c\\d]+", "xyz"));
  EXPECT_FALSE(whole("[^a-c\\d]+", "xbz"));
  EXPECT_TRUE(whole("[[:alpha:]_]+\\w*", "ab_9"));
  EXPECT_TRUE(whole("(?i)Straße", "sTRAße"));
  EXPECT_FALSE(whole(".", "\n"));
  EXPECT_TRUE(whole("(?s).", "\n"));
  EXPECT_TRUE(whole("\\Qa.b\\E+", "a.bbb"));
  EXPECT_TRUE(whole("\\x{e9}\\x41", "éA"));
  EXPECT_TRUE(whole("(a*)*", "aaa"));
  EXPECT_TRUE(whole("\\bfoo\\b.*$", "foo bar"));
}

TEST(regex, one_character_of_utf8_is_one_character) {
  EXPECT_TRUE(whole("..", "äß"));
  EXPECT_FALSE(whole("..", "ä"));
}

TEST(regex, finds_the_leftmost_and_of_those_the_longest) {
  const auto regex = Regex::parse("ab|abc|x");
  ASSERT_TRUE(regex.ok());
  EXPECT_EQ(regex->find("zabcx", 0), (std::pair<size_t, size_t>{1, 4}));
  EXPECT_EQ(regex->find("zabcx", 4), (std::pair<size_t, size_t>{4, 5}));
  EXPECT_EQ(regex->find("zzz", 0), std::nullopt);
}

TEST(regex, what_is_no_expression_is_refused) {
  for (const char* pattern :
       {"(", ")", "[a", "*a", "a{3,2}", "\\", "[z-a]", "(?x)a", "\\8", "[[:none:]]", "a{1001}"}) {
    EXPECT_FALSE(Regex::parse(pattern).ok()) << pattern;
  }
}

TEST(regex, an_expression_that_explodes_is_refused) {
  const auto nested = Regex::parse("((((a{100}){100}){100}){100}){100}");
  ASSERT_FALSE(nested.ok());
  EXPECT_EQ(nested.error().code, ErrorCode::kLimit);
  EXPECT_FALSE(Regex::parse(std::string(100'000, '(')).ok());
}

TEST(regex, takes_linear_time_where_others_take_exponential) {
  EXPECT_FALSE(whole("(a|a)*b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace lanthorn
