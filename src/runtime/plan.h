#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "ops/op.h"
#include "runtime/buffers.h"
#include "runtime/executable.h"
#include "runtime/memory_plan.h"

namespace lanthorn {

/// A tensor that a step reads or writes.
struct StepOperand {
  DType dtype = DType::kUndefined;
  Shape shape;
  Place place;
  const void* constant = nullptr;  // kConstant
};

/// One kernel call of a plan.
struct PlanStep {
  const Node* node = nullptr;
  std::string_view kernel;  // its name, or "reference"
  Status (*run)(const RunContext&) = nullptr;
  std::vector<StepOperand> inputs, outputs;
  std::shared_ptr<const void> prepared;
  uint64_t scratch_offset = 0, scratch_bytes = 0;
};

/// One output of the graph: where its bytes are after the last step.
struct PlanOutput {
  DType dtype = DType::kUndefined;
  Shape shape;
  Place place;
  Tensor constant;  // kConstant
};

/// Everything that is fixed once the shapes of the inputs are: kernels, packed weights, addresses.
struct PlanParts {
  std::vector<PlanStep> steps;
  std::vector<PlanOutput> outputs;
  std::vector<uint64_t> output_blocks;  // bytes of fresh memory that outputs lie in
  uint64_t arena_bytes = 0;
  std::vector<std::shared_ptr<const void>> owned;  // constants that only this plan has
};

/// A plan and the arenas of its runs. Runs may overlap; each has an arena of its own, and arenas are
/// kept for the next run.
class Plan {
 public:
  explicit Plan(PlanParts parts);
  ~Plan();
  /// `inputs` must have the shapes that the plan was made for.
  Result<std::vector<Value>> run(std::span<const Value> inputs, const RunOptions& options,
                                 std::vector<StepTime>* times) const;
  const std::vector<PlanStep>& steps() const { return parts_.steps; }
  uint64_t arena_bytes() const { return parts_.arena_bytes; }

 private:
  struct Frame;
  Result<std::unique_ptr<Frame>> take_frame() const;
  void give_back(std::unique_ptr<Frame> frame) const;
  Status run_steps(Frame& frame, std::vector<StepTime>* times) const;

  PlanParts parts_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Frame>> idle_;
};

}  // namespace lanthorn
