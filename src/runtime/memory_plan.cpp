#include "runtime/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "base/checked.h"

namespace lanthorn {

namespace {

struct Placed {
  uint64_t begin, end;
  uint32_t first, last;
};

}  // namespace

uint64_t memory_budget() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return uint64_t{4} << 30;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page);
}

Result<MemoryLayout> lay_out_memory(std::span<const Lifetime> lifetimes, uint64_t max_bytes) {
  std::vector<uint32_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return lifetimes[a].bytes > lifetimes[b].bytes;
  });
  MemoryLayout layout;
  layout.offsets.assign(lifetimes.size(), 0);
  std::vector<Placed> placed;  // sorted by begin
  for (const uint32_t index : order) {
    const Lifetime& want = lifetimes[index];
    if (want.bytes == 0) continue;
    if (want.bytes > max_bytes) {
      return Error{ErrorCode::kLimit,
                   "a tensor of " + std::to_string(want.bytes) + " bytes is more than the " +
                       std::to_string(max_bytes) + " bytes that a run may use", "", "use smaller inputs"};
    }
    const uint64_t bytes = round_up(want.bytes, kArenaAlign);
    uint64_t cursor = 0, best = 0, best_gap = UINT64_MAX;
    for (const Placed& other : placed) {
      if (other.last < want.first || want.last < other.first) continue;
      if (other.begin >= cursor) {
        const uint64_t gap = other.begin - cursor;
        if (gap >= bytes && gap < best_gap) {
          best = cursor;
          best_gap = gap;
        }
      }
      cursor = std::max(cursor, other.end);
    }
    const uint64_t begin = best_gap == UINT64_MAX ? cursor : best;
    if (begin > max_bytes - want.bytes) {
      return Error{ErrorCode::kLimit,
                   "the intermediate results need more than the " + std::to_string(max_bytes) +
                       " bytes that a run may use", "", "use smaller inputs"};
    }
    layout.offsets[index] = begin;
    layout.total_bytes = std::max(layout.total_bytes, begin + bytes);
    const Placed piece{begin, begin + bytes, want.first, want.last};
    const auto at = std::upper_bound(placed.begin(), placed.end(), piece,
                                     [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    placed.insert(at, piece);
  }
  return layout;
}

}  // namespace lanthorn
