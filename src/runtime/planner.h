#pragma once

#include <memory>
#include <span>

#include "runtime/executable.h"
#include "runtime/packed_constants.h"
#include "runtime/plan.h"

namespace lanthorn {

struct PlannerInput {
  const Graph& graph;
  std::span<const ValueType> inputs;  // concrete, one for each of the graph's inputs
  PackedConstants& packed;
  IsaLevel isa = IsaLevel::kBaseline;
  const RunOptions& options;          // constants are packed on its threads
  bool bf16 = false;                  // as KernelQuery has it
};

/// Makes the plan for inputs of these shapes. Null where there can be none because shapes depend on
/// data: such a graph runs step by step. Errors say which node does not fit the shapes.
Result<std::shared_ptr<const Plan>> make_plan(const PlannerInput& input);

}  // namespace lanthorn
