#include <gtest/gtest.h>

#include "lanthorn/result.h"

namespace lanthorn {
namespace {

TEST(error, places_are_told_from_the_outside_in) {
  const Error error = Error{ErrorCode::kCorrupt, "wrong", "byte 7"}.at("data.pkl").at("model.pth");
  EXPECT_EQ(error.text(), "wrong\n  at model.pth › data.pkl › byte 7");
}

TEST(error, a_place_of_very_many_steps_keeps_both_ends) {
  Error error{ErrorCode::kLimit, "too deep", "byte 7"};
  for (int depth = 500; depth >= 0; --depth) {
    error = std::move(error).at("node " + std::to_string(depth));
  }
  error = std::move(error).at("model.onnx");
  EXPECT_LT(error.where.size(), 700U);
  EXPECT_TRUE(error.where.starts_with("model.onnx › node 0 › node 1 › ")) << error.where;
  EXPECT_TRUE(error.where.ends_with(" › node 499 › node 500 › byte 7")) << error.where;
  EXPECT_EQ(error.where.find("..."), error.where.rfind("..."));
}

}  // namespace
}  // namespace lanthorn
