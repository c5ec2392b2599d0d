#include <optional>
#include <utility>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// The constant operand of a node if it has one value for each place on the last axis of `id`.
ValueId row_operand(const GraphIndex& index, const Node& node, ValueId id) {
  const ValueId other = other_input(node, id);
  const Tensor* tensor = index.constant(other);
  const int64_t rank = index.rank(id);
  if (!tensor || tensor->dtype() != DType::kF32 || tensor->rank() != 1 || rank < 1) return kNoValue;
  const Dim& last = index.type(id).dims.back();
  return last.is(tensor->shape()[0]) && tensor->shape()[0] > 1 ? other : kNoValue;
}

}  // namespace

Result<bool> fuse_affines(Graph& graph) {
  GraphIndex index(graph);
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& multiply = graph.nodes[n];
    if (!is_op(multiply, "Mul")) continue;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = multiply.inputs[i];
      if (x == kNoValue || index.constant(x) || index.type(x).dtype != DType::kF32) continue;
      const ValueId scale = row_operand(index, multiply, x);
      Node* add = index.only_reader(multiply.outputs[0], "Add");
      const ValueId shift = scale == kNoValue || !add ? kNoValue : row_operand(index, *add, multiply.outputs[0]);
      if (shift == kNoValue) continue;
      Node* last = add;
      Attributes attributes;
      if (Node* relu = index.only_reader(add->outputs[0], "Relu")) {
        last = relu;
        attributes.set("activation", std::string("Relu"));
      }
      last->op = "ChannelAffine";
      last->domain = "lanthorn";
      last->inputs = {x, scale, shift};
      last->attributes = std::move(attributes);
      index.refresh();
      changed = true;
      break;
    }
  }
  return changed;
}

}  // namespace lanthorn
