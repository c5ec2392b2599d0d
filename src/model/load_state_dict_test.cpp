#include "lanthorn/load_state_dict.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

Tensor floats(Shape shape, std::vector<float> values) {
  return Tensor::of<float>(DType::kF32, std::move(shape), values);
}

StateDict state(std::vector<NamedTensor> tensors) {
  StateDict made;
  for (NamedTensor& entry : tensors) EXPECT_TRUE(made.add(entry.name, entry.tensor));
  return made;
}

StateDict model() {
  return state({{"fc.weight", floats({2, 2}, {0, 0, 0, 0})},
                {"fc.bias", floats({2}, {0, 0})},
                {"scale", floats({}, {1})}});
}

// The sentences are those of PyTorch 2.13; tests/test_checkpoint.py compares them with its own.
TEST(load_state_dict, a_strict_load_reports_everything_in_the_words_of_pytorch) {
  const StateDict saved = state({{"fc.weight", floats({3, 2}, {1, 2, 3, 4, 5, 6})},
                                 {"scale", floats({}, {2})},
                                 {"extra", floats({1}, {7})}});
  const auto loaded = load_state_dict(model(), saved, LoadMode::kStrict, "Net");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(loaded.error().message,
            "Error(s) in loading state_dict for Net:\n"
            "\tMissing key(s) in state_dict: \"fc.bias\". \n"
            "\tUnexpected key(s) in state_dict: \"extra\". \n"
            "\tsize mismatch for fc.weight: copying a param with shape torch.Size([3, 2]) from "
            "checkpoint, the shape in current model is torch.Size([2, 2]).");
}

TEST(load_state_dict, a_partial_load_takes_what_fits_and_keeps_the_rest) {
  const StateDict saved = state({{"fc.weight", floats({3, 2}, {1, 2, 3, 4, 5, 6})},
                                 {"fc.bias", floats({2}, {8, 9})},
                                 {"extra", floats({1}, {7})}});
  const auto loaded = load_state_dict(model(), saved, LoadMode::kPartial);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->state.size(), 3u);
  EXPECT_EQ(loaded->state.find("fc.bias")->as<float>()[1], 9);
  EXPECT_EQ(loaded->state.find("fc.weight")->as<float>()[0], 0);
  EXPECT_EQ(loaded->report.missing, std::vector<std::string>{"scale"});
  EXPECT_EQ(loaded->report.unexpected, std::vector<std::string>{"extra"});
  ASSERT_EQ(loaded->report.mismatched.size(), 1u);
  EXPECT_EQ(loaded->report.mismatched[0].in_file, (Shape{3, 2}));
}

TEST(load_state_dict, without_strictness_names_may_differ_but_shapes_may_not) {
  const StateDict fewer = state({{"fc.bias", floats({2}, {8, 9})}, {"extra", floats({1}, {7})}});
  EXPECT_TRUE(load_state_dict(model(), fewer, LoadMode::kIgnoreKeys));
  const StateDict other = state({{"fc.bias", floats({3}, {8, 9, 10})}});
  EXPECT_FALSE(load_state_dict(model(), other, LoadMode::kIgnoreKeys));
}

TEST(load_state_dict, values_are_cast_to_the_dtype_of_the_model_and_a_vector_fills_a_scalar) {
  const std::vector<double> wide = {1.5, 2.5};
  StateDict saved = state({{"fc.weight", floats({2, 2}, {1, 2, 3, 4})},
                           {"fc.bias", Tensor::of<double>(DType::kF64, {2}, wide)},
                           {"scale", floats({1}, {5})}});
  const auto loaded = load_state_dict(model(), saved);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->state.find("fc.bias")->dtype(), DType::kF32);
  EXPECT_EQ(loaded->state.find("fc.bias")->as<float>()[0], 1.5F);
  EXPECT_EQ(loaded->state.find("scale")->rank(), 0u);
  EXPECT_EQ(loaded->state.find("scale")->as<float>()[0], 5);
  EXPECT_EQ(loaded->state.find("fc.weight")->storage(), saved.find("fc.weight")->storage());
}

}  // namespace
}  // namespace lanthorn
