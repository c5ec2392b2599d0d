#include "codec/protobuf.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// The example of https://protobuf.dev/programming-guides/encoding/: field 1 is 150.
TEST(protobuf, reads_the_varint_of_the_specification) {
  ProtoReader reader(bytes_of("\x08\x96\x01"));
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.integer(), 150);
  EXPECT_FALSE(reader.next(field));
  EXPECT_TRUE(reader.status().ok());
}

TEST(protobuf, negative_int32_takes_ten_bytes) {
  ProtoReader reader(bytes_of("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.integer32(), -2);
}

TEST(protobuf, a_length_past_the_end_is_refused_with_its_place) {
  ProtoReader reader(bytes_of("\x12\x07testing"), 100);
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.text(), "testing");
  EXPECT_EQ(field.offset, 102u);

  ProtoReader cut(bytes_of("\x12\x07test"), 100);
  EXPECT_FALSE(cut.next(field));
  const Status status = cut.status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(status.error().message, "a field of 7 bytes reaches past the end, where 4 are left");
  EXPECT_EQ(status.error().where, "offset 102");
}

TEST(protobuf, varints_beyond_64_bits_are_refused) {
  for (const std::string_view text : {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                                      "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"}) {
    ProtoReader reader(bytes_of(text));
    ProtoField field;
    EXPECT_FALSE(reader.next(field));
    EXPECT_FALSE(reader.status().ok());
  }
}

TEST(protobuf, unknown_groups_are_skipped_and_must_be_closed) {
  ProtoReader reader(bytes_of("\x1b\x08\x01\x1c\x08\x05"));
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.integer(), 5);

  for (const std::string& text :
       {std::string("\x1b\x08\x01"), std::string("\x1b\x24"), std::string(1000, '\x1b')}) {
    ProtoReader bad(bytes_of(text));
    while (bad.next(field)) {
    }
    EXPECT_FALSE(bad.status().ok());
  }
}

TEST(protobuf, packed_and_loose_numbers_make_one_list) {
  ProtoWriter writer;
  const int64_t first[] = {1, 300};
  writer.packed_varints(4, first);
  writer.varint(4, 7);
  const int64_t second[] = {-1};
  writer.packed_varints(4, second);
  ProtoReader reader(bytes_of(writer.text()));
  ProtoNumbers numbers;
  uint64_t loose = 0;
  for (ProtoField field; reader.next(field);) {
    ASSERT_TRUE(numbers.add(field, WireType::kVarint, loose).ok());
  }
  EXPECT_EQ(numbers.values(), (std::vector<uint64_t>{1, 300, 7, UINT64_MAX}));
  EXPECT_EQ(numbers.size(), 4u);
}

TEST(protobuf, holes_are_counted_and_stand_behind_their_size) {
  ProtoWriter inner, outer;
  inner.varint(1, 5);
  inner.hole(9, 300, 7);
  inner.varint(2, 6);
  outer.bytes(3, "ab");
  outer.message(4, inner);
  ASSERT_EQ(outer.holes().size(), 1u);
  const ProtoHole& hole = outer.holes()[0];
  EXPECT_EQ(hole.id, 7u);
  EXPECT_EQ(outer.size(), outer.text().size() + 300);
  std::string whole = outer.text();
  whole.insert(hole.position, std::string(300, 'x'));
  ProtoReader reader(bytes_of(whole));
  ProtoField field;
  ASSERT_TRUE(reader.next(field) && field.text() == "ab" && reader.next(field));
  ProtoReader message(field);
  ASSERT_TRUE(message.next(field) && field.value == 5 && message.next(field));
  EXPECT_EQ(field.text(), std::string(300, 'x'));
  ASSERT_TRUE(message.next(field));
  EXPECT_EQ(field.value, 6u);
  EXPECT_FALSE(message.next(field) || reader.next(field));
}

TEST(protobuf, packed_floats_stay_where_they_lie) {
  ProtoReader reader(bytes_of(std::string_view("\x22\x04\0\0\x80\x3f", 6)));
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  ProtoNumbers numbers;
  uint64_t loose = 0;
  ASSERT_TRUE(numbers.add(field, WireType::kFixed32, loose).ok());
  EXPECT_EQ(loose, 0u);
  EXPECT_EQ(numbers.fixed_bytes().data(), field.bytes.data());

  field.bytes = field.bytes.first(3);
  EXPECT_FALSE(ProtoNumbers().add(field, WireType::kFixed32, loose).ok());
}

}  // namespace
}  // namespace lanthorn
