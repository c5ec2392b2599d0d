#include "tensor/extent.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

TEST(extent, strides_of_any_sign_are_followed_to_both_ends) {
  const Tensor base = Tensor::of_floats(std::vector<float>{1, 2, 3, 4, 5, 6});
  const auto extent = [&](Shape shape, Shape strides, uint64_t offset) {
    const auto view =
        Tensor::view(DType::kF32, std::move(shape), std::move(strides), offset, base.storage());
    EXPECT_TRUE(view.ok());
    const ByteExtent found = byte_extent(*view);
    return std::pair(found.begin, found.end);
  };
  EXPECT_EQ(extent({6}, {1}, 0), (std::pair<uint64_t, uint64_t>(0, 24)));
  EXPECT_EQ(extent({2, 2}, {3, 1}, 4), (std::pair<uint64_t, uint64_t>(4, 24)));
  EXPECT_EQ(extent({3}, {-2}, 20), (std::pair<uint64_t, uint64_t>(4, 24)));
  EXPECT_EQ(extent({2, 3}, {1, -1}, 12), (std::pair<uint64_t, uint64_t>(4, 20)));
  EXPECT_EQ(extent({4}, {0}, 8), (std::pair<uint64_t, uint64_t>(8, 12)));
  EXPECT_EQ(extent({}, {}, 8), (std::pair<uint64_t, uint64_t>(8, 12)));
  EXPECT_EQ(extent({0, 3}, {3, 1}, 8), (std::pair<uint64_t, uint64_t>(8, 8)));
}

}  // namespace
}  // namespace lanthorn
