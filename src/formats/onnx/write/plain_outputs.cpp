#include "formats/onnx/write/plain_outputs.h"

#include <unordered_set>

namespace lanthorn::onnx {

void make_outputs_plain(Graph& graph) {
  const std::vector<uint32_t> made_by = makers(graph);
  std::unordered_set<ValueId> seen;
  for (ValueId& output : graph.outputs) {
    if (made_by[output] != kNoNode && seen.insert(output).second) continue;
    Node copy{.op = "Identity", .inputs = {output}};
    copy.outputs = {graph.add_value("", graph.values[output].type)};
    output = copy.outputs[0];
    graph.nodes.push_back(std::move(copy));
  }
}

}  // namespace lanthorn::onnx
