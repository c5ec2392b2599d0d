#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "formats/format.h"
#include "tests/golden/golden.h"

namespace lanthorn {
namespace {

struct Truth {
  std::string name, dtype, shape, stride, crc32;
};

std::vector<Truth> read_truth(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Truth> all;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    Truth truth;
    for (std::string* field :
         {&truth.name, &truth.dtype, &truth.shape, &truth.stride, &truth.crc32}) {
      std::getline(fields, *field, '\t');
    }
    all.push_back(truth);
  }
  return all;
}

std::string crc_of(const Tensor& tensor) {
  const auto flat = tensor.contiguous();
  EXPECT_TRUE(flat.ok());
  const uint32_t crc = static_cast<uint32_t>(::crc32(
      0, reinterpret_cast<const Bytef*>(flat->data()), static_cast<uInt>(flat->byte_size())));
  char text[16];
  std::snprintf(text, sizeof text, "%08x", flat->byte_size() > 0 ? crc : 0U);
  return text;
}

class TorchGolden : public testing::TestWithParam<const char*> {};

TEST_P(TorchGolden, has_the_tensors_that_pytorch_wrote) {
  const auto contents = read_file(golden("torch/" + std::string(GetParam())));
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  const auto truths = read_truth(golden("torch/" + std::string(GetParam()) + ".tsv"));
  ASSERT_FALSE(truths.empty());
  for (const Truth& truth : truths) {
    const Tensor* tensor = contents->tensors.find(truth.name);
    ASSERT_NE(tensor, nullptr) << truth.name;
    EXPECT_EQ(dtype_name(tensor->dtype()), truth.dtype) << truth.name;
    EXPECT_EQ(shape_text(tensor->shape()), truth.shape) << truth.name;
    if (truth.stride != "-") {
      EXPECT_EQ(shape_text(tensor->strides()), truth.stride) << truth.name;
    }
    EXPECT_EQ(crc_of(*tensor), truth.crc32) << truth.name;
  }
}

INSTANTIATE_TEST_SUITE_P(torch, TorchGolden,
                         testing::Values("state.pth", "state_legacy.pth", "state_legacy_p4.pth",
                                         "state_plain.pkl", "views.pth", "bits.pth", "dtypes.pth",
                                         "sparse.pth", "quantized.pth", "module.pth",
                                         "module_legacy.pth", "checkpoint.pth"));

TEST(torch, weights_stay_in_the_mapping_and_views_share_it) {
  const auto contents = read_file(golden("torch/views.pth"));
  ASSERT_TRUE(contents.ok());
  const Tensor* base = contents->tensors.find("base");
  const Tensor* turned = contents->tensors.find("turned");
  ASSERT_TRUE(base != nullptr && turned != nullptr);
  EXPECT_EQ(base->storage(), turned->storage());
  EXPECT_TRUE(base->storage()->is_mapped());
}

TEST(torch, a_checkpoint_keeps_what_is_no_tensor) {
  const auto contents = read_file(golden("torch/checkpoint.pth"));
  ASSERT_TRUE(contents.ok());
  const ObjectTree& tree = *contents->objects;
  const auto value = [&](std::string_view key) -> const Object& {
    return tree[tree.find(tree.root, key)];
  };
  EXPECT_EQ(value("epoch").integer, 3);
  EXPECT_EQ(tree[value("numbers").items[5]].text, "1180591620717411303424");
  EXPECT_EQ(value("size").kind, Object::Kind::kSize);
  EXPECT_EQ(value("device").text, "cuda:1");
  EXPECT_EQ(value("dtype").text, "float16");
  EXPECT_EQ(value("counts").text, "collections.Counter");
  EXPECT_EQ(value("complex").imaginary, 2);
  EXPECT_EQ(value("bytes").text, std::string("\x00\xff", 2));
}

TEST(torch, a_module_is_an_instance_with_its_class) {
  const auto contents = read_file(golden("torch/module.pth"));
  ASSERT_TRUE(contents.ok());
  const Object& root = (*contents->objects)[contents->objects->root];
  EXPECT_EQ(root.kind, Object::Kind::kInstance);
  EXPECT_EQ(root.text, "__main__.Block");
  EXPECT_EQ(*contents->tensors.find("tied.weight")->to_doubles(),
            *contents->tensors.find("fc.weight")->to_doubles());
}

}  // namespace
}  // namespace lanthorn
