#pragma once

#include <span>
#include <vector>

#include "base/cpu.h"
#include "lanthorn/value.h"
#include "ops/op.h"
#include "runtime/executable.h"
#include "runtime/packed_constants.h"

namespace lanthorn {

/// "node 'conv1' (Conv), models/resnet.py:93"
std::string node_place(const Node& node);

/// How one node is run on values.
struct NodeRun {
  const OpEntry& op;
  const Node& node;
  /// One per input of the node, none where absent.
  std::span<const Value> inputs;
  /// Per input the graph's constant or null; only those may be packed.
  std::span<const Tensor* const> constants;
  SubgraphRunner* subgraphs = nullptr;
  PackedConstants* packed = nullptr;  // null: the reference only
  IsaLevel isa = IsaLevel::kBaseline;
  const RunOptions& options;   // its max_bytes is what this node's outputs may take
  bool bf16 = false;           // as KernelQuery has it
};

/// Infers, allocates the outputs, picks the kernel and runs it. Outputs that nobody asks for are
/// none. `kernel_name` is set to what ran.
Result<std::vector<Value>> run_node(const NodeRun& run, std::string_view* kernel_name = nullptr);

}  // namespace lanthorn
