#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "ops/op.h"
#include "optimize/graph_index.h"
#include "optimize/passes.h"
#include "optimize/shape_facts.h"

namespace lanthorn {

namespace {

// A result may be this big in any case, or this many times what it is made from: int4 weights grow
// by 8 as they become float32.
constexpr uint64_t kMaxFoldedBytes = uint64_t{16} << 20;
constexpr uint64_t kMaxGrowth = 8;

std::optional<Tensor> elements_tensor(const ValueType& type, const Dims& elements) {
  if (!type.ranked || !all_known(type.dims) || !all_known(elements)) return std::nullopt;
  Shape shape;
  for (const Dim& dim : type.dims) shape.push_back(dim.value());
  const auto count = checked_product(shape, 1);
  if (!count || *count != elements.size()) return std::nullopt;
  std::vector<int64_t> values;
  for (const Dim& element : elements) values.push_back(element.value());
  const Tensor wide = Tensor::of<int64_t>(DType::kI64, std::move(shape), values);
  if (type.dtype == DType::kI64) return wide;
  auto narrow = wide.cast(type.dtype);
  if (!narrow) return std::nullopt;
  return *std::move(narrow);
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph) {}

  Result<bool> run() {
    LAN_TRY(facts_, find_shape_facts(graph_));
    std::vector<bool> done(graph_.nodes.size(), false);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (node.outputs.empty()) continue;
      done[n] = use_facts(node) || reshape_constant(node) || run_constant(node);
      if (!done[n]) simplify_reshape(n);
    }
    if (std::find(done.begin(), done.end(), true) == done.end()) return changed_;
    std::vector<Node> rest;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!done[n]) rest.push_back(std::move(graph_.nodes[n]));
    }
    graph_.nodes = std::move(rest);
    return true;
  }

 private:
  void set(ValueId id, Tensor tensor) {
    graph_.values[id].type = ValueType::tensor(tensor.dtype(), Dims(tensor.shape().begin(), tensor.shape().end()));
    graph_.values[id].constant = std::move(tensor);
  }

  bool use_facts(const Node& node) {
    std::vector<Tensor> tensors;
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) return false;
      if (id >= facts_.size() || !facts_[id]) return false;
      auto tensor = elements_tensor(graph_.values[id].type, *facts_[id]);
      if (!tensor) return false;
      tensors.push_back(std::move(*tensor));
    }
    for (size_t i = 0; i < tensors.size(); ++i) set(node.outputs[i], std::move(tensors[i]));
    return true;
  }

  /// A constant under another shape shares the bytes.
  bool reshape_constant(const Node& node) {
    if (!node.domain.empty() || node.outputs.size() != 1) return false;
    if (node.op != "Reshape" && node.op != "Squeeze" && node.op != "Unsqueeze" && node.op != "Flatten" &&
        node.op != "Identity") {
      return false;
    }
    const Tensor* tensor = graph_.constant(node.inputs[0]);
    const ValueType& type = graph_.values[node.outputs[0]].type;
    if (!tensor || !tensor->is_contiguous() || !type.ranked || !all_known(type.dims)) return false;
    Shape shape;
    for (const Dim& dim : type.dims) shape.push_back(dim.value());
    if (checked_product(shape, 1) != checked_product(tensor->shape(), 1)) return false;
    set(node.outputs[0], tensor->reshaped(std::move(shape)));
    return true;
  }

  bool worth_folding(const Node& node) const {
    uint64_t made = 0, read = 0;
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      const ValueType& type = graph_.values[id].type;
      if (type.kind != ValueType::Kind::kTensor || !type.ranked || !all_known(type.dims)) return false;
      Shape shape;
      for (const Dim& dim : type.dims) shape.push_back(dim.value());
      const auto bytes = checked_product(shape, dtype_bytes(type.dtype));
      if (!bytes) return false;
      made += *bytes;
    }
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) read += graph_.constant(id)->byte_size();
    }
    return made <= kMaxFoldedBytes || made / kMaxGrowth <= read;
  }

  bool run_constant(const Node& node) {
    const OpEntry* op = find_op(node.op, node.domain);
    if (!op || op->def->values || op->def->random) return false;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !graph_.constant(id)) return false;
    }
    if (!op->def->data_dependent && !worth_folding(node)) return false;
    std::vector<Value> inputs(node.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) inputs[i] = Value(*graph_.constant(node.inputs[i]));
    }
    auto results = run_reference(node, inputs);
    if (!results) return false;  // it fails where it runs, if it runs
    std::vector<Tensor> tensors(node.outputs.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const Tensor* tensor = (*results)[i].tensor();
      if (!tensor || !tensor->defined()) return false;
      tensors[i] = *tensor;
    }
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (node.outputs[i] != kNoValue) set(node.outputs[i], std::move(tensors[i]));
    }
    return true;
  }

  /// Gives a Reshape a constant operand where the shapes allow one, so that what computed it can go.
  void simplify_reshape(size_t n) {
    Node& node = graph_.nodes[n];
    if (!is_op(node, "Reshape") || graph_.constant(node.inputs[1])) return;
    const ValueType& from = graph_.values[node.inputs[0]].type;
    const ValueType& to = graph_.values[node.outputs[0]].type;
    if (!from.ranked || !to.ranked) return;
    const auto operand = reshape_operand(from.dims, to.dims);
    if (!operand) return;
    const ValueId shape = graph_.add_constant(Tensor::of_ints(*operand));
    graph_.nodes[n].inputs[1] = shape;
    graph_.nodes[n].attributes.remove("allowzero");
    changed_ = true;
  }

  Graph& graph_;
  std::vector<std::optional<Dims>> facts_;
  bool changed_ = false;
};

}  // namespace

Result<bool> fold_constants(Graph& graph) { return Folder(graph).run(); }

}  // namespace lanthorn
