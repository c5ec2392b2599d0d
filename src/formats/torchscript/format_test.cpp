#include "formats/format.h"

#include <gtest/gtest.h>

#include "script/program.h"

namespace lanthorn {
namespace {

std::filesystem::path digits(const char* name) {
  return std::filesystem::path(LANTHORN_SOURCE_DIR) / "examples/digits" / name;
}

TEST(torchscript, a_scripted_module_keeps_its_names_and_maps_its_weights) {
  const auto contents = read_file(digits("digits_scripted.pt"));
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(contents->format, "torchscript");
  ASSERT_NE(contents->program, nullptr);
  EXPECT_EQ(contents->program->method, "forward");
  const auto weights = read_file(digits("digits_weights.pth"));
  ASSERT_TRUE(weights.ok()) << weights.error().text();
  ASSERT_GT(weights->tensors.size(), 0u);
  for (const NamedTensor& expected : weights->tensors.entries()) {
    const Tensor* found = contents->tensors.find(expected.name);
    ASSERT_NE(found, nullptr) << expected.name;
    EXPECT_EQ(found->shape(), expected.tensor.shape()) << expected.name;
    EXPECT_TRUE(found->storage()->is_mapped()) << expected.name;
  }
}

TEST(torchscript, a_trace_and_a_script_of_one_module_become_graphs_of_the_same_operators) {
  const auto operators = [](const char* name) {
    std::vector<std::string> names;
    const auto contents = read_file(digits(name));
    if (!contents) return names;
    script::SignatureInput image;
    image.dtype = DType::kF32;
    image.hint = {1, 1, 8, 8};
    const auto evaluation = script::evaluate(*contents->program, "forward", {image});
    EXPECT_TRUE(evaluation.ok()) << evaluation.error().text();
    if (!evaluation) return names;
    for (const Node& node : evaluation->graph->nodes) names.push_back(node.op);
    return names;
  };
  const auto traced = operators("digits_traced.pt");
  EXPECT_FALSE(traced.empty());
  EXPECT_EQ(traced, operators("digits_scripted.pt"));
}

}  // namespace
}  // namespace lanthorn
