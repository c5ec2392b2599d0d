#include "formats/npy/npy.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"
#include "formats/format.h"
#include "formats/npy/npz.h"
#include "tests/golden/golden.h"
#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

Result<Tensor> read_one(std::string_view name) {
  LAN_TRY(const FileContents contents, read_file(golden(name)));
  return *contents.tensors.find("tensor");
}

TEST(npy, orders_and_byte_orders_give_the_same_numbers) {
  const auto matrix = read_one("npy/matrix.npy"), fortran = read_one("npy/fortran.npy");
  const auto big = read_one("npy/big_endian.npy"), scalar = read_one("npy/scalar.npy");
  ASSERT_TRUE(matrix.ok() && fortran.ok() && big.ok() && scalar.ok());
  EXPECT_EQ(matrix->dtype(), DType::kF32);
  EXPECT_EQ(matrix->shape(), (Shape{2, 3}));
  EXPECT_EQ(*matrix->to_doubles(), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(fortran->strides(), (Shape{1, 2}));
  EXPECT_EQ(*fortran->contiguous()->to_ints(), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(*big->to_ints(), (std::vector<int64_t>{1, -2, 300}));
  EXPECT_EQ(scalar->rank(), 0U);
  EXPECT_EQ(*scalar->to_doubles(), (std::vector<double>{2.5}));
}

TEST(npy, strings_become_utf8) {
  const auto text = read_one("npy/text.npy");
  ASSERT_TRUE(text.ok()) << text.error().text();
  const auto values = text->as<std::string>();
  EXPECT_EQ(std::vector<std::string>(values.begin(), values.end()),
            (std::vector<std::string>{"héé", "x", "", "😀abc"}));
}

TEST(npy, an_array_of_objects_is_not_unpickled) {
  const auto objects = read_file(golden("npy/objects.npy"));
  ASSERT_FALSE(objects.ok());
  EXPECT_EQ(objects.error().code, ErrorCode::kUnsupported);
}

/// A whole .npy file of this header.
std::string npy_file(std::string header) {
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + std::string(64, '\0');
}

TEST(npy, an_array_of_records_is_not_supported_whatever_its_fields_are_called) {
  for (const char* fields : {"[('a', '<i4')]", "[('a', '<i4'), ('b', '<f8', (2, 3))]",
                             "[('x', [('y', '<f4'), ('z', '|S3')]), ('w', '|u1')]",
                             "[('is it )]?', '<i4'), (\"it's\", '<f8')]"}) {
    const std::string file = npy_file("{'descr': " + std::string(fields) +
                                      ", 'fortran_order': False, 'shape': (2,), }");
    const auto read = read_npy(as_bytes(file), nullptr, {});
    ASSERT_FALSE(read.ok()) << fields;
    EXPECT_EQ(read.error().code, ErrorCode::kUnsupported) << read.error().text();
    EXPECT_NE(read.error().message.find(fields), std::string::npos) << read.error().text();
  }
}

TEST(npy, what_is_written_is_read_back) {
  const Tensor tensor = Tensor::of_ints(std::vector<int64_t>{5, 6, 7});
  const auto file = write_npy(tensor);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->header.size() % 64, 0U);
  const std::string all = file->header + std::string(as_text(file->data()));
  const auto mapped = MappedFile::of(as_bytes(all));
  const auto back = read_npy(mapped->bytes(), mapped, {});
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(*back->to_ints(), (std::vector<int64_t>{5, 6, 7}));
}

TEST(npy, a_header_that_is_code_is_refused) {
  std::string file("\x93NUMPY\x01\x00", 8);
  const std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),), }";
  file += static_cast<char>(header.size());
  file += '\0';
  const auto mapped = MappedFile::of(as_bytes(file + header));
  const auto read = read_npy(mapped->bytes(), mapped, {});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read.error().message, "a size is expected");
}

TEST(npz, stored_and_compressed_archives_hold_the_same) {
  for (const char* name : {"npy/arrays.npz", "npy/compressed.npz"}) {
    const auto contents = read_file(golden(name));
    ASSERT_TRUE(contents.ok()) << contents.error().text();
    EXPECT_EQ(contents->format, "npz");
    EXPECT_EQ(*contents->tensors.find("a")->to_ints(), (std::vector<int64_t>{0, 1, 2, 3}));
    EXPECT_EQ(contents->tensors.find("A")->dtype(), DType::kBool);
    ASSERT_NE(contents->tensors.find("x"), nullptr);
    EXPECT_EQ(contents->tensors.find("x")->dtype(), DType::kBF16);
    EXPECT_EQ(*contents->tensors.find("x")->to_doubles(), (std::vector<double>{1, 2}));
    EXPECT_EQ(*contents->tensors.find("q")->to_ints(), (std::vector<int64_t>{-1, 7, -8}));
    EXPECT_EQ(contents->tensors.find("objects"), nullptr);
    ASSERT_EQ(contents->notes.size(), 1U);
  }
}

TEST(npz, what_is_written_is_read_back_and_nothing_is_left_of_a_failure) {
  const auto source = read_file(golden("npy/arrays.npz"));
  ASSERT_TRUE(source.ok());
  const TemporaryFolder temporary;
  const auto folder = temporary.path / "npz";
  EXPECT_EQ(write_npz(folder / "out.npz", source->tensors.entries()).error().code,
            ErrorCode::kNotFound);
  std::filesystem::create_directory(folder);
  ASSERT_TRUE(write_npz(folder / "out.npz", source->tensors.entries()).ok());
  const auto back = read_file(folder / "out.npz");
  ASSERT_TRUE(back.ok()) << back.error().text();
  ASSERT_EQ(back->tensors.size(), source->tensors.size());
  for (const NamedTensor& named : source->tensors.entries()) {
    const Tensor* tensor = back->tensors.find(named.name);
    ASSERT_NE(tensor, nullptr) << named.name;
    EXPECT_EQ(tensor->dtype(), named.tensor.dtype());
    EXPECT_EQ(as_text(tensor->bytes()), as_text(named.tensor.bytes())) << named.name;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

}  // namespace
}  // namespace lanthorn
