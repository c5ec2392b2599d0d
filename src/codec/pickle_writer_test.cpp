#include "codec/pickle_writer.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"
#include "codec/pickle.h"

namespace lanthorn {
namespace {

using std::string_literals::operator""s;

template <class Write>
std::string body(Write write) {
  PickleWriter writer;
  write(writer);
  const std::string all = writer.finish();
  return all.substr(2, all.size() - 3);
}

TEST(pickle_writer, integers_have_the_shortest_opcode_of_cpython) {
  const auto integer = [](int64_t value) {
    return body([&](PickleWriter& writer) { writer.integer(value); });
  };
  EXPECT_EQ(integer(0), "K\0"s);
  EXPECT_EQ(integer(255), "K\xff"s);
  EXPECT_EQ(integer(256), "M\0\x01"s);
  EXPECT_EQ(integer(65536), "J\0\0\x01\0"s);
  EXPECT_EQ(integer(-1), "J\xff\xff\xff\xff"s);
  EXPECT_EQ(integer(int64_t{1} << 31), "\x8a\x05\0\0\0\x80\0"s);
  EXPECT_EQ(integer(-(int64_t{1} << 31) - 1), "\x8a\x05\xff\xff\xff\x7f\xff"s);
  EXPECT_EQ(integer(INT64_MIN), "\x8a\x08\0\0\0\0\0\0\0\x80"s);
}

TEST(pickle_writer, integers_of_any_size_are_twos_complement) {
  const auto integer = [](std::string_view digits) {
    return body([&](PickleWriter& writer) { writer.big_integer(digits); });
  };
  EXPECT_EQ(integer("119547037146038801333356"),
            "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s);
  EXPECT_EQ(integer("-1"), "\x8a\x01\xff"s);
  EXPECT_EQ(integer("-32768"), "\x8a\x02\0\x80"s);
  EXPECT_EQ(integer("18446744073709551616"), "\x8a\x09\0\0\0\0\0\0\0\0\x01"s);
}

TEST(pickle_writer, what_comes_twice_is_taken_from_the_memo) {
  const std::string text = body([](PickleWriter& writer) {
    writer.global("torch", "Size");
    writer.literal("cpu");
    writer.global("torch", "Size");
    writer.literal("cpu");
  });
  EXPECT_EQ(text, "ctorch\nSize\nq\0X\x03\0\0\0cpuq\x01h\0h\x01"s);
}

TEST(pickle_writer, the_memo_goes_beyond_a_byte) {
  const std::string text = body([](PickleWriter& writer) {
    for (int i = 0; i < 257; ++i) {
      writer.none();
      writer.put();
    }
    writer.get(256);
  });
  EXPECT_TRUE(text.ends_with("Nq\xffNr\0\x01\0\0j\0\x01\0\0"s));
}

TEST(pickle_writer, the_reader_reads_it) {
  PickleWriter writer;
  writer.op('(');
  writer.real(0.1);
  writer.boolean(true);
  writer.text("ä");
  writer.none();
  writer.close_tuple(4);
  const auto tree = read_pickle(as_bytes(writer.finish()));
  ASSERT_TRUE(tree.ok());
  const auto& items = (*tree)[tree->root].items;
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ((*tree)[items[0]].real, 0.1);
  EXPECT_EQ((*tree)[items[2]].text, "ä");
}

}  // namespace
}  // namespace lanthorn
