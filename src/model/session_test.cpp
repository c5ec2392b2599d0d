#include <gtest/gtest.h>

#include "lanthorn/lanthorn.h"

namespace lanthorn {
namespace {

Model digits(const char* file) {
  return *load(std::string(LANTHORN_SOURCE_DIR) + "/examples/digits/" + file);
}

std::vector<NamedValue> picture() { return {{"", *Tensor::allocate(DType::kF32, {1, 1, 8, 8})}}; }

TEST(session, bfloat16_is_refused_while_nothing_computes_in_it) {
  const auto session = digits("digits.onnx").session({.precision = Precision::kBF16});
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, ErrorCode::kUnsupported);
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
