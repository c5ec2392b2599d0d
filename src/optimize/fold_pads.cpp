#include <algorithm>
#include <optional>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// The widths [begins..., ends...] by which a Pad widens the axes after the first two with zeros.
std::optional<std::vector<int64_t>> zero_padding(const GraphIndex& index, const Node& node) {
  const int64_t rank = index.rank(node.inputs[0]);
  if (rank < 3 || node.attributes.text("mode", "constant") != "constant") return std::nullopt;
  const ValueId value = input_of(node, 2);
  if (value != kNoValue && index.scalar(value) != 0.0) return std::nullopt;
  const Tensor* tensor = index.constant(node.inputs[1]);
  const auto given = tensor ? tensor->to_ints() : std::nullopt;
  if (!given) return std::nullopt;
  std::vector<int64_t> axes;
  if (input_of(node, 3) != kNoValue) {
    const Tensor* list = index.constant(node.inputs[3]);
    const auto listed = list ? list->to_ints() : std::nullopt;
    if (!listed) return std::nullopt;
    axes = *listed;
  } else {
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  if (given->size() != 2 * axes.size()) return std::nullopt;
  const size_t spatial = static_cast<size_t>(rank - 2);
  std::vector<int64_t> pads(2 * spatial, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    const int64_t begin = (*given)[i], end = (*given)[i + axes.size()];
    if (begin == 0 && end == 0) continue;
    if (axis < 2 || axis >= rank || begin < 0 || end < 0) return std::nullopt;
    pads[static_cast<size_t>(axis - 2)] += begin;
    pads[static_cast<size_t>(axis - 2) + spatial] += end;
  }
  return pads;
}

}  // namespace

Result<bool> fold_pads(Graph& graph) {
  const GraphIndex index(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    const bool pools = is_op(node, "AveragePool");
    if (!is_op(node, "Conv") && !pools) continue;
    const Node* pad = index.maker(node.inputs[0], "Pad");
    if (!pad || node.attributes.text("auto_pad", "NOTSET") != "NOTSET") continue;
    const auto more = zero_padding(index, *pad);
    if (!more) continue;
    std::vector<int64_t> pads = node.attributes.ints("pads", std::vector<int64_t>(more->size(), 0));
    if (pads.size() != more->size()) continue;
    if (pools) {
      // What Pad added counts in the average; what the pooling itself adds must do so too then.
      const bool own = std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p != 0; });
      if (own && node.attributes.integer("count_include_pad", 0) == 0) continue;
      if (node.attributes.integer("ceil_mode", 0) != 0) continue;
      node.attributes.set("count_include_pad", int64_t{1});
    }
    for (size_t i = 0; i < pads.size(); ++i) pads[i] += (*more)[i];
    node.attributes.set("pads", pads);
    node.inputs[0] = pad->inputs[0];
    changed = true;
  }
  return changed;
}

}  // namespace lanthorn
