#include "runtime/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace lanthorn {
namespace {

TEST(memory_plan, pieces_that_live_apart_share_memory) {
  const std::vector<Lifetime> lifetimes = {{100, 0, 1}, {100, 2, 3}};
  const auto layout = lay_out_memory(lifetimes, 1 << 20);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->offsets[0], layout->offsets[1]);
  EXPECT_EQ(layout->total_bytes, 128u);
}

TEST(memory_plan, pieces_alive_together_never_overlap) {
  std::mt19937 random(7);
  std::vector<Lifetime> lifetimes;
  for (int i = 0; i < 300; ++i) {
    const uint32_t first = random() % 100;
    lifetimes.push_back({1 + random() % 5000, first, first + static_cast<uint32_t>(random() % 10)});
  }
  const auto layout = lay_out_memory(lifetimes, 1 << 30);
  ASSERT_TRUE(layout.ok());
  uint64_t sum = 0;
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    sum += lifetimes[i].bytes;
    EXPECT_EQ(layout->offsets[i] % kArenaAlign, 0u);
    EXPECT_LE(layout->offsets[i] + lifetimes[i].bytes, layout->total_bytes);
    for (size_t j = 0; j < i; ++j) {
      if (lifetimes[i].last < lifetimes[j].first || lifetimes[j].last < lifetimes[i].first) continue;
      const bool apart = layout->offsets[i] + lifetimes[i].bytes <= layout->offsets[j] ||
                         layout->offsets[j] + lifetimes[j].bytes <= layout->offsets[i];
      EXPECT_TRUE(apart) << i << " and " << j;
    }
  }
  EXPECT_LT(layout->total_bytes, sum / 3);
}

TEST(memory_plan, an_arena_beyond_the_budget_is_refused) {
  const std::vector<Lifetime> lifetimes = {{600, 0, 1}, {600, 1, 2}};
  const auto layout = lay_out_memory(lifetimes, 1000);
  ASSERT_FALSE(layout.ok());
  EXPECT_EQ(layout.error().code, ErrorCode::kLimit);
  EXPECT_FALSE(lay_out_memory(std::vector<Lifetime>{{UINT64_MAX, 0, 0}}, 1000).ok());
}

}  // namespace
}  // namespace lanthorn
