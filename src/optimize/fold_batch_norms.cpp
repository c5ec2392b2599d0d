#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "optimize/channel_vector.h"
#include "optimize/graph_index.h"
#include "optimize/linear_weights.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

struct Affine {
  std::vector<double> scale, shift;
};

std::optional<Affine> affine_of(const GraphIndex& index, const Node& node) {
  if (node.attributes.integer("training_mode", 0) != 0 || node.inputs.size() != 5) return std::nullopt;
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) return std::nullopt;
  }
  std::vector<std::vector<float>> parts;
  for (size_t i = 1; i < 5; ++i) {
    auto part = floats_of(index.constant(node.inputs[i]));
    if (!part || (i > 1 && part->size() != parts[0].size())) return std::nullopt;
    parts.push_back(std::move(*part));
  }
  const double epsilon = node.attributes.real("epsilon", 1e-5f);
  Affine affine;
  for (size_t c = 0; c < parts[0].size(); ++c) {
    const double scale = parts[0][c] / std::sqrt(static_cast<double>(parts[3][c]) + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(parts[1][c] - parts[2][c] * scale);
  }
  return affine;
}

Tensor channel_tensor(const std::vector<double>& values, int64_t rank) {
  Shape shape(static_cast<size_t>(rank - 1), 1);
  shape[0] = static_cast<int64_t>(values.size());
  return float_tensor(std::move(shape), std::vector<float>(values.begin(), values.end()));
}

}  // namespace

Result<bool> fold_batch_norms(Graph& graph) {
  GraphIndex index(graph);
  bool changed = false;
  const size_t count = graph.nodes.size();
  for (size_t n = 0; n < count; ++n) {
    if (!is_op(graph.nodes[n], "BatchNormalization")) continue;
    const auto affine = affine_of(index, graph.nodes[n]);
    if (!affine) continue;
    const ValueId x = graph.nodes[n].inputs[0];
    Node* linear = index.maker(x);
    if (linear && index.read_once(x) && !is_op(*linear, "MatMul")) {
      const auto weights = LinearWeights::of(index, *linear);
      if (weights && weights->channels() == static_cast<int64_t>(affine->scale.size())) {
        weights->apply(index, *linear, affine->scale, affine->shift);
        const ValueId result = graph.nodes[n].outputs[0];
        linear->outputs[0] = result;  // keeps the name of what comes out
        graph.nodes[n].outputs[0] = x;
        graph.nodes[n].op = "Identity";
        graph.nodes[n].inputs = {result};
        graph.nodes[n].attributes = {};
        index.refresh();
        changed = true;
        continue;
      }
    }
    const int64_t rank = index.rank(x);
    if (rank < 2 || index.type(x).dtype != DType::kF32) continue;
    const ValueId scale = graph.add_constant(channel_tensor(affine->scale, rank));
    const ValueId shift = graph.add_constant(channel_tensor(affine->shift, rank));
    const size_t multiply = graph.add_node("Mul", {x, scale}, {});
    Node& node = graph.nodes[n];
    graph.values[graph.nodes[multiply].outputs[0]].type = graph.values[node.outputs[0]].type;
    node.op = "Add";
    node.inputs = {graph.nodes[multiply].outputs[0], shift};
    node.outputs.resize(1);
    node.attributes = {};
    index.refresh();
    changed = true;
  }
  if (changed) LAN_OK(sort_nodes(graph));
  return changed;
}

}  // namespace lanthorn
