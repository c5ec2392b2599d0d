#include "codec/crc32.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

TEST(crc32, has_the_check_value_of_its_definition) {
  EXPECT_EQ(crc32(0, as_bytes("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc32(0, {}), 0U);
}

TEST(crc32, is_that_of_zlib_for_every_length_and_place) {
  std::mt19937 random(7);
  std::string text(5000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  for (size_t begin = 0; begin < 20; ++begin) {
    for (size_t size = 0; size < 400; ++size) {
      const auto part = as_bytes(std::string_view(text).substr(begin, size));
      const auto expected = static_cast<uint32_t>(::crc32(
          12345, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size())));
      ASSERT_EQ(crc32(12345, part), expected) << begin << " " << size;
    }
  }
  const auto whole = as_bytes(text);
  EXPECT_EQ(crc32(crc32(0, whole.first(777)), whole.subspan(777)), crc32(0, whole));
}

}  // namespace
}  // namespace lanthorn
