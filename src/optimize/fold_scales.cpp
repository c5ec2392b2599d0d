#include <utility>
#include <vector>

#include "optimize/channel_vector.h"
#include "optimize/graph_index.h"
#include "optimize/linear_weights.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// Folds the node (Mul, Div, Add or Sub by a constant per channel) into the linear map before it.
bool fold(GraphIndex& index, Node& node) {
  const bool scales = is_op(node, "Mul") || is_op(node, "Div");
  const bool shifts = is_op(node, "Add") || is_op(node, "Sub");
  if (!scales && !shifts) return false;
  const bool ordered = node.op == "Div" || node.op == "Sub";
  for (size_t i = 0; i < (ordered ? 1u : 2u); ++i) {
    const ValueId x = node.inputs[i], operand = node.inputs[1 - i];
    Node* linear = index.maker(x);
    if (!linear || !index.read_once(x) || !index.constant(operand)) continue;
    const auto weights = LinearWeights::of(index, *linear);
    const int64_t rank = index.rank(x);
    if (!weights || rank < 2 || (shifts && !weights->takes_bias())) continue;
    const auto values = per_channel(index.constant(operand), rank, weights->channel_axis(rank), weights->channels());
    if (!values) continue;
    std::vector<double> scale(values->size(), 1.0), shift(values->size(), 0.0);
    for (size_t c = 0; c < values->size(); ++c) {
      const double value = (*values)[c];
      if (node.op == "Mul") scale[c] = value;
      if (node.op == "Div") scale[c] = 1.0 / value;
      if (node.op == "Add") shift[c] = value;
      if (node.op == "Sub") shift[c] = -value;
    }
    weights->apply(index, *linear, scale, shift);
    std::swap(linear->outputs[0], node.outputs[0]);
    node.op = "Identity";
    node.inputs = {linear->outputs[0]};
    node.attributes = {};
    return true;
  }
  return false;
}

}  // namespace

Result<bool> fold_scales(Graph& graph) {
  GraphIndex index(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!fold(index, node)) continue;
    index.refresh();
    changed = true;
  }
  return changed;
}

}  // namespace lanthorn
