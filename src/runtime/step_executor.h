#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/executable.h"
#include "runtime/node_run.h"
#include "runtime/packed_constants.h"

namespace lanthorn {

/// Runs a graph node by node: shapes are found as data appears, results are let go after their last
/// use. It is what runs graphs whose shapes only the data tells, subgraphs, and, with references
/// only, what the fast ways are tested against. Safe to run from many threads.
class StepExecutor {
 public:
  /// `graph` must outlive it. Without `packed`, references only. kUnsupported lists every operator
  /// that there is none of.
  static Result<std::unique_ptr<const StepExecutor>> create(const Graph& graph, PackedConstants* packed, IsaLevel isa,
                                                            bool bf16 = false);

  /// `captured` has one value for each of the graph's captures. `times` may be null. kLimit before
  /// results that are held at a time take more than `options.max_bytes`.
  Result<std::vector<Value>> run(std::span<const Value> inputs, std::span<const Value> captured,
                                 const RunOptions& options, std::vector<StepTime>* times) const;

  const Graph& graph() const { return graph_; }

 private:
  friend class NodeSubgraphs;
  StepExecutor(const Graph& graph, PackedConstants* packed, IsaLevel isa, bool bf16)
      : graph_(graph), packed_(packed), isa_(isa), bf16_(bf16) {}

  const Graph& graph_;
  PackedConstants* packed_;
  IsaLevel isa_;
  bool bf16_;
  std::vector<const OpEntry*> ops_;                // one a node
  std::vector<std::vector<ValueId>> last_read_;    // after a node, what nobody reads any more
  std::vector<bool> made_here_;                    // per value: an output of a node
  std::vector<std::vector<const Tensor*>> constants_;  // per node and input; null where computed
  std::vector<std::map<std::string, std::unique_ptr<const StepExecutor>, std::less<>>> subgraphs_;
};

/// The text of an operator's name with its domain: "com.microsoft.FusedGemm".
std::string op_text(const Node& node);

}  // namespace lanthorn
