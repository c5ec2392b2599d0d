#include "cli/command_line_shared.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

TEST(command_line, sizes_have_the_units_that_people_write) {
  const auto bytes = [](std::string_view text) { return *parse_bytes(text, "--most"); };
  EXPECT_EQ(bytes("1000000"), 1'000'000U);
  EXPECT_EQ(bytes("5GB"), 5'000'000'000U);
  EXPECT_EQ(bytes("200mb"), 200'000'000U);
  EXPECT_EQ(bytes("2GiB"), uint64_t{2} << 30);
  EXPECT_EQ(bytes("512M"), uint64_t{512} << 20);
  for (const char* text : {"", "0", "M", "-1", "5 GB", "1.5G", "5T", "99999999999G", "18446744073709551616"}) {
    const auto refused = parse_bytes(text, "--most");
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_EQ(refused.error().where, std::string("--most ") + text);
  }
}

TEST(command_line, text_of_a_file_does_not_steer_the_terminal) {
  EXPECT_EQ(printable("layer.größe"), "layer.größe");
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("a\xc2\x9b" "2J\xc2\xa0"), "a??2J\xc2\xa0");
  EXPECT_EQ(printable(std::string(5000, 'x')).size(), 2003U);
}

}  // namespace
}  // namespace lanthorn
