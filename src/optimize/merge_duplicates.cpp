#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/op.h"
#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

// Literals are as small as this; comparing big weights would read all of the file.
constexpr uint64_t kMaxComparedBytes = 256;

bool has_subgraph(const Node& node) {
  for (const auto& [name, attribute] : node.attributes.entries()) {
    if (std::holds_alternative<std::shared_ptr<Graph>>(attribute)) return true;
  }
  return false;
}

bool merge_constants(GraphIndex& index) {
  Graph& graph = index.graph();
  std::map<std::string, ValueId> first;
  bool changed = false;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    const Tensor* tensor = graph.constant(id);
    if (!tensor || tensor->dtype() == DType::kString || !tensor->is_contiguous()) continue;
    if (tensor->byte_size() > kMaxComparedBytes || (index.readers(id).empty() && !index.held(id))) continue;
    std::string key(dtype_name(tensor->dtype()));
    key += shape_text(tensor->shape());
    if (tensor->byte_size() > 0) key.append(reinterpret_cast<const char*>(tensor->data()), tensor->byte_size());
    const auto [entry, is_new] = first.emplace(std::move(key), id);
    if (is_new || index.held(id)) continue;
    index.replace(id, entry->second);
    changed = true;
  }
  return changed;
}

}  // namespace

Result<bool> merge_duplicates(Graph& graph) {
  GraphIndex index(graph);
  bool changed = merge_constants(index);
  std::unordered_map<std::string, std::vector<uint32_t>> seen;
  for (uint32_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const OpEntry* op = find_op(node.op, node.domain);
    if (!op || op->def->random || op->def->values || node.inputs.empty() || has_subgraph(node)) continue;
    std::string key = node.domain + "." + node.op;
    for (const ValueId id : node.inputs) key += "," + std::to_string(id);
    std::vector<uint32_t>& same = seen[key];
    bool merged = false;
    for (const uint32_t earlier : same) {
      const Node& twin = graph.nodes[earlier];
      if (twin.outputs.size() != node.outputs.size() || !(twin.attributes == node.attributes)) continue;
      bool fits = true;
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        fits = fits && ((twin.outputs[i] == kNoValue) == (node.outputs[i] == kNoValue));
        // Two outputs of the graph stay two values: their names differ.
        fits = fits && (node.outputs[i] == kNoValue || !index.held(node.outputs[i]));
      }
      if (!fits) continue;
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        if (node.outputs[i] != kNoValue) index.replace(node.outputs[i], twin.outputs[i]);
      }
      merged = changed = true;
      break;
    }
    if (!merged) same.push_back(n);
  }
  return changed;
}

}  // namespace lanthorn
