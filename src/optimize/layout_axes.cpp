#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "optimize/layout_rules.h"

namespace lanthorn {

namespace {

constexpr std::array<std::string_view, 10> kReductions = {
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
    "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"};

int64_t wrapped(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

bool valid_axes(const std::vector<int64_t>& axes, int64_t rank) {
  return std::all_of(axes.begin(), axes.end(), [&](int64_t a) { return wrapped(a, rank) >= 0 && wrapped(a, rank) < rank; });
}

std::vector<int64_t> moved_axes(const std::vector<int64_t>& axes, const Order& order) {
  std::vector<int64_t> result;
  for (const int64_t axis : axes) result.push_back(position_of(order, wrapped(axis, static_cast<int64_t>(order.size()))));
  return result;
}

/// The order of what is left of `order` when some axes are taken out.
Order without_axes(const Order& order, const std::vector<int64_t>& axes) {
  const auto rank = static_cast<int64_t>(order.size());
  std::vector<int64_t> renumbered(order.size(), -1);
  int64_t next = 0;
  const auto gone = [&](int64_t axis) {
    return std::any_of(axes.begin(), axes.end(), [&](int64_t a) { return wrapped(a, rank) == axis; });
  };
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!gone(axis)) renumbered[static_cast<size_t>(axis)] = next++;
  }
  Order result;
  for (const int64_t axis : order) {
    if (!gone(axis)) result.push_back(renumbered[static_cast<size_t>(axis)]);
  }
  return result;
}

bool reduce(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const int64_t rank = layout.rank(x);
  std::vector<int64_t> axes = node.attributes.ints("axes");
  if (node.inputs.size() > 1 && node.inputs[1] != kNoValue) {
    const auto given = layout.constant_ints(node.inputs[1]);
    if (!given) return false;
    axes = *given;
  }
  if (axes.empty() || !valid_axes(axes, rank)) return false;
  std::vector<int64_t> moved_to = moved_axes(axes, order);
  std::sort(moved_to.begin(), moved_to.end());
  Node moved = relaid(node);
  moved.attributes.remove("axes");
  moved.inputs = {layout.get(x, order), layout.add_ints(moved_to)};
  const bool keeps = node.attributes.integer("keepdims", 1) != 0;
  moved.outputs = {layout.make(node.outputs[0], keeps ? order : without_axes(order, axes))};
  layout.emit(std::move(moved));
  return true;
}

bool arg_extreme(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const int64_t axis = node.attributes.integer("axis", 0);
  if (!valid_axes({axis}, layout.rank(x))) return false;
  Node moved = relaid(node);
  moved.attributes.set("axis", position_of(order, wrapped(axis, layout.rank(x))));
  moved.inputs = {layout.get(x, order)};
  const bool keeps = node.attributes.integer("keepdims", 1) != 0;
  moved.outputs = {layout.make(node.outputs[0], keeps ? order : without_axes(order, {axis}))};
  layout.emit(std::move(moved));
  return true;
}

bool softmax(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const int64_t axis = node.attributes.integer("axis", -1);
  if (!valid_axes({axis}, layout.rank(x))) return false;
  const int64_t position = position_of(order, wrapped(axis, layout.rank(x)));
  // Rows that lie together are much faster than a transpose costs.
  if (position != layout.rank(x) - 1 && wrapped(axis, layout.rank(x)) == layout.rank(x) - 1) return false;
  Node moved = relaid(node);
  moved.attributes.set("axis", position);
  moved.inputs = {layout.get(x, order)};
  moved.outputs = {layout.make(node.outputs[0], order)};
  layout.emit(std::move(moved));
  return true;
}

bool concat(Layout& layout, const Node& node) {
  Order order;
  for (const ValueId id : node.inputs) {
    if (!layout.movable(id)) return false;
    if (order.empty() && !layout.constant(id) && !is_natural(layout.home(id))) order = layout.home(id);
  }
  const int64_t axis = node.attributes.integer("axis", 0);
  if (order.empty() || !valid_axes({axis}, layout.rank(node.inputs[0]))) return false;
  Node moved = relaid(node);
  for (const ValueId id : node.inputs) moved.inputs.push_back(layout.get(id, order));
  moved.attributes.set("axis", position_of(order, wrapped(axis, static_cast<int64_t>(order.size()))));
  moved.outputs = {layout.make(node.outputs[0], order)};
  layout.emit(std::move(moved));
  return true;
}

bool split(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const int64_t axis = node.attributes.integer("axis", 0);
  if (!valid_axes({axis}, layout.rank(x))) return false;
  for (const ValueId id : node.outputs) {
    if (id == kNoValue || !layout.movable(id)) return false;
  }
  Node moved = relaid(node);
  moved.attributes.set("axis", position_of(order, wrapped(axis, layout.rank(x))));
  moved.inputs = {layout.get(x, order)};
  if (node.inputs.size() > 1) moved.inputs.push_back(layout.natural(node.inputs[1]));
  for (const ValueId id : node.outputs) moved.outputs.push_back(layout.make(id, order));
  layout.emit(std::move(moved));
  return true;
}

/// The constant axes that input `i` names; all of them where it is absent and `count` says how many.
std::optional<std::vector<int64_t>> named_axes(const Layout& layout, const Node& node, size_t i, size_t count) {
  if (i < node.inputs.size() && node.inputs[i] != kNoValue) return layout.constant_ints(node.inputs[i]);
  std::vector<int64_t> axes;
  for (size_t a = 0; a < count; ++a) axes.push_back(static_cast<int64_t>(a));
  return axes;
}

bool slice(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const Dims& starts = layout.dims(node.inputs[1]);
  if (starts.size() != 1 || !starts[0].is_known()) return false;
  const auto axes = named_axes(layout, node, 3, static_cast<size_t>(starts[0].value()));
  if (!axes || !valid_axes(*axes, layout.rank(x))) return false;
  Node moved = relaid(node);
  moved.inputs = {layout.get(x, order), layout.natural(node.inputs[1]), layout.natural(node.inputs[2]),
                  layout.add_ints(moved_axes(*axes, order))};
  if (node.inputs.size() > 4) moved.inputs.push_back(layout.natural(node.inputs[4]));
  moved.outputs = {layout.make(node.outputs[0], order)};
  layout.emit(std::move(moved));
  return true;
}

bool pad(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const auto axes = named_axes(layout, node, 3, order.size());
  if (!axes || !valid_axes(*axes, layout.rank(x))) return false;
  Node moved = relaid(node);
  moved.inputs = {layout.get(x, order), layout.natural(node.inputs[1]),
                  node.inputs.size() > 2 ? layout.natural(node.inputs[2]) : kNoValue,
                  layout.add_ints(moved_axes(*axes, order))};
  moved.outputs = {layout.make(node.outputs[0], order)};
  layout.emit(std::move(moved));
  return true;
}

/// Scales or sizes go axis by axis; those of the axes named, in their new places.
bool resize(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  const Order order = layout.home(x);
  const bool has_region = node.inputs.size() > 1 && node.inputs[1] != kNoValue && !layout.dims(node.inputs[1]).empty() &&
                          !layout.dims(node.inputs[1])[0].is(0);
  if (has_region || node.attributes.text("keep_aspect_ratio_policy", "stretch") != "stretch") return false;
  std::vector<int64_t> axes = node.attributes.ints("axes", natural_order(order.size()));
  if (!valid_axes(axes, layout.rank(x))) return false;
  Node moved = relaid(node);
  moved.attributes.set("axes", moved_axes(axes, order));
  moved.inputs = {layout.get(x, order), kNoValue};
  for (size_t i = 2; i < node.inputs.size(); ++i) moved.inputs.push_back(layout.natural(node.inputs[i]));
  moved.outputs = {layout.make(node.outputs[0], order)};
  layout.emit(std::move(moved));
  return true;
}

/// Gather of one position: the axis goes.
bool gather_one(Layout& layout, const Node& node) {
  const ValueId x = node.inputs[0];
  if (!layout.movable(node.inputs[1]) || layout.rank(node.inputs[1]) != 0 || layout.constant(x)) return false;
  const Order order = layout.home(x);
  const int64_t axis = node.attributes.integer("axis", 0);
  if (!valid_axes({axis}, layout.rank(x))) return false;
  Node moved = relaid(node);
  moved.attributes.set("axis", position_of(order, wrapped(axis, layout.rank(x))));
  moved.inputs = {layout.get(x, order), layout.natural(node.inputs[1])};
  moved.outputs = {layout.make(node.outputs[0], without_axes(order, {axis}))};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace

bool lay_out_axes(Layout& layout, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty() || !layout.movable(node.inputs[0])) return false;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue && !layout.movable(node.outputs[i])) return false;
  }
  if (node.op == "Concat") return concat(layout, node);
  if (is_natural(layout.home(node.inputs[0]))) return false;
  if (std::find(kReductions.begin(), kReductions.end(), node.op) != kReductions.end()) return reduce(layout, node);
  if (node.op == "ArgMax" || node.op == "ArgMin") return arg_extreme(layout, node);
  if (node.op == "Softmax" || node.op == "LogSoftmax") return softmax(layout, node);
  if (node.op == "Split") return split(layout, node);
  if (node.op == "Slice") return slice(layout, node);
  if (node.op == "Pad") return pad(layout, node);
  if (node.op == "Resize") return resize(layout, node);
  if (node.op == "Gather") return gather_one(layout, node);
  return false;
}

}  // namespace lanthorn
