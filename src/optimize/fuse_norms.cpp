#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// (x - mean) / sqrt(variance + epsilon), or x / sqrt(mean of squares + epsilon), over the axes from
/// `axis` on.
struct Normalized {
  ValueId x = kNoValue;
  bool centered = false;
  int64_t axis = 0;
  double epsilon = 0;
};

class NormFuser {
 public:
  explicit NormFuser(Graph& graph) : index_(graph) {}

  bool run() {
    bool changed = false;
    const size_t count = index_.graph().nodes.size();
    for (size_t n = 0; n < count; ++n) {
      const auto found = match(index_.graph().nodes[n]);
      if (!found || !rewrite(n, *found)) continue;
      index_.refresh();
      changed = true;
    }
    return changed;
  }

 private:
  /// The axis from which a mean that keeps its axes is taken on, if it is of all the last ones.
  std::optional<int64_t> mean_axis(const Node& node) const {
    const int64_t rank = index_.rank(node.inputs[0]);
    if (!is_op(node, "ReduceMean") || rank < 1 || node.attributes.integer("keepdims", 1) != 1) return std::nullopt;
    std::vector<int64_t> axes = node.attributes.ints("axes");
    if (const Tensor* tensor = index_.constant(input_of(node, 1))) axes = tensor->to_ints().value_or(axes);
    if (axes.empty()) return std::nullopt;
    std::vector<bool> taken(static_cast<size_t>(rank), false);
    for (int64_t axis : axes) {
      if (axis < 0) axis += rank;
      if (axis < 0 || axis >= rank) return std::nullopt;
      taken[static_cast<size_t>(axis)] = true;
    }
    int64_t first = 0;
    while (first < rank && !taken[static_cast<size_t>(first)]) ++first;
    for (int64_t axis = first; axis < rank; ++axis) {
      if (!taken[static_cast<size_t>(axis)]) return std::nullopt;
    }
    return first;
  }

  /// The value that is squared, or kNoValue.
  ValueId squared(ValueId id) const {
    const Node* node = index_.maker(id);
    if (!node) return kNoValue;
    if (is_op(*node, "Mul") && node->inputs[0] == node->inputs[1]) return node->inputs[0];
    return is_op(*node, "Pow") && index_.is_scalar(node->inputs[1], 2) ? node->inputs[0] : kNoValue;
  }

  /// Matches sqrt(mean(square(d)) + epsilon): gives d, axis and epsilon.
  std::optional<Normalized> match_deviation(ValueId id) const {
    const Node* root = index_.maker(id, "Sqrt");
    const Node* sum = root ? index_.maker(root->inputs[0], "Add") : nullptr;
    if (!sum) return std::nullopt;
    for (size_t i = 0; i < 2; ++i) {
      const auto epsilon = index_.scalar(sum->inputs[i]);
      const Node* mean = index_.maker(sum->inputs[1 - i]);
      if (!epsilon || !mean || !is_op(*mean, "ReduceMean")) continue;
      const auto axis = mean_axis(*mean);
      const ValueId d = squared(mean->inputs[0]);
      if (!axis || d == kNoValue) continue;
      return Normalized{d, false, *axis, *epsilon};
    }
    return std::nullopt;
  }

  std::optional<Normalized> match(const Node& node) const {
    ValueId top = kNoValue;
    std::optional<Normalized> found;
    if (is_op(node, "Div")) {
      top = node.inputs[0];
      found = match_deviation(node.inputs[1]);
    } else if (is_op(node, "Mul")) {
      for (size_t i = 0; i < 2 && !found; ++i) {
        const Node* inverse = index_.maker(node.inputs[i]);
        if (!inverse) continue;
        top = node.inputs[1 - i];
        if (is_op(*inverse, "Reciprocal")) found = match_deviation(inverse->inputs[0]);
        if (is_op(*inverse, "Div") && index_.is_scalar(inverse->inputs[0], 1)) found = match_deviation(inverse->inputs[1]);
      }
    }
    if (!found || found->x != top || index_.type(top).dtype != DType::kF32) return std::nullopt;
    const Node* difference = index_.maker(top, "Sub");
    const Node* mean = difference ? index_.maker(difference->inputs[1], "ReduceMean") : nullptr;
    if (mean && mean->inputs[0] == difference->inputs[0] && mean_axis(*mean) == found->axis) {
      found->x = difference->inputs[0];
      found->centered = true;
    }
    return found;
  }

  /// The constant operand of a node that scales or shifts `id` by one value per normalized element.
  ValueId affine(const Node* node, ValueId id, const Dims& normalized) const {
    if (!node) return kNoValue;
    const ValueId other = other_input(*node, id);
    const Tensor* tensor = index_.constant(other);
    if (!tensor || tensor->dtype() != DType::kF32) return kNoValue;
    const Dims dims(tensor->shape().begin(), tensor->shape().end());
    return dims == normalized ? other : kNoValue;
  }

  bool rewrite(size_t n, const Normalized& found) {
    Graph& graph = index_.graph();
    const Dims& all = index_.type(found.x).dims;
    const Dims normalized(all.begin() + static_cast<ptrdiff_t>(found.axis), all.end());
    if (!all_known(normalized)) return false;
    ValueId result = graph.nodes[n].outputs[0];
    Node* last = &graph.nodes[n];
    ValueId scale = kNoValue, bias = kNoValue;
    Node* multiply = index_.only_reader(result, "Mul");
    scale = affine(multiply, result, normalized);
    if (scale != kNoValue) {
      last = multiply;
      result = multiply->outputs[0];
    }
    if (found.centered) {
      Node* add = index_.only_reader(result, "Add");
      bias = affine(add, result, normalized);
      if (bias != kNoValue) {
        last = add;
        result = add->outputs[0];
      }
    }
    if (scale == kNoValue) {
      Shape shape;
      for (const Dim& dim : normalized) shape.push_back(dim.value());
      auto ones = Tensor::allocate(DType::kF32, shape);
      if (!ones) return false;
      for (float& value : ones->mutable_as<float>()) value = 1.0f;
      scale = graph.add_constant(*std::move(ones));
    }
    last->op = found.centered ? "LayerNormalization" : "RMSNormalization";
    last->inputs = {found.x, scale};
    if (bias != kNoValue) last->inputs.push_back(bias);
    last->attributes = {{"axis", found.axis}, {"epsilon", static_cast<float>(found.epsilon)}};
    return true;
  }

  GraphIndex index_;
};

}  // namespace

Result<bool> fuse_norms(Graph& graph) { return NormFuser(graph).run(); }

}  // namespace lanthorn
