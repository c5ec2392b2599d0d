#include "formats/safetensors/write.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"
#include "formats/format.h"
#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

TEST(safetensors_write, tensors_come_by_alignment_and_name) {
  const auto half = Tensor::allocate(DType::kF16, {2});
  const std::vector<FlatTensor> tensors = {
      {"z", *half, nullptr}, {"b", Tensor::scalar_f32(1), nullptr}, {"a", Tensor::scalar_f32(2), nullptr}};
  const TemporaryFolder folder;
  const auto out = folder.path / "m.safetensors";
  ASSERT_TRUE(write_safetensors(out, tensors, {}).ok());
  const std::string file = file_bytes(out);
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"F32","shape":[],"data_offsets":[4,8]},"z":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}})";
  EXPECT_EQ(file.substr(8, header.size()), header);
  EXPECT_EQ(load_little<uint64_t>(as_bytes(file).data()) % 8, 0U);
}

TEST(safetensors_write, one_view_under_two_names_is_written_once_and_read_tied) {
  const Tensor weight = Tensor::of_floats(std::vector<float>{1, 2});
  const std::vector<FlatTensor> tensors = {{"head", weight, nullptr}, {"embed", weight, nullptr}};
  const TemporaryFolder folder;
  const auto out = folder.path / "m.safetensors";
  const auto report = write_safetensors(out, tensors, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->notes.size(), 1U);
  const auto read = read_file(out);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->tensors.size(), 2U);
  EXPECT_EQ(read->tensors.find("head")->storage(), read->tensors.find("embed")->storage());
}

TEST(safetensors_write, what_the_format_has_not_is_listed_and_nothing_is_left) {
  const auto complex = Tensor::allocate(DType::kC128, {1});
  const TemporaryFolder folder;
  const auto out = folder.path / "m.safetensors";
  const auto report =
      write_safetensors(out, {{"a", *complex, nullptr}, {"b", *complex, nullptr}}, {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(report.error().message.find("a (complex128), b (complex128)"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(out.parent_path()));
}

TEST(safetensors_write, four_bit_floats_are_packed_as_they_are_read) {
  auto tensor = Tensor::allocate(DType::kF4E2M1, {4});
  for (size_t i = 0; i < 4; ++i) tensor->mutable_data()[i] = static_cast<std::byte>(3 * i);
  const TemporaryFolder folder;
  const auto out = folder.path / "m.safetensors";
  ASSERT_TRUE(write_safetensors(out, {{"a", *tensor, nullptr}}, {}).ok());
  const auto read = read_file(out);
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(as_text(read->tensors.find("a")->bytes()), as_text(tensor->bytes()));
}

TEST(safetensors_write, a_file_whose_header_begins_like_a_protobuf_is_known) {
  // A header of 0x..08 bytes: the first byte is the tag of an ONNX model's first field.
  for (size_t length = 1; length < 300; length += 8) {
    const TemporaryFolder folder;
    const auto out = folder.path / "m.safetensors";
    ASSERT_TRUE(
        write_safetensors(out, {{std::string(length, 'n'), Tensor::scalar_f32(1), nullptr}}, {}).ok());
    const auto read = read_file(out);
    ASSERT_TRUE(read.ok()) << length << read.error().text();
    EXPECT_EQ(read->format, "safetensors");
  }
}

}  // namespace
}  // namespace lanthorn
