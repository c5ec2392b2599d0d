#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "optimize/layout_rules.h"
#include "optimize/shape_facts.h"

namespace lanthorn {

namespace {

constexpr std::array<std::string_view, 4> kReshapes = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};

/// Axes [from_begin, from_end) of the input become axes [to_begin, to_end) of the output.
struct AxisGroup {
  size_t from_begin, from_end, to_begin, to_end;
};

/// The smallest end beyond (i, j) where as many elements lie before both ends.
std::optional<std::pair<size_t, size_t>> next_border(const Dims& from, const Dims& to, size_t i, size_t j) {
  Dim from_product = 1;
  for (size_t p = i; p < from.size(); ++p) {
    from_product = from_product * from[p];
    Dim to_product = 1;
    for (size_t q = j; q < to.size(); ++q) {
      to_product = to_product * to[q];
      if (from_product == to_product) return std::pair(p + 1, q + 1);
    }
  }
  return std::nullopt;
}

/// Cuts a reshape into the smallest independent pieces; nothing where sizes do not tell.
std::optional<std::vector<AxisGroup>> group_axes(const Dims& from, const Dims& to) {
  std::vector<AxisGroup> groups;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    if (i < from.size() && j < to.size() && from[i] == to[j]) {
      groups.push_back({i, i + 1, j, j + 1});
      ++i, ++j;
    } else if (i < from.size() && from[i].is(1)) {
      groups.push_back({i, i + 1, j, j});
      ++i;
    } else if (j < to.size() && to[j].is(1)) {
      groups.push_back({i, i, j, j + 1});
      ++j;
    } else {
      const auto border = next_border(from, to, i, j);
      if (!border) return std::nullopt;
      groups.push_back({i, border->first, j, border->second});
      std::tie(i, j) = *border;
    }
  }
  return groups;
}

/// The order nearest to `order` in which axes of one group lie side by side, first to last.
Order gathered(const Order& order, const std::vector<AxisGroup>& groups) {
  Order result;
  std::vector<bool> taken(groups.size(), false);
  for (const int64_t axis : order) {
    for (size_t g = 0; g < groups.size(); ++g) {
      const auto at = static_cast<size_t>(axis);
      if (taken[g] || at < groups[g].from_begin || at >= groups[g].from_end) continue;
      taken[g] = true;
      for (size_t a = groups[g].from_begin; a < groups[g].from_end; ++a) result.push_back(static_cast<int64_t>(a));
    }
  }
  return result;
}

/// The order of the output's axes when groups lie as they do in `order` of the input's.
Order order_after(const Order& order, const std::vector<AxisGroup>& groups) {
  Order result;
  const auto append = [&](const AxisGroup& group) {
    for (size_t a = group.to_begin; a < group.to_end; ++a) result.push_back(static_cast<int64_t>(a));
  };
  // Axes of size 1 that come from nothing lie anywhere; before everything they disturb nobody.
  for (const AxisGroup& group : groups) {
    if (group.from_begin == group.from_end) append(group);
  }
  for (const int64_t axis : order) {
    for (const AxisGroup& group : groups) {
      if (group.from_begin < group.from_end && static_cast<size_t>(axis) == group.from_begin) append(group);
    }
  }
  return result;
}

}  // namespace

bool lay_out_reshape(Layout& layout, const Node& node) {
  if (!node.domain.empty() || std::find(kReshapes.begin(), kReshapes.end(), node.op) == kReshapes.end()) return false;
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!layout.movable(x) || !layout.movable(y) || is_natural(layout.home(x)) || layout.constant(x)) return false;
  const Dims& from = layout.dims(x);
  const Dims& to = layout.dims(y);
  const auto groups = group_axes(from, to);
  if (!groups) return false;
  const Order order = gathered(layout.home(x), *groups);
  if (is_natural(order) || (order != layout.home(x) && layout.has(x, natural_order(from.size())))) return false;
  const Order result = order_after(order, *groups);
  const auto operand = reshape_operand(permuted(from, order), permuted(to, result));
  if (!operand) return false;
  Node moved;
  moved.op = "Reshape";
  moved.name = node.name;
  moved.source = node.source;
  moved.inputs = {layout.get(x, order), layout.add_ints(*operand)};
  moved.outputs = {layout.make(y, result)};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace lanthorn
