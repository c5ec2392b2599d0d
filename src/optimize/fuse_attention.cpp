#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/passes.h"
#include "optimize/shape_facts.h"

namespace lanthorn {

namespace {

/// softmax(scale * q kt + mask) v, as found in a graph.
struct Found {
  struct Mask {
    ValueId id = kNoValue;
    bool five_axes = false;  // with a leading axis of size 1 too many
  };
  ValueId q = kNoValue, k_transposed = kNoValue, v = kNoValue, product = kNoValue;
  std::vector<Mask> masks;
  double scale = 1;
  ValueId head_scale = kNoValue;  // a constant [heads, 1, 1] on top of scale
  uint32_t last = kNoNode;  // the second product
};

class AttentionFuser {
 public:
  explicit AttentionFuser(Graph& graph) : index_(graph) {}

  Result<bool> run() {
    bool changed = false;
    const size_t count = index_.graph().nodes.size();
    for (size_t n = 0; n < count; ++n) {
      if (const auto found = match(index_.graph().nodes[n])) {
        rewrite(*found);
      } else if (!use_operator(n)) {
        continue;
      }
      index_.refresh();
      changed = true;
    }
    if (changed) LAN_OK(sort_nodes(index_.graph()));
    return changed;
  }

 private:
  const Dims& dims(ValueId id) const { return index_.type(id).dims; }

  /// Takes multiplications and divisions by numbers off a value that is read once.
  ValueId without_scale(ValueId id, double& scale) const {
    while (index_.read_once(id)) {
      const Node* node = index_.maker(id);
      if (!node || (!is_op(*node, "Mul") && !is_op(*node, "Div"))) return id;
      auto number = index_.scalar(node->inputs[1]);
      ValueId rest = node->inputs[0];
      if (!number && node->op == "Mul") {
        number = index_.scalar(node->inputs[0]);
        rest = node->inputs[1];
      }
      if (!number || *number == 0 || index_.type(rest).dtype != DType::kF32) return id;
      scale *= node->op == "Mul" ? *number : 1 / *number;
      id = rest;
    }
    return id;
  }

  /// The same below a transpose, which stays.
  ValueId key_without_scale(ValueId id, double& scale) {
    id = without_scale(id, scale);
    Node* transpose = index_.maker(id, "Transpose");
    if (transpose && index_.read_once(id)) transpose->inputs[0] = without_scale(transpose->inputs[0], scale);
    return id;
  }

  std::optional<Found> match(const Node& softmax) {
    if (!is_op(softmax, "Softmax") || index_.type(softmax.outputs[0]).dtype != DType::kF32) return std::nullopt;
    const ValueId weights = softmax.outputs[0];
    const int64_t rank = index_.rank(weights);
    if (rank < 3 || rank > 5) return std::nullopt;
    const int64_t axis = softmax.attributes.integer("axis", -1);
    if (axis != -1 && axis != rank - 1) return std::nullopt;
    const Node* second = index_.only_reader(weights, "MatMul");
    if (!second || second->inputs[0] != weights || second->inputs[1] == weights) return std::nullopt;
    Found found;
    found.v = second->inputs[1];
    found.last = index_.readers(weights)[0];
    if (!peel(softmax.inputs[0], found, 0)) return std::nullopt;
    const Node* first = index_.maker(found.product, "MatMul");
    if (!fits(first->inputs[0], first->inputs[1], found.v, rank)) return std::nullopt;
    found.q = without_scale(first->inputs[0], found.scale);
    found.k_transposed = key_without_scale(first->inputs[1], found.scale);
    return found;
  }

  /// Goes up from the scores to their product, through scales and masks. Nothing is changed.
  bool peel(ValueId id, Found& found, int depth) const {
    constexpr int kMaxDepth = 6;
    const Node* node = index_.maker(id);
    if (!node || depth > kMaxDepth || !index_.read_once(id) || !node->domain.empty()) return false;
    if (node->op == "MatMul") {
      found.product = id;
      return true;
    }
    if (node->op == "Mul" || node->op == "Div") return peel_scale(*node, found, depth);
    if (node->op == "Add") {
      if (found.scale != 1 || found.head_scale != kNoValue) return false;  // would scale the mask too
      for (size_t i = 0; i < 2; ++i) {
        const ValueId mask = node->inputs[1 - i];
        if (index_.rank(mask) < 0 || index_.rank(mask) > std::min<int64_t>(index_.rank(id), 4)) continue;
        if (index_.rank(id) == 5 && index_.rank(mask) == 4 && !dims(mask)[0].is(1)) continue;
        if (dims(node->inputs[i]) != dims(id)) continue;
        if (!peel(node->inputs[i], found, depth + 1)) continue;
        found.masks.push_back({mask, false});
        return true;
      }
    }
    return node->op == "Reshape" && peel_windows(*node, found, depth);
  }

  bool peel_scale(const Node& node, Found& found, int depth) const {
    for (size_t i = 0; i < (node.op == "Div" ? 1u : 2u); ++i) {
      const ValueId factor = node.inputs[1 - i];
      const Tensor* tensor = index_.constant(factor);
      if (!tensor || dims(node.inputs[i]) != dims(node.outputs[0])) continue;
      if (const auto number = index_.scalar(factor); number && *number != 0) {
        found.scale *= node.op == "Mul" ? *number : 1 / *number;
        return peel(node.inputs[i], found, depth + 1);
      }
      const Shape& shape = tensor->shape();
      const bool per_head = shape.size() >= 3 && shape[shape.size() - 1] == 1 && shape[shape.size() - 2] == 1;
      if (!per_head || node.op == "Div" || found.head_scale != kNoValue) continue;
      found.head_scale = factor;
      return peel(node.inputs[i], found, depth + 1);
    }
    return false;
  }

  /// A mask that repeats over the batch, added between two reshapes: [batch * windows, heads, t, t] is
  /// seen as [batch, windows, heads, t, t] and the mask is [1, windows, 1, t, t].
  bool peel_windows(const Node& back, Found& found, int depth) const {
    if (found.scale != 1 || found.head_scale != kNoValue) return false;
    const Node* add = index_.maker(back.inputs[0], "Add");
    if (!add || !index_.read_once(back.inputs[0])) return false;
    for (size_t i = 0; i < 2; ++i) {
      const Node* apart = index_.maker(add->inputs[i], "Reshape");
      const ValueId mask = add->inputs[1 - i];
      if (!apart || !index_.read_once(add->inputs[i]) || dims(apart->inputs[0]) != dims(back.outputs[0])) continue;
      const Dims& five = dims(add->outputs[0]);
      if (five.size() != 5 || dims(add->inputs[i]) != five || index_.rank(mask) < 4 || index_.rank(mask) > 5) continue;
      const Dims& m = dims(mask);
      const size_t skip = m.size() - 4;
      if (skip == 1 && !m[0].is(1)) continue;
      const bool plain = m[skip] == five[1] && m[skip + 1].is(1) && m[skip + 2] == five[3] &&
                         m[skip + 3] == five[4] && dims(back.outputs[0]).size() == 4;
      if (!plain || !peel(apart->inputs[0], found, depth + 1)) continue;
      found.masks.push_back({mask, m.size() == 5});
      return true;
    }
    return false;
  }

  bool fits(ValueId q, ValueId kt, ValueId v, int64_t rank) const {
    if (index_.rank(q) != rank || index_.rank(kt) != rank || index_.rank(v) != rank) return false;
    for (size_t i = 0; i + 2 < static_cast<size_t>(rank); ++i) {
      if (dims(q)[i] != dims(kt)[i] || dims(q)[i] != dims(v)[i]) return false;
    }
    if (rank < 5) return true;
    Dims y = dims(q);
    y.back() = dims(v).back();
    for (const Dims& five : {dims(q), dims(kt), dims(v), y}) {
      if (!reshape_operand(five, four_dims(five)) || !reshape_operand(four_dims(five), five)) return false;
    }
    return true;
  }

  ValueId add_node(std::string op, std::vector<ValueId> inputs, Attributes attributes, ValueType type) {
    Graph& graph = index_.graph();
    const size_t made = graph.add_node(std::move(op), std::move(inputs), std::move(attributes));
    const ValueId id = graph.nodes[made].outputs[0];
    graph.values[id].type = std::move(type);
    return id;
  }

  /// The value with four axes: a batch of 1 before its three, or the first two of its five as one.
  ValueId four_axes(ValueId id) {
    const ValueType type = index_.type(id);
    if (type.dims.size() == 4) return id;
    if (type.dims.size() == 5) return reshaped(id, four_dims(type.dims));
    Dims wider = type.dims;
    wider.insert(wider.begin(), Dim(1));
    const ValueId axes = index_.graph().add_constant(Tensor::of_ints(std::array<int64_t, 1>{0}));
    return add_node("Unsqueeze", {id, axes}, {}, ValueType::tensor(type.dtype, std::move(wider)));
  }

  static Dims four_dims(const Dims& five) { return {five[0] * five[1], five[2], five[3], five[4]}; }

  ValueId reshaped(ValueId id, const Dims& to) {
    const ValueType type = index_.type(id);
    const ValueId operand = index_.graph().add_constant(Tensor::of_ints(*reshape_operand(type.dims, to)));
    return add_node("Reshape", {id, operand}, {}, ValueType::tensor(type.dtype, to));
  }

  ValueId transposed(ValueId id) {
    const ValueType type = index_.type(id);
    Dims turned = type.dims;
    std::swap(turned[2], turned[3]);
    return add_node("Transpose", {id}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}},
                    ValueType::tensor(type.dtype, std::move(turned)));
  }

  ValueId mask_of(const Found& found) {
    ValueId sum = kNoValue;
    for (const Found::Mask& mask : found.masks) {
      ValueId id = mask.id;
      if (mask.five_axes) {
        const ValueType type = index_.type(id);
        const ValueId axes = index_.graph().add_constant(Tensor::of_ints(std::array<int64_t, 1>{0}));
        id = add_node("Squeeze", {id, axes}, {}, ValueType::tensor(type.dtype, Dims(type.dims.begin() + 1, type.dims.end())));
      }
      if (sum == kNoValue) {
        sum = id;
        continue;
      }
      ValueType type = ValueType::unranked(DType::kF32);  // inferred after the pass
      sum = add_node("Add", {sum, id}, {}, std::move(type));
    }
    return sum;
  }

  void rewrite(const Found& found) {
    ValueId q = found.q;
    if (found.head_scale != kNoValue) q = add_node("Mul", {q, found.head_scale}, {}, ValueType(index_.type(q)));
    std::vector<ValueId> inputs = {four_axes(q), transposed(four_axes(found.k_transposed)), four_axes(found.v)};
    if (const ValueId mask = mask_of(found); mask != kNoValue) inputs.push_back(mask);
    become(found.last, std::move(inputs), found.scale);
  }

  /// Makes node `n` attention of four-axis operands; its output keeps the rank it had.
  void become(uint32_t n, std::vector<ValueId> inputs, double scale) {
    Graph& graph = index_.graph();
    const ValueType result = graph.values[graph.nodes[n].outputs[0]].type;
    const Attributes attributes = {{"scale", static_cast<float>(scale)}};
    if (result.dims.size() == 4) {
      Node& node = graph.nodes[n];
      node.op = "FusedAttention";
      node.domain = "lanthorn";
      node.inputs = std::move(inputs);
      node.attributes = attributes;
      return;
    }
    Dims wider = result.dims;
    if (wider.size() == 5) {
      wider = four_dims(wider);
    } else {
      wider.insert(wider.begin(), Dim(1));
    }
    const ValueId made = add_node("FusedAttention", std::move(inputs), attributes, ValueType::tensor(result.dtype, wider));
    graph.nodes.back().domain = "lanthorn";
    const bool five = result.dims.size() == 5;
    const ValueId operand = graph.add_constant(five ? Tensor::of_ints(*reshape_operand(wider, result.dims))
                                                    : Tensor::of_ints(std::array<int64_t, 1>{0}));
    Node& node = graph.nodes[n];
    node.op = five ? "Reshape" : "Squeeze";
    node.inputs = {made, operand};
    node.attributes = {};
  }

  /// The operator Attention, where it is no more than this.
  bool use_operator(size_t n) {
    const Node& node = index_.graph().nodes[n];
    if (!is_op(node, "Attention") || node.inputs.size() < 3) return false;
    for (size_t i = 4; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) return false;
    }
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) return false;
    }
    for (size_t i = 0; i < 3; ++i) {
      if (index_.rank(node.inputs[i]) != 4 || index_.type(node.inputs[i]).dtype != DType::kF32) return false;
    }
    const Dims& q = dims(node.inputs[0]);
    for (size_t i = 1; i < 3; ++i) {
      if (dims(node.inputs[i])[0] != q[0] || dims(node.inputs[i])[1] != q[1]) return false;
    }
    const ValueId mask = input_of(node, 3);
    if (mask != kNoValue && (index_.type(mask).dtype != DType::kF32 || index_.rank(mask) < 0)) return false;
    const Attributes& attributes = node.attributes;
    if (attributes.integer("is_causal", 0) != 0 || attributes.real("softcap", 0) != 0) return false;
    if (attributes.integer("left_window_size", -1) >= 0) return false;
    if (attributes.integer("right_window_size", -1) >= 0) return false;
    if (mask != kNoValue) {
      // A mask of fewer columns than there are keys is filled up by the operator; not by ours.
      const Dim& columns = dims(mask).empty() ? q[0] : dims(mask).back();
      if (dims(mask).empty() || columns != dims(node.inputs[1])[2]) return false;
    }
    double scale = attributes.real("scale", 0);
    if (scale == 0) {
      if (!q[3].is_known() || q[3].is(0)) return false;
      scale = 1 / std::sqrt(static_cast<double>(q[3].value()));
    }
    std::vector<ValueId> inputs(node.inputs.begin(), node.inputs.begin() + 3);
    if (mask != kNoValue) inputs.push_back(mask);
    become(static_cast<uint32_t>(n), std::move(inputs), scale);
    index_.graph().nodes[n].outputs.resize(1);
    return true;
  }

  GraphIndex index_;
};

}  // namespace

Result<bool> fuse_attention(Graph& graph) { return AttentionFuser(graph).run(); }

}  // namespace lanthorn
