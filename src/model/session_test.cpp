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

TEST(session, a_run_with_a_new_state_is_a_run_from_the_file) {
  State state;
  const auto inputs = picture();
  for (const char* file : {"digits_traced.pt", "digits_scripted.pt", "digits.onnx"}) {
    const auto session = digits(file).session();
    ASSERT_TRUE(session.ok());
    const auto kept = session->run(inputs, state);
    const auto plain = session->run(std::span<const NamedValue>(inputs));
    ASSERT_TRUE(kept.ok()) << kept.error().text();
    ASSERT_TRUE(plain.ok());
    ASSERT_EQ(kept->size(), plain->size());
    const auto a = *(*kept)[0].value.tensor()->to_doubles(), b = *(*plain)[0].value.tensor()->to_doubles();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4);
  }
}

}  // namespace
}  // namespace lanthorn
