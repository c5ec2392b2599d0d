#include <gtest/gtest.h>

#include <cstring>

#include "codec/byte_reader.h"
#include "formats/format.h"
#include "tests/golden/golden.h"

namespace lanthorn {
namespace {

Result<FileContents> read_text(const std::string& json, size_t data_bytes) {
  std::string file(8, '\0');
  const uint64_t size = json.size();
  std::memcpy(file.data(), &size, sizeof size);
  file += json + std::string(data_bytes, '\x01');
  return read_bytes(MappedFile::of(as_bytes(file)));
}

TEST(safetensors, a_file_of_the_library_is_read_in_place) {
  const auto contents = read_file(golden("safetensors/small.safetensors"));
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(contents->tensors.size(), 4U);
  EXPECT_EQ(*contents->tensors.find("b")->to_doubles(), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(*contents->tensors.find("scalar")->to_ints(), (std::vector<int64_t>{7}));
  EXPECT_EQ(contents->tensors.find("none")->shape(), (Shape{0, 4}));
  EXPECT_TRUE(contents->tensors.find("b")->storage()->is_mapped());
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"},
                                                                     {"note", "ä"}};
  EXPECT_TRUE(std::is_permutation(metadata.begin(), metadata.end(), contents->metadata.begin()));
}

TEST(safetensors, shards_are_joined_by_their_index_or_their_folder) {
  for (const char* name :
       {"safetensors/sharded/model.safetensors.index.json", "safetensors/sharded"}) {
    const auto contents = read_file(golden(name));
    ASSERT_TRUE(contents.ok()) << contents.error().text();
    EXPECT_EQ(contents->format, "safetensors");
    EXPECT_EQ(contents->tensors.size(), 2U);
    EXPECT_EQ(*contents->tensors.find("a")->to_ints(), (std::vector<int64_t>{1, 2, 3}));
  }
}

TEST(safetensors, a_small_header_by_hand_is_read) {
  const auto contents =
      read_text(R"({"w":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6],"more":[{"x":1}]}} )", 6);
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(contents->tensors.find("w")->shape(), (Shape{2, 3}));
}

TEST(safetensors, a_file_that_ends_after_the_first_brace_is_refused) {
  for (const char size : {'\x08', '\x7f'}) {
    const std::string file = std::string(7, size) + '\0' + "{";
    EXPECT_EQ(read_bytes(MappedFile::of(as_bytes(file))).error().code, ErrorCode::kCorrupt);
  }
}

TEST(safetensors, lies_in_the_header_are_refused) {
  const std::pair<const char*, size_t> kLies[] = {
      {R"({"w":{"dtype":"U8","shape":[2,3],"data_offsets":[0,5]}})", 5},  // too few bytes
      {R"({"w":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6]}})", 7},  // bytes left over
      {R"({"w":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6]}})", 5},  // cut short
      {R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3},    // a hole
      {R"({"w":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}})", 2},
      {R"({"w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0},
      {R"({"w":{"dtype":"U9","shape":[2],"data_offsets":[0,2]}})", 2},
      {R"({"w":{"dtype":"U8","shape":[2]}})", 2},
      {R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"dtype":"I8"}})", 2},
      {R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3},
      {R"({"__metadata__":{"a":1}})", 0},
      {R"({"w":[]})", 0},
      {R"([])", 0},
      {R"({} x)", 0},
      {"{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0},
  };
  for (const auto& [json, bytes] : kLies) {
    const auto contents = read_text(json, bytes);
    ASSERT_FALSE(contents.ok()) << json;
    EXPECT_EQ(contents.error().code, ErrorCode::kCorrupt) << json;
  }
}

}  // namespace
}  // namespace lanthorn
