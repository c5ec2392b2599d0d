#include "formats/torch/write.h"

#include <gtest/gtest.h>

#include "formats/format.h"
#include "formats/torch/archive_writer.h"
#include "formats/torch/plain_tree.h"
#include "tests/golden/golden.h"
#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

TEST(torch_write, a_state_dict_of_pytorch_comes_out_byte_by_byte) {
  const auto contents = read_file(golden("state_zip.pth"));
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  const TemporaryFolder folder;
  const auto out = folder.path / "state_zip.pth";
  const auto report = write_torch(out, *contents->objects, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->bytes, std::filesystem::file_size(out));
  EXPECT_EQ(file_bytes(out), file_bytes(golden("state_zip.pth")));
}

TEST(torch_write, tied_tensors_share_a_record_in_both_forms) {
  const Tensor base = Tensor::of_floats(std::vector<float>{1, 2, 3, 4, 5, 6});
  const auto turned = Tensor::view(DType::kF32, {3, 2}, {1, 3}, 0, base.storage());
  const auto part = Tensor::view(DType::kF32, {2}, {2}, 4, base.storage());
  ASSERT_TRUE(turned.ok() && part.ok());
  const std::vector<FlatTensor> tensors = {{"a", base, nullptr}, {"b", *turned, nullptr}, {"c", *part, nullptr}};
  for (const TorchForm form : {TorchForm::kZip, TorchForm::kLegacy}) {
    const TemporaryFolder folder;
    const auto out = folder.path / "m.pth";
    ASSERT_TRUE(write_torch(out, tensors, {}, form).ok());
    const auto read = read_file(out);
    ASSERT_TRUE(read.ok()) << read.error().text();
    const Tensor* b = read->tensors.find("b");
    EXPECT_EQ(b->strides(), (Shape{1, 3}));
    EXPECT_EQ(b->storage(), read->tensors.find("a")->storage());
    EXPECT_EQ(read->tensors.find("c")->offset_bytes() % 24, 4U);
    EXPECT_EQ(*read->tensors.find("c")->to_doubles(), (std::vector<double>{2, 4}));
  }
}

TEST(torch_write, a_cast_keeps_ties_and_leaves_integers) {
  const Tensor base = Tensor::of_floats(std::vector<float>{1, 1.001F, 3, 4});
  const auto part = Tensor::view(DType::kF32, {2}, {1}, 8, base.storage());
  const std::vector<FlatTensor> tensors = {
      {"a", base, nullptr}, {"b", *part, nullptr}, {"i", Tensor::scalar_i64(7), nullptr}};
  WriteOptions options;
  options.floats = DType::kBF16;
  const TemporaryFolder folder;
  const auto out = folder.path / "m.pth";
  ASSERT_TRUE(write_torch(out, tensors, options).ok());
  const auto read = read_file(out);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->tensors.find("a")->dtype(), DType::kBF16);
  EXPECT_EQ(*read->tensors.find("a")->to_doubles(), (std::vector<double>{1, 1, 3, 4}));
  EXPECT_EQ(*read->tensors.find("b")->to_doubles(), (std::vector<double>{3, 4}));
  EXPECT_EQ(read->tensors.find("b")->storage(), read->tensors.find("a")->storage());
  EXPECT_EQ(*read->tensors.find("i")->to_ints(), (std::vector<int64_t>{7}));
}

TEST(torch_write, the_legacy_stream_refuses_what_pytorch_cannot_read_from_it) {
  const auto tensor = Tensor::allocate(DType::kU16, {2});
  const TemporaryFolder folder;
  const auto out = folder.path / "m.pth";
  const auto report = write_torch(out, {{"a", *tensor, nullptr}}, {}, TorchForm::kLegacy);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(std::filesystem::is_empty(out.parent_path()));
}

TEST(torch_write, an_object_tree_becomes_plain_data) {
  ObjectTree tree;
  const auto text = [&](const char* value) { return tree.add(PlainValue(std::string(value))); };
  Object call;
  call.kind = Object::Kind::kInstance;
  call.text = "os.system";
  call.arguments = tree.add_list({text("echo")}, Object::Kind::kTuple);
  const ObjectId dict = tree.add_dict();
  tree.set(dict, "call", tree.add(call));
  Object space;
  space.kind = Object::Kind::kInstance;
  space.text = "argparse.Namespace";
  space.state = tree.add_dict();
  tree.set(space.state, "lr", tree.add(PlainValue(0.5)));
  tree.set(dict, "args", tree.add(space));
  tree.root = dict;
  const auto plain = make_plain(tree);
  ASSERT_TRUE(plain.ok());
  const ObjectId args = plain->tree.find(plain->tree.root, "args");
  EXPECT_EQ(plain->tree[args].kind, Object::Kind::kDict);
  EXPECT_EQ(plain->tree[plain->tree.find(args, "lr")].real, 0.5);
  EXPECT_EQ(plain->tree[plain->tree.find(plain->tree.root, "call")].kind, Object::Kind::kNone);
  EXPECT_EQ(plain->notes.size(), 2U);
}

TEST(torch_write, a_list_in_itself_is_written_and_a_tuple_in_itself_is_none) {
  ObjectTree tree;
  const ObjectId list = tree.add_list({});
  const ObjectId tuple = tree.add_list({list}, Object::Kind::kTuple);
  tree.nodes[list].items = {list, tuple};
  tree.root = list;
  const TemporaryFolder folder;
  const auto out = folder.path / "m.pth";
  const auto report = write_torch(out, tree, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_TRUE(read_file(out).ok());
}

TEST(torch_write, the_prefix_is_what_pytorch_makes_of_a_name) {
  EXPECT_EQ(torch_archive_prefix("net.v2.pt"), "net.v2");
  EXPECT_EQ(torch_archive_prefix("a/b\\c.pth"), "c");
  EXPECT_EQ(torch_archive_prefix("noextension"), "noextension");
  EXPECT_EQ(torch_archive_prefix(".pth"), "archive");
  EXPECT_EQ(torch_archive_prefix("größe.pth"), "archive");
}

}  // namespace
}  // namespace lanthorn
