#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/result.h"
#include "runtime/concrete_graph.h"

namespace lanthorn {

/// Where a value's bytes lie in a run.
struct Place {
  enum class Kind : uint8_t { kNone, kConstant, kInput, kOutput, kArena };
  Kind kind = Kind::kNone;
  uint32_t index = 0;   // which graph input; which output block
  uint64_t offset = 0;  // bytes, from the start of the input, output block or arena
};

/// A node that runs, with the kernel chosen for it (null: the reference).
struct ChosenNode {
  uint32_t node = 0;
  const OpEntry* op = nullptr;
  const FastKernel* kernel = nullptr;
  uint64_t scratch_bytes = 0;
};

/// Which memory every value has in a run of a plan. Views share the memory of what they look at; a
/// kernel that may overwrites its first input where nobody reads that any more; graph outputs lie in
/// blocks of their own, which leave with the caller.
struct BufferPlan {
  std::vector<Place> places;             // per value of the graph
  std::vector<uint32_t> runs;            // positions in the chosen nodes of those that are no mere views
  std::vector<uint64_t> scratch;         // arena offset, one for each of `runs`
  std::vector<uint64_t> output_blocks;   // bytes of each block
  uint64_t arena_bytes = 0;
};
Result<BufferPlan> plan_buffers(const Graph& graph, const ConcreteGraph& concrete, std::span<const ChosenNode> nodes,
                                uint64_t max_bytes);

}  // namespace lanthorn
