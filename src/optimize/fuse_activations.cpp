#include <optional>
#include <utility>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

class ActivationFuser {
 public:
  explicit ActivationFuser(Graph& graph) : index_(graph) {}

  bool run() {
    bool changed = false;
    for (size_t n = 0; n < index_.graph().nodes.size(); ++n) {
      Node& node = index_.graph().nodes[n];
      if (!node.domain.empty()) continue;
      if (hard_sigmoid(node) || hard_swish(node) || swish(node) || gelu_erf(node) || gelu_tanh(node)) {
        index_.refresh();
        changed = true;
      }
    }
    return changed;
  }

 private:
  static void become(Node& node, std::string op, ValueId x, Attributes attributes = {}) {
    node.op = std::move(op);
    node.inputs = {x};
    node.attributes = std::move(attributes);
  }

  /// x of `op`(x, number) in either order.
  ValueId with_scalar(const Node* node, std::string_view op, double number) const {
    if (!node || !is_op(*node, op) || node->inputs.size() != 2) return kNoValue;
    if (index_.is_scalar(node->inputs[1], number)) return node->inputs[0];
    return op != "Div" && index_.is_scalar(node->inputs[0], number) ? node->inputs[1] : kNoValue;
  }
  /// x where `id` is x times the number.
  ValueId scaled(ValueId id, double number) const {
    const Node* node = index_.maker(id);
    const ValueId product = with_scalar(node, "Mul", number);
    return product != kNoValue ? product : with_scalar(node, "Div", 1.0 / number);
  }
  /// x where `id` is clip(x + 3, 0, 6).
  ValueId clipped_ramp(ValueId id) const {
    const Node* clip = index_.maker(id, "Clip");
    if (!clip || clip->inputs.size() != 3 || !index_.is_scalar(clip->inputs[2], 6)) return kNoValue;
    if (index_.scalar(clip->inputs[1]) != 0.0) return kNoValue;
    return with_scalar(index_.maker(clip->inputs[0]), "Add", 3);
  }

  bool hard_sigmoid(Node& node) {
    const ValueId ramp = scaled(node.outputs[0], 1.0 / 6);
    const ValueId x = ramp == kNoValue ? kNoValue : clipped_ramp(ramp);
    if (x == kNoValue) return false;
    become(node, "HardSigmoid", x, {{"alpha", 1.0f / 6}, {"beta", 0.5f}});
    return true;
  }

  bool hard_swish(Node& node) {
    if (node.op == "Mul") {
      for (size_t i = 0; i < 2; ++i) {
        const Node* gate = index_.maker(node.inputs[i], "HardSigmoid");
        if (!gate || gate->inputs[0] != node.inputs[1 - i]) continue;
        const double alpha = gate->attributes.real("alpha", 0.2f), beta = gate->attributes.real("beta", 0.5f);
        if (alpha < 0.16666 || alpha > 0.16667 || beta != 0.5) continue;
        become(node, "HardSwish", gate->inputs[0]);
        return true;
      }
    }
    const ValueId product = scaled(node.outputs[0], 1.0 / 6);
    const Node* multiply = product == kNoValue ? nullptr : index_.maker(product, "Mul");
    if (!multiply) return false;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = multiply->inputs[1 - i];
      if (clipped_ramp(multiply->inputs[i]) != x) continue;
      become(node, "HardSwish", x);
      return true;
    }
    return false;
  }

  /// x * sigmoid(alpha * x)
  bool swish(Node& node) {
    if (node.op != "Mul") return false;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = node.inputs[1 - i];
      const Node* gate = index_.maker(node.inputs[i], "Sigmoid");
      if (!gate) continue;
      if (gate->inputs[0] == x) {
        become(node, "Swish", x);
        return true;
      }
      const Node* multiply = index_.maker(gate->inputs[0], "Mul");
      const ValueId factor = multiply ? other_input(*multiply, x) : kNoValue;
      const auto alpha = factor == kNoValue ? std::nullopt : index_.scalar(factor);
      if (!alpha) continue;
      become(node, "Swish", x, {{"alpha", static_cast<float>(*alpha)}});
      return true;
    }
    return false;
  }

  /// Follows a product of `sum` with x and 1/2, in any order; the last node of it, or null.
  Node* half_product(ValueId sum, ValueId x) const {
    bool has_x = false, has_half = false;
    ValueId at = sum;
    for (int i = 0; i < 2; ++i) {
      Node* next = index_.only_reader(at);
      if (!next || !next->domain.empty()) return nullptr;
      const ValueId other = other_input(*next, at);
      if (next->op == "Div" && next->inputs[0] == at && index_.is_scalar(other, 2) && !has_half) {
        has_half = true;
      } else if (next->op != "Mul") {
        return nullptr;
      } else if (other == x && !has_x) {
        has_x = true;
      } else if (index_.is_scalar(other, 0.5) && !has_half) {
        has_half = true;
      } else if (scaled(other, 0.5) == x && !has_x && !has_half) {
        has_x = has_half = true;
      } else {
        return nullptr;
      }
      if (has_x && has_half) return next;
      at = next->outputs[0];
    }
    return nullptr;
  }

  Node* one_plus_reader(const Node& node) const {
    Node* add = index_.only_reader(node.outputs[0], "Add");
    return add && with_scalar(add, "Add", 1) == node.outputs[0] ? add : nullptr;
  }

  /// x / 2 * (1 + erf(x / sqrt(2)))
  bool gelu_erf(Node& node) {
    if (node.op != "Erf") return false;
    const ValueId x = scaled(node.inputs[0], 0.70710678118654752);
    Node* sum = x == kNoValue ? nullptr : one_plus_reader(node);
    Node* last = sum ? half_product(sum->outputs[0], x) : nullptr;
    if (!last) return false;
    become(*last, "Gelu", x);
    return true;
  }

  /// x where `id` is x cubed.
  ValueId cubed(ValueId id) const {
    const Node* node = index_.maker(id);
    if (!node) return kNoValue;
    if (is_op(*node, "Pow") && index_.is_scalar(node->inputs[1], 3)) return node->inputs[0];
    if (!is_op(*node, "Mul")) return kNoValue;
    for (size_t i = 0; i < 2; ++i) {
      const Node* square = index_.maker(node->inputs[i]);
      const ValueId x = node->inputs[1 - i];
      if (!square) continue;
      if (is_op(*square, "Mul") && square->inputs[0] == x && square->inputs[1] == x) return x;
      if (with_scalar(square, "Pow", 2) == x) return x;
    }
    return kNoValue;
  }

  /// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
  bool gelu_tanh(Node& node) {
    if (node.op != "Tanh") return false;
    const ValueId inner = scaled(node.inputs[0], 0.79788456080286536);
    const Node* add = inner == kNoValue ? nullptr : index_.maker(inner, "Add");
    if (!add) return false;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = add->inputs[1 - i];
      const ValueId cube = scaled(add->inputs[i], 0.044715);
      if (cube == kNoValue || cubed(cube) != x) continue;
      Node* sum = one_plus_reader(node);
      Node* last = sum ? half_product(sum->outputs[0], x) : nullptr;
      if (!last) return false;
      become(*last, "Gelu", x, {{"approximate", std::string("tanh")}});
      return true;
    }
    return false;
  }

  GraphIndex index_;
};

}  // namespace

Result<bool> fuse_activations(Graph& graph) { return ActivationFuser(graph).run(); }

}  // namespace lanthorn
