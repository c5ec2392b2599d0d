#include "codec/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

std::string zlib_of(const std::string& text) {
  std::string packed(compressBound(text.size()), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(text.data()), text.size()),
            Z_OK);
  packed.resize(size);
  return packed;
}

const std::string kText(100'000, 'x');

TEST(inflate, gives_all_of_it_and_says_so) {
  const Inflated made =
      inflate_prefix(as_bytes(zlib_of(kText)), DeflateWrapper::kZlib, kText.size() + 1);
  EXPECT_TRUE(made.whole);
  EXPECT_FALSE(made.limited);
  EXPECT_EQ(as_text(made.bytes), kText);
}

TEST(inflate, stops_at_the_limit) {
  const Inflated made = inflate_prefix(as_bytes(zlib_of(kText)), DeflateWrapper::kZlib, 1000);
  EXPECT_FALSE(made.whole);
  EXPECT_TRUE(made.limited);
  EXPECT_EQ(made.bytes.size(), 1000U);
}

TEST(inflate, gives_what_comes_before_the_damage) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 10'007);
  const std::string packed = zlib_of(text);
  const Inflated made =
      inflate_prefix(as_bytes(std::string_view(packed).substr(0, packed.size() / 2)),
                     DeflateWrapper::kZlib, text.size());
  EXPECT_FALSE(made.whole);
  EXPECT_FALSE(made.limited);
  EXPECT_GT(made.bytes.size(), 1000U);
  EXPECT_EQ(as_text(made.bytes), text.substr(0, made.bytes.size()));
}

}  // namespace
}  // namespace lanthorn
