#include <utility>
#include <vector>

#include "optimize/layout_rules.h"

namespace lanthorn {

namespace {

/// True if the axes from `axis` on lie last and in their own order.
bool ends_naturally(const Order& order, int64_t axis) {
  for (size_t i = static_cast<size_t>(axis); i < order.size(); ++i) {
    if (order[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

/// Reads its operands where they lie, as long as rows of Q are rows in memory; the output's heads lie
/// side by side, as what follows nearly always wants them.
bool attention(Layout& layout, const Node& node) {
  constexpr const char* kOrders[] = {"q_order", "k_order", "v_order"};
  const Order heads_inside = {0, 2, 1, 3};
  Node moved = relaid(node);
  for (size_t i = 0; i < 3; ++i) {
    if (!layout.movable(node.inputs[i]) || layout.rank(node.inputs[i]) != 4 || node.attributes.has(kOrders[i])) return false;
  }
  for (size_t i = 0; i < 3; ++i) {
    Order order = layout.home(node.inputs[i]);
    if (i == 0 && order.back() != 3) order = natural_order(4);
    moved.inputs.push_back(layout.get(node.inputs[i], order));
    moved.attributes.set(kOrders[i], order);
  }
  if (node.inputs.size() > 3) moved.inputs.push_back(layout.natural(node.inputs[3]));
  moved.attributes.set("y_order", heads_inside);
  moved.outputs = {layout.make(node.outputs[0], heads_inside)};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace

bool lay_out_rows(Layout& layout, const Node& node) {
  if (node.domain == "lanthorn" && node.op == "FusedAttention") return attention(layout, node);
  if (!node.domain.empty()) return false;
  const bool norm = node.op == "LayerNormalization" || node.op == "RMSNormalization";
  const bool product = node.op == "MatMul";
  if (!norm && !product) return false;
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!layout.movable(x) || !layout.movable(y) || layout.rank(x) < 2 || is_natural(layout.home(x))) return false;
  const Order order = layout.home(x);
  const int64_t rank = layout.rank(x);
  int64_t axis = norm ? node.attributes.integer("axis", -1) : rank - 1;
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || !ends_naturally(order, axis) || node.outputs.size() != 1) return false;
  if (product && (!layout.constant(node.inputs[1]) || layout.rank(node.inputs[1]) != 2)) return false;
  Node moved = relaid(node);
  moved.inputs = {layout.get(x, order)};
  for (size_t i = 1; i < node.inputs.size(); ++i) moved.inputs.push_back(layout.natural(node.inputs[i]));
  moved.outputs = {layout.make(y, order)};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace lanthorn
