#include <algorithm>
#include <array>
#include <string_view>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

constexpr std::array<std::string_view, 7> kSameShapeIsSame = {"Reshape", "Flatten", "Squeeze", "Unsqueeze",
                                                             "Expand",  "Cast",    "Tile"};

class Remover {
 public:
  explicit Remover(Graph& graph) : index_(graph) {}

  bool run() {
    bool changed = false;
    for (Node& node : index_.graph().nodes) {
      if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
      const ValueId same = same_as(node);
      if (same == kNoValue || same == node.outputs[0]) continue;
      if (index_.readers(node.outputs[0]).empty() && !index_.held(node.outputs[0])) continue;
      index_.replace(node.outputs[0], same);
      changed = true;
    }
    return changed;
  }

 private:
  bool same_type(const Node& node) const {
    if (node.inputs[0] == kNoValue) return false;
    const ValueType& from = index_.type(node.inputs[0]);
    const ValueType& to = index_.type(node.outputs[0]);
    return from.kind == ValueType::Kind::kTensor && from.dtype == to.dtype && from.dtype != DType::kUndefined &&
           from.ranked && to.ranked && from.dims == to.dims;
  }
  bool all_are(ValueId id, int64_t number) const {
    const Tensor* tensor = index_.constant(id);
    if (!tensor) return false;
    const auto values = tensor->to_ints();
    return values && std::all_of(values->begin(), values->end(), [&](int64_t v) { return v == number; });
  }
  /// The other operand, if operand `i` is a one-element constant that changes nothing.
  ValueId without(const Node& node, size_t i, double neutral) const {
    const ValueId other = node.inputs[1 - i];
    const auto number = index_.scalar(node.inputs[i]);
    if (!number || *number != neutral || other == kNoValue) return kNoValue;
    const ValueType& from = index_.type(other);
    const ValueType& to = index_.type(node.outputs[0]);
    return from.ranked && to.ranked && from.dtype == to.dtype && from.dims == to.dims ? other : kNoValue;
  }

  /// The value that the node's first output equals; kNoValue if there is none.
  ValueId same_as(const Node& node) const {
    if (!node.domain.empty() || node.inputs.empty()) return kNoValue;
    const std::string_view op = node.op;
    if (op == "Identity") return node.inputs[0];
    if (op == "Dropout") {
      const bool mask_is_read = node.outputs.size() > 1 && node.outputs[1] != kNoValue &&
                                (!index_.readers(node.outputs[1]).empty() || index_.held(node.outputs[1]));
      const ValueId training = input_of(node, 2);
      return !mask_is_read && (training == kNoValue || all_are(training, 0)) ? node.inputs[0] : kNoValue;
    }
    if ((op == "Concat" || op == "Sum" || op == "Max" || op == "Min" || op == "Mean") && node.inputs.size() == 1) {
      return node.inputs[0];
    }
    if (op == "Add") {
      const ValueId left = without(node, 1, 0.0);
      return left != kNoValue ? left : without(node, 0, 0.0);
    }
    if (op == "Mul") {
      const ValueId left = without(node, 1, 1.0);
      return left != kNoValue ? left : without(node, 0, 1.0);
    }
    if (op == "Sub") return without(node, 1, 0.0);
    if (op == "Div" || op == "Pow") return without(node, 1, 1.0);
    if (!same_type(node)) return kNoValue;
    if (std::find(kSameShapeIsSame.begin(), kSameShapeIsSame.end(), op) != kSameShapeIsSame.end()) return node.inputs[0];
    if (op == "Slice") {
      const ValueId steps = input_of(node, 4);
      return steps == kNoValue || all_are(steps, 1) ? node.inputs[0] : kNoValue;
    }
    if (op == "Pad") return all_are(node.inputs[1], 0) ? node.inputs[0] : kNoValue;
    if (op == "Transpose") {
      const std::vector<int64_t> order = node.attributes.ints("perm");
      return !order.empty() && std::is_sorted(order.begin(), order.end()) ? node.inputs[0] : kNoValue;
    }
    if (op == "Clip") return input_of(node, 1) == kNoValue && input_of(node, 2) == kNoValue ? node.inputs[0] : kNoValue;
    return kNoValue;
  }

  GraphIndex index_;
};

}  // namespace

Result<bool> remove_identities(Graph& graph) { return Remover(graph).run(); }

}  // namespace lanthorn
