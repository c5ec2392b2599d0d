#include "codec/bunzip2.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

/// What Python's bz2.compress(b"x" * 300 + b"the end") gives.
constexpr unsigned char kPacked[] = {
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x2d, 0x0c, 0x28, 0x8b,
    0x00, 0x00, 0x06, 0x11, 0x80, 0xc0, 0x20, 0x06, 0x41, 0x04, 0x40, 0x00, 0x08, 0x20,
    0x00, 0x31, 0x06, 0x4c, 0x41, 0x00, 0x7a, 0x26, 0x20, 0xd5, 0xc1, 0x2d, 0xdc, 0x47,
    0x8b, 0xb9, 0x22, 0x9c, 0x28, 0x48, 0x16, 0x86, 0x14, 0x45, 0x80};

std::string text() { return std::string(300, 'x') + "the end"; }

TEST(bunzip2, gives_all_of_it_and_says_so) {
  const Inflated made = bunzip2_prefix(std::as_bytes(std::span(kPacked)), 1000);
  EXPECT_TRUE(made.whole);
  EXPECT_FALSE(made.limited);
  EXPECT_EQ(as_text(made.bytes), text());
}

TEST(bunzip2, stops_at_the_limit) {
  const Inflated made = bunzip2_prefix(std::as_bytes(std::span(kPacked)), 200);
  EXPECT_FALSE(made.whole);
  EXPECT_TRUE(made.limited);
  EXPECT_EQ(as_text(made.bytes), text().substr(0, 200));
}

TEST(bunzip2, no_cut_is_taken_for_the_whole) {
  for (size_t size = 0; size < sizeof kPacked; ++size) {
    const Inflated made = bunzip2_prefix(std::as_bytes(std::span(kPacked)).first(size), 1000);
    EXPECT_FALSE(made.whole) << size;
    EXPECT_TRUE(text().starts_with(as_text(made.bytes))) << size;
  }
}

}  // namespace
}  // namespace lanthorn
