#include "lanthorn/tensor.h"

#include <gtest/gtest.h>

#include <cstring>

#include "lanthorn/object.h"

namespace lanthorn {
namespace {

std::shared_ptr<const Storage> six_floats() {
  auto storage = *Storage::allocate(24);
  const float values[] = {0, 1, 2, 3, 4, 5};
  std::memcpy(storage->mutable_bytes().data(), values, 24);
  return storage;
}

TEST(tensor, a_view_outside_of_its_storage_is_refused) {
  EXPECT_TRUE(Tensor::view(DType::kF32, {2, 3}, {3, 1}, 0, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {2, 3}, {3, 1}, 4, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {2, 3}, {4, 1}, 0, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {2}, {-1}, 0, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {2}, {INT64_MAX}, 0, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {1}, {1}, UINT64_MAX, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {INT64_MAX, INT64_MAX}, {0, 0}, 0, six_floats()).ok());
  EXPECT_FALSE(Tensor::view(DType::kF32, {-1}, {1}, 0, six_floats()).ok());
  EXPECT_EQ(Tensor::view(DType::kF32, {2, 3}, {3, 1}, 4, six_floats()).error().message,
            "float32[2, 3] with strides [3, 1] at byte 4 does not lie inside a storage of 24 bytes");
}

TEST(tensor, strided_views_are_copied_in_c_order) {
  const Tensor turned = *Tensor::view(DType::kF32, {3, 2}, {1, 3}, 0, six_floats());
  EXPECT_FALSE(turned.is_contiguous());
  EXPECT_EQ(*turned.to_doubles(), (std::vector<double>{0, 3, 1, 4, 2, 5}));
  const Tensor reversed = *Tensor::view(DType::kF32, {6}, {-1}, 20, six_floats());
  EXPECT_EQ(*reversed.to_doubles(), (std::vector<double>{5, 4, 3, 2, 1, 0}));
  const Tensor repeated = *Tensor::view(DType::kF32, {2, 2}, {0, 1}, 4, six_floats());
  EXPECT_EQ(*repeated.to_doubles(), (std::vector<double>{1, 2, 1, 2}));
}

TEST(tensor, bytes_that_lie_askew_are_realigned) {
  auto storage = *Storage::allocate(9);
  const float value = 2.5f;
  std::memcpy(storage->mutable_bytes().data() + 1, &value, 4);
  const Tensor askew = *Tensor::view(DType::kF32, {1}, {1}, 1, storage);
  EXPECT_TRUE(askew.is_contiguous());
  EXPECT_EQ(askew.contiguous()->as<float>()[0], 2.5f);
}

TEST(tensor, strings_are_kept_and_copied) {
  const Tensor texts = Tensor::of_strings({2}, {"a", "a longer text that lives on the heap"});
  const Tensor view = *Tensor::view(DType::kString, {2}, {-1}, sizeof(std::string), texts.storage());
  EXPECT_EQ(view.contiguous()->as<std::string>()[0], "a longer text that lives on the heap");
}

TEST(tensor, wrap_refuses_the_wrong_number_of_bytes) {
  const std::byte bytes[8] = {};
  EXPECT_TRUE(Tensor::wrap(DType::kI64, {1}, bytes, nullptr).ok());
  EXPECT_FALSE(Tensor::wrap(DType::kI64, {2}, bytes, nullptr).ok());
  EXPECT_FALSE(Tensor::wrap(DType::kI64, {-1}, bytes, nullptr).ok());
}

TEST(dtype, names_go_both_ways) {
  for (size_t i = 1; i <= static_cast<size_t>(DType::kString); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
    EXPECT_GT(dtype_bytes(dtype), 0u);
  }
  EXPECT_EQ(dtype_from_name("float31"), DType::kUndefined);
}

TEST(state_dict, keeps_the_order_of_the_file_and_refuses_a_second_of_a_name) {
  StateDict dict;
  for (const char* name : {"b", "c", "a"}) ASSERT_TRUE(dict.add(name, Tensor::scalar_f32(1)).ok());
  EXPECT_EQ(dict.entries()[2].name, "a");
  EXPECT_NE(dict.find("b"), nullptr);
  EXPECT_EQ(dict.find("bb"), nullptr);
  EXPECT_EQ(dict.add("a", Tensor::scalar_f32(2)).error().code, ErrorCode::kCorrupt);
}

TEST(tensor, deferred_elements_are_computed_when_somebody_looks) {
  int computed = 0;
  const auto storage = Storage::deferred(8, [&computed](std::span<std::byte> to) {
    ++computed;
    const float values[] = {1.5f, -2.0f};
    std::memcpy(to.data(), values, 8);
  });
  const auto tensor = Tensor::view(DType::kF32, {2}, {1}, 0, storage);
  ASSERT_TRUE(tensor.ok());
  EXPECT_TRUE(tensor->contiguous()->is_deferred());
  EXPECT_EQ(computed, 0);
  // A copy of its own leaves the tensor as it is.
  EXPECT_EQ(tensor->computed()->as<float>()[1], -2.0f);
  EXPECT_TRUE(tensor->is_deferred());
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(tensor->as<float>()[0], 1.5f);
  EXPECT_FALSE(tensor->is_deferred());
  EXPECT_EQ(tensor->as<float>()[1], -2.0f);
  EXPECT_EQ(tensor->computed()->data(), tensor->data());
  EXPECT_EQ(computed, 2);
}

TEST(tensor, a_view_past_the_end_of_deferred_elements_is_refused) {
  const auto storage = Storage::deferred(8, [](std::span<std::byte>) {});
  EXPECT_FALSE(Tensor::view(DType::kF32, {3}, {1}, 0, storage).ok());
  EXPECT_TRUE(storage->is_deferred());
}

}  // namespace
}  // namespace lanthorn
