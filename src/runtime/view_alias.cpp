#include "runtime/view_alias.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lanthorn {

namespace {

constexpr std::array<std::string_view, 5> kReshapes = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"};

bool transpose_moves_nothing(const Node& node, const Dims& dims) {
  std::vector<int64_t> order = node.attributes.ints("perm");
  if (order.empty()) {
    for (size_t i = dims.size(); i-- > 0;) order.push_back(static_cast<int64_t>(i));
  }
  int64_t last = -1;
  for (const int64_t axis : order) {
    if (axis < 0 || axis >= static_cast<int64_t>(dims.size())) return false;
    if (dims[static_cast<size_t>(axis)].is(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

/// The first axis where the shapes differ, if everything before it has size 1.
std::optional<size_t> only_outer_axis(const Dims& from, const Dims& to) {
  size_t differing = from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == to[i]) continue;
    if (differing != from.size()) return std::nullopt;
    differing = i;
  }
  for (size_t i = 0; i < differing && differing < from.size(); ++i) {
    if (!from[i].is(1)) return std::nullopt;
  }
  return differing;
}

uint64_t bytes_below(const ValueType& type, size_t axis) {
  uint64_t bytes = dtype_bytes(type.dtype);
  for (size_t i = axis + 1; i < type.dims.size(); ++i) bytes *= static_cast<uint64_t>(type.dims[i].value());
  return bytes;
}

std::optional<uint64_t> slice_offset(const ValueType& from, const ValueType& to,
                                     std::span<const Tensor* const> constants) {
  if (constants.size() < 3 || !constants[1]) return std::nullopt;
  if (constants.size() > 4) {
    if (!constants[4]) return std::nullopt;
    const auto steps = constants[4]->to_ints();
    if (!steps || std::any_of(steps->begin(), steps->end(), [](int64_t s) { return s != 1; })) return std::nullopt;
  }
  const auto axis = only_outer_axis(from.dims, to.dims);
  if (!axis) return std::nullopt;
  if (*axis == from.dims.size()) return 0;  // takes everything
  const auto starts = constants[1]->to_ints();
  if (!starts) return std::nullopt;
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t at = static_cast<int64_t>(i);
    if (constants.size() > 3 && constants[3]) at = (*constants[3]->to_ints())[i];
    if (at < 0) at += static_cast<int64_t>(from.dims.size());
    if (at != static_cast<int64_t>(*axis)) continue;
    const int64_t size = from.dims[*axis].value();
    int64_t start = (*starts)[i];
    if (start < 0) start += size;
    start = std::clamp<int64_t>(start, 0, size);
    return static_cast<uint64_t>(start) * bytes_below(from, *axis);
  }
  return std::nullopt;
}

std::optional<uint64_t> split_offset(const Node& node, std::span<const ValueType> inputs,
                                     std::span<const ValueType> outputs, size_t output) {
  const ValueType& from = inputs[0];
  int64_t axis = node.attributes.integer("axis", 0);
  if (axis < 0) axis += static_cast<int64_t>(from.dims.size());
  for (int64_t i = 0; i < axis; ++i) {
    if (!from.dims[static_cast<size_t>(i)].is(1)) return std::nullopt;
  }
  uint64_t before = 0;
  for (size_t i = 0; i < output; ++i) {
    if (!outputs[i].ranked) return std::nullopt;
    before += static_cast<uint64_t>(outputs[i].dims[static_cast<size_t>(axis)].value());
  }
  return before * bytes_below(from, static_cast<size_t>(axis));
}

}  // namespace

std::optional<uint64_t> alias_offset(const Node& node, std::span<const ValueType> inputs,
                                     std::span<const ValueType> outputs, std::span<const Tensor* const> constants,
                                     size_t output) {
  if (!node.domain.empty() || inputs.empty() || inputs[0].dtype != outputs[output].dtype) return std::nullopt;
  if (node.op == "Split") return split_offset(node, inputs, outputs, output);
  if (output != 0) return std::nullopt;
  if (std::find(kReshapes.begin(), kReshapes.end(), node.op) != kReshapes.end() || node.op == "Cast") return 0;
  if (node.op == "Transpose" && transpose_moves_nothing(node, inputs[0].dims)) return 0;
  if (node.op == "Slice") return slice_offset(inputs[0], outputs[0], constants);
  if (node.op == "Expand" && inputs[0].dims == outputs[0].dims) return 0;
  if (node.op == "Concat" && inputs.size() == 1) return 0;
  return std::nullopt;
}

}  // namespace lanthorn
