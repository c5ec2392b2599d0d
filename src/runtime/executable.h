#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "graph/graph.h"
#include "lanthorn/result.h"
#include "lanthorn/value.h"

namespace lanthorn {

class ThreadPool;

struct RunOptions {
  int threads = 1;             // cap, the caller included
  ThreadPool* pool = nullptr;  // null: the caller's thread only
  uint64_t max_bytes = UINT64_MAX;  // what intermediate results may take; never more than the machine has
};

struct ExecutableOptions {
  bool optimize = true;   // false: the graph as it is, reference kernels only
  IsaLevel isa = IsaLevel::kBaseline;
  bool bf16 = false;      // weights of matrix products and convolutions are rounded to bfloat16
  size_t max_plans = 16;  // plans kept, the least recently used go first
};

/// How long one step of a plan took.
struct StepTime {
  std::string node, op, kernel, shape;
  double milliseconds = 0;
};

/// A graph made ready to run: optimized, constants packed, plans kept by input shapes. A plan is a
/// flat list of steps with fixed kernels, offsets into one arena, and folded shape arithmetic. Graphs
/// whose shapes only the data tells run step by step. Safe to run from many threads at once.
class Executable {
 public:
  static Result<std::shared_ptr<const Executable>> create(std::shared_ptr<const Graph> graph,
                                                          const ExecutableOptions& options);
  virtual ~Executable() = default;
  /// Inputs in the graph's order; a tensor needs the input's dtype, any strides. Outputs own their memory.
  virtual Result<std::vector<Value>> run(std::span<const Value> inputs, const RunOptions& options) const = 0;
  /// Makes the plan for these inputs' shapes without running it.
  virtual Status warm(std::span<const Value> inputs, const RunOptions& options) const = 0;
  virtual Result<std::vector<StepTime>> profile(std::span<const Value> inputs, const RunOptions& options) const = 0;
  virtual const Graph& graph() const = 0;  // as optimized
};

}  // namespace lanthorn
