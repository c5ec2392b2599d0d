// Programs that no one graph says: runs them piece by piece, with the pieces' plans kept.
#include "model/interpreted_run.h"

#include "ops/op.h"

namespace lanthorn {
namespace {

/// Pieces kept; those of answers that do not come again would fill the memory.
constexpr size_t kMaxPieces = 512;
/// Pieces of few nodes over few numbers are not worth a plan.
constexpr size_t kSmallNodes = 8;
constexpr int64_t kSmallCount = 1024;

bool is_small(const script::Piece& piece) {
  if (piece.graph->nodes.size() > kSmallNodes) return false;
  for (const GraphValue& value : piece.graph->values) {
    if (value.constant && value.constant->count() > kSmallCount) return false;
  }
  for (const Value& input : piece.inputs) {
    if (input.tensor() && input.tensor()->count() > kSmallCount) return false;
  }
  for (const Node& node : piece.graph->nodes) {
    const OpEntry* entry = find_op(node.op, node.domain);
    if (!entry || !entry->def->reference || entry->def->random || !subgraphs(node).empty()) return false;
  }
  return true;
}

/// Node by node, with the plain loops.
Result<std::vector<Value>> run_small(const script::Piece& piece) {
  const Graph& graph = *piece.graph;
  std::vector<Value> values(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) values[i] = *graph.values[i].constant;
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) values[graph.inputs[i]] = piece.inputs[i];
  for (const Node& node : graph.nodes) {
    std::vector<Value> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? Value() : values[id]);
    LAN_TRY(std::vector<Value> made, run_reference(node, inputs));
    for (size_t i = 0; i < node.outputs.size() && i < made.size(); ++i) {
      if (node.outputs[i] != kNoValue) values[node.outputs[i]] = std::move(made[i]);
    }
  }
  std::vector<Value> outputs;
  for (const ValueId id : graph.outputs) outputs.push_back(values[id]);
  return outputs;
}

}  // namespace

Result<std::vector<Value>> PieceCache::run(const script::Piece& piece, const RunOptions& options) {
  if (is_small(piece)) return run_small(piece);
  std::shared_ptr<const Executable> executable;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = prepared_.find(piece.key); it != prepared_.end()) executable = it->second;
  }
  if (!executable) {
    LAN_TRY(executable, Executable::create(piece.graph, options_));
    const std::lock_guard lock(mutex_);
    if (prepared_.size() >= kMaxPieces) prepared_.clear();
    prepared_.emplace(piece.key, executable);
  }
  return executable->run(piece.inputs, options);
}

Result<script::Interpretation> PieceCache::interpret(const script::Program& program,
                                                     const std::vector<script::SignatureInput>& signature,
                                                     std::span<const Value> tensors,
                                                     const RunOptions& options,
                                                     const std::vector<NamedValue>* state) {
  return script::interpret(program, program.method, signature, tensors,
                           [&](const script::Piece& piece) { return run(piece, options); }, {}, state);
}

}  // namespace lanthorn
