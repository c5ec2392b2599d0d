#include "model/name_rules.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

std::string renamed(const std::string& rule, const std::string& name) {
  const auto parsed = NameRule::parse(rule);
  if (!parsed) return parsed.error().message;
  return parsed->apply(name).value_or("(not found)");
}

TEST(name_rules, a_rule_replaces_what_its_expression_finds) {
  EXPECT_EQ(renamed(R"(s/^module\.//)", "module.a.module.b"), "a.module.b");
  EXPECT_EQ(renamed(R"(s/^module\.//)", "a.module.b"), "(not found)");
  EXPECT_EQ(renamed(R"(s/\./_/g)", "a.b.c"), "a_b_c");
  EXPECT_EQ(renamed(R"(s/\./_/)", "a.b.c"), "a_b.c");
  EXPECT_EQ(renamed(R"(s/LAYER/l/i)", "layer1"), "l1");
  EXPECT_EQ(renamed(R"(s|([0-9]+)\.(w)|\2/\1&|)", "layer.12.w"), "layer.w/1212.w");
  EXPECT_EQ(renamed(R"(s/a\/b/c/)", "a/b"), "c");
  EXPECT_EQ(renamed("s/x*/-/g", "abc"), "-a-b-c-");
  EXPECT_EQ(renamed("s/$/.weight/", "a"), "a.weight");
}

TEST(name_rules, what_is_no_rule_is_said) {
  for (const char* text : {"", "s", "s/a", "s/a/b", "x/a/b/", "s/a/b/z", "s/(/b/"}) {
    const auto rule = NameRule::parse(text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.error().code, ErrorCode::kUsage) << text;
  }
}

TEST(name_rules, globs_take_dots_and_slashes_as_any_character) {
  EXPECT_TRUE(matches_glob("a.b/c", "a*c"));
  EXPECT_TRUE(matches_glob(".hidden", "*"));
  EXPECT_TRUE(matches_glob("layer3", "layer[0-5]"));
  EXPECT_FALSE(matches_glob("layer7", "layer[0-5]"));
  EXPECT_FALSE(matches_glob("a.b", "a"));
}

TEST(name_rules, changes_come_in_their_order) {
  NameChanges changes;
  changes.map = {{"step", "module.counter"}};
  changes.strip = {"module.", "model."};
  changes.rules.push_back(*NameRule::parse("s/counter/count/"));
  changes.prefix = "net.";
  EXPECT_EQ(changes.apply("step"), "net.count");
  EXPECT_EQ(changes.apply("module.model.w"), "net.model.w");
  EXPECT_EQ(changes.apply("module."), "net.module.");
}

TEST(name_rules, a_map_is_json_or_lines) {
  const TemporaryFolder folder;
  const std::string json = folder.path / "map.json", lines = folder.path / "map.txt";
  std::ofstream(json) << R"({"b": "2", "a": "1"})";
  std::ofstream(lines) << "# comment\n\nb 2\na name\t1\r\n";
  const auto a = read_name_map(json), b = read_name_map(lines);
  ASSERT_TRUE(a.ok() && b.ok());
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*a, (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(*b, (Pairs{{"a name", "1"}, {"b", "2"}}));
  std::ofstream(lines) << "a 1\nalone\n";
  const auto broken = read_name_map(lines);
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().where.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace lanthorn
