#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lanthorn/lanthorn.h"

namespace lanthorn {
namespace {

Model digits(const char* file) {
  return *load(std::string(LANTHORN_SOURCE_DIR) + "/examples/digits/" + file);
}

std::vector<NamedValue> picture() { return {{"", *Tensor::allocate(DType::kF32, {1, 1, 8, 8})}}; }

TEST(session, bfloat16_is_near_float32_and_not_equal) {
  const Model model = digits("digits.onnx");
  std::vector<NamedValue> inputs = picture();
  Tensor image = *Tensor::allocate(DType::kF32, {1, 1, 8, 8});
  float at = 0;
  for (float& pixel : image.mutable_as<float>()) pixel = std::fmod(at += 0.37f, 1.0f);
  inputs[0].value = image;
  const auto run = [&](Precision precision) {
    const auto session = model.session({.precision = precision});
    const auto outputs = session->run(std::span<const NamedValue>(inputs));
    return *(*outputs)[0].value.tensor()->to_doubles();
  };
  const auto exact = run(Precision::kF32), rounded = run(Precision::kBF16);
  ASSERT_EQ(exact.size(), rounded.size());
  double most = 0, apart = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    most = std::max(most, std::fabs(exact[i]));
    apart = std::max(apart, std::fabs(exact[i] - rounded[i]));
  }
  EXPECT_GT(apart, 0);
  EXPECT_LT(apart, 2e-2 * most);
}

TEST(session, a_state_is_refused_for_a_program_and_changes_nothing_for_a_graph) {
  State state;
  const auto inputs = picture();
  const auto program = digits("digits_traced.pt").session();
  ASSERT_TRUE(program.ok());
  const auto kept = program->run(inputs, state);
  ASSERT_FALSE(kept.ok());
  EXPECT_EQ(kept.error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(program->run(std::span<const NamedValue>(inputs)).ok());
  const auto graph = digits("digits.onnx").session();
  ASSERT_TRUE(graph.ok());
  EXPECT_TRUE(graph->run(inputs, state).ok());
}

}  // namespace
}  // namespace lanthorn
