#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// A piece of memory that is needed from step `first` to step `last`, both included.
struct Lifetime {
  uint64_t bytes = 0;
  uint32_t first = 0, last = 0;
};

struct MemoryLayout {
  std::vector<uint64_t> offsets;  // one a lifetime, multiples of kArenaAlign
  uint64_t total_bytes = 0;
};

// The widest vector that kernels load, so that no tensor shares a cache line with another.
constexpr uint64_t kArenaAlign = 64;

/// Places pieces in one arena so that pieces alive at the same time do not overlap: the big ones
/// first, each into the smallest gap that holds it. kLimit if the arena would pass `max_bytes`.
Result<MemoryLayout> lay_out_memory(std::span<const Lifetime> lifetimes, uint64_t max_bytes);

/// What one run may ask for at most: the machine's memory.
uint64_t memory_budget();

}  // namespace lanthorn
