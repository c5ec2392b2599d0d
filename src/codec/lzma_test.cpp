#include "codec/lzma.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

// What Python's lzma.compress(b"x" * 300 + b"the end") gives, as .xz and as FORMAT_ALONE.
constexpr unsigned char kXz[] = {
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x01, 0x32, 0x00, 0x10, 0x5d, 0x00, 0x3c,
    0x6f, 0xfb, 0xb7, 0xc1, 0xcc, 0xd4, 0x2f, 0x0a, 0x85, 0xf7, 0xf2, 0xd0, 0xa0, 0x05, 0xa0, 0x00,
    0xfe, 0xc9, 0x4e, 0x3c, 0x8a, 0x87, 0x0a, 0x12, 0x00, 0x01, 0x2c, 0xb3, 0x02, 0x00, 0x00, 0x00,
    0xdf, 0xab, 0x55, 0x4e, 0xb1, 0xc4, 0x67, 0xfb, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a};
constexpr unsigned char kLzma[] = {0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0x00, 0x3c, 0x6f, 0xfb, 0xb7,
                                   0xc1, 0xcc, 0xd4, 0x2f, 0x0a, 0x85, 0xf7, 0xf2, 0xe1,
                                   0x13, 0x45, 0x5f, 0xff, 0xf8, 0xb8, 0xe0, 0x00};

std::string text() { return std::string(300, 'x') + "the end"; }

struct Case {
  std::span<const std::byte> packed;
  Inflated (*unpack)(std::span<const std::byte> source, uint64_t limit);
};
const Case kCases[] = {{std::as_bytes(std::span(kXz)), unxz_prefix},
                       {std::as_bytes(std::span(kLzma)), unlzma_prefix}};

TEST(lzma, gives_all_of_it_and_says_so) {
  for (const Case& one : kCases) {
    const Inflated made = one.unpack(one.packed, 1000);
    EXPECT_TRUE(made.whole);
    EXPECT_FALSE(made.limited);
    EXPECT_EQ(as_text(made.bytes), text());
  }
}

TEST(lzma, stops_at_the_limit) {
  for (const Case& one : kCases) {
    const Inflated made = one.unpack(one.packed, 200);
    EXPECT_FALSE(made.whole);
    EXPECT_TRUE(made.limited);
    EXPECT_EQ(as_text(made.bytes), text().substr(0, 200));
  }
}

TEST(lzma, no_cut_of_an_xz_file_is_taken_for_the_whole) {
  for (size_t size = 0; size < sizeof kXz; ++size) {
    const Inflated made = unxz_prefix(kCases[0].packed.first(size), 1000);
    EXPECT_FALSE(made.whole) << size;
    EXPECT_TRUE(text().starts_with(as_text(made.bytes))) << size;
  }
}

TEST(lzma, a_distance_before_the_beginning_is_damage) {
  std::string bytes(kLzma, kLzma + sizeof kLzma);
  for (size_t i = 13; i < bytes.size(); ++i) {
    for (const char changed : {'\x01', '\x7f', '\xff'}) {
      std::string broken = bytes;
      broken[i] = static_cast<char>(broken[i] ^ changed);
      EXPECT_LE(unlzma_prefix(as_bytes(broken), 1000).bytes.size(), 1000U);
    }
  }
}

}  // namespace
}  // namespace lanthorn
