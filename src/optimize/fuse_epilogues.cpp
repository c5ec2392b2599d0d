#include <cfloat>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/linear_weights.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

struct Epilogue {
  std::string activation;
  float alpha = 0, beta = 0;
};

/// The node as an activation that kernels apply as they store.
std::optional<Epilogue> activation_of(const GraphIndex& index, const Node& node) {
  if (!node.domain.empty()) return std::nullopt;
  const Attributes& attributes = node.attributes;
  if (node.op == "Clip") {
    Epilogue clip{"Clip", -FLT_MAX, FLT_MAX};
    for (size_t i = 1; i < 3; ++i) {
      if (input_of(node, i) == kNoValue) continue;
      const auto bound = index.scalar(node.inputs[i]);
      if (!bound) return std::nullopt;
      (i == 1 ? clip.alpha : clip.beta) = static_cast<float>(*bound);
    }
    return clip;
  }
  if (node.op == "Gelu") {
    return Epilogue{attributes.text("approximate", "none") == "tanh" ? "GeluTanh" : "Gelu", 0, 0};
  }
  if (node.op == "LeakyRelu") return Epilogue{node.op, attributes.real("alpha", 0.01f), 0};
  if (node.op == "HardSigmoid") return Epilogue{node.op, attributes.real("alpha", 0.2f), attributes.real("beta", 0.5f)};
  if (node.op == "Swish") return Epilogue{node.op, attributes.real("alpha", 1.0f), 0};
  if (node.op == "Relu" || node.op == "Sigmoid" || node.op == "Tanh" || node.op == "HardSwish") {
    return Epilogue{node.op, 0, 0};
  }
  return std::nullopt;
}

bool is_float_tensor(const GraphIndex& index, ValueId id) {
  return id != kNoValue && index.type(id).dtype == DType::kF32 && index.rank(id) >= 0;
}

class EpilogueFuser {
 public:
  explicit EpilogueFuser(Graph& graph) : index_(graph) {}

  bool run() {
    bool changed = false;
    for (Node& node : index_.graph().nodes) changed = become_fused(node) || changed;
    for (size_t n = 0; n < index_.graph().nodes.size(); ++n) {
      if (takes_epilogue(index_.graph().nodes[n]) && fuse_next(n)) {
        index_.refresh();
        changed = true;
      }
    }
    return changed;
  }

 private:
  static bool takes_epilogue(const Node& node) { return is_own_op(node, "FusedConv") || is_own_op(node, "FusedMatMul"); }

  /// MatMul and Gemm by a constant matrix.
  bool become_fused(Node& node) const {
    const bool gemm = is_op(node, "Gemm");
    if (!gemm && !is_op(node, "MatMul")) return false;
    const Tensor* weights = index_.constant(node.inputs[1]);
    if (!weights || weights->rank() != 2 || weights->dtype() != DType::kF32) return false;
    if (!is_float_tensor(index_, node.inputs[0]) || index_.rank(node.inputs[0]) < 2) return false;
    Attributes attributes;
    if (gemm) {
      const Attributes& from = node.attributes;
      if (from.real("alpha", 1) != 1 || from.real("beta", 1) != 1 || from.integer("transA", 0) != 0) return false;
      const auto linear = LinearWeights::of(index_, node);
      if (!linear) return false;
      if (input_of(node, 2) != kNoValue) {
        const Tensor* bias = index_.constant(node.inputs[2]);
        if (bias->count() != linear->channels()) return false;
        if (bias->rank() != 1) node.inputs[2] = index_.graph().add_constant(bias->reshaped({linear->channels()}));
      }
      if (from.integer("transB", 0) != 0) attributes.set("transB", int64_t{1});
    }
    node.op = "FusedMatMul";
    node.domain = "lanthorn";
    node.attributes = std::move(attributes);
    return true;
  }

  /// Moves the node to its only reader's place, with what the reader does added to it.
  void absorb(Node& node, Node& reader) {
    reader.op = node.op;
    reader.domain = node.domain;
    reader.inputs = node.inputs;
    reader.attributes = node.attributes;
    if (reader.source.empty()) reader.source = node.source;
    if (!node.name.empty()) reader.name = node.name;
    node.op = "Identity";  // read by nobody now
    node.domain.clear();
    node.inputs.resize(1);
    node.attributes = {};
  }

  bool fuse_next(size_t n) {
    Node& node = index_.graph().nodes[n];
    const ValueId y = node.outputs[0];
    Node* reader = index_.only_reader(y);
    if (!reader || reader == &node || !is_float_tensor(index_, reader->outputs[0])) return false;
    if (!node.attributes.text("activation", "").empty()) return false;
    if (is_op(*reader, "Add")) {
      const ValueId other = other_input(*reader, y);
      if (other == kNoValue || index_.constant(other) || input_of(node, 3) != kNoValue) return false;
      if (!is_float_tensor(index_, other) || index_.type(other).dims != index_.type(y).dims) return false;
      absorb(node, *reader);
      reader->inputs.resize(4, kNoValue);
      reader->inputs[3] = other;
      return true;
    }
    const auto activation = activation_of(index_, *reader);
    if (!activation || reader->inputs[0] != y) return false;
    absorb(node, *reader);
    reader->attributes.set("activation", activation->activation);
    reader->attributes.set("alpha", activation->alpha);
    reader->attributes.set("beta", activation->beta);
    return true;
  }

  GraphIndex index_;
};

}  // namespace

Result<bool> fuse_epilogues(Graph& graph) { return EpilogueFuser(graph).run(); }

}  // namespace lanthorn
