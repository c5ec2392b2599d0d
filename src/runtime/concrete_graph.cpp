#include "runtime/concrete_graph.h"

#include <algorithm>
#include <string>

#include "base/checked.h"
#include "runtime/node_run.h"

namespace lanthorn {

namespace {

template <class T>
Tensor filled(const ValueType& type, Shape shape, const Dims& elements) {
  std::vector<T> values;
  values.reserve(elements.size());
  for (const Dim& element : elements) values.push_back(static_cast<T>(element.value()));
  return Tensor::of<T>(type.dtype, std::move(shape), values);
}

class Concretizer {
 public:
  Concretizer(const Graph& graph) : graph_(graph) {}

  Result<ConcreteGraph> run(std::span<const ValueType> inputs) {
    const size_t count = graph_.values.size();
    out_.types.resize(count);
    out_.constants.resize(count, nullptr);
    out_.elements.resize(count);
    for (ValueId id = 0; id < count; ++id) {
      if (const Tensor* constant = graph_.constant(id)) set_constant(id, constant);
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      out_.types[graph_.inputs[i]] = inputs[i];
      if (inputs[i].kind != ValueType::Kind::kTensor) out_.plannable = false;
    }
    kept_.assign(graph_.nodes.size(), false);
    for (uint32_t n = 0; n < graph_.nodes.size() && out_.plannable; ++n) {
      auto status = visit(n);
      if (!status) return std::move(status).error().at(node_place(graph_.nodes[n]));
    }
    if (out_.plannable) find_live_nodes();
    return std::move(out_);
  }

 private:
  void set_constant(ValueId id, const Tensor* tensor) {
    out_.constants[id] = tensor;
    out_.types[id] = ValueType::tensor(tensor->dtype(), Dims(tensor->shape().begin(), tensor->shape().end()));
  }
  void fold(ValueId id, Tensor tensor) {
    out_.folded.push_back(std::move(tensor));
    set_constant(id, &out_.folded.back());
  }

  Status visit(uint32_t n) {
    const Node& node = graph_.nodes[n];
    const OpEntry* op = find_op(node.op, node.domain);
    if (!op) return Error{ErrorCode::kUnsupported, "there is no operator '" + node.op + "'", ""};
    std::vector<ValueType> types(node.inputs.size());
    std::vector<const Tensor*> constants(node.inputs.size(), nullptr);
    std::vector<std::optional<Dims>> elements(node.inputs.size());
    bool all_constant = true;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue) continue;
      types[i] = out_.types[id];
      constants[i] = out_.constants[id];
      elements[i] = out_.elements[id];
      all_constant = all_constant && constants[i];
    }
    if (op->def->values) {
      out_.plannable = false;
      return ok();
    }
    if (op->def->data_dependent) {
      if (!all_constant || op->def->random) {
        out_.plannable = false;
        return ok();
      }
      return fold_node(node);
    }
    InferContext context(node, types, constants, elements);
    LAN_OK(infer_node(*op, context));
    bool small = true, all_told = true;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      const auto bytes = known_bytes(context.outputs[i]);
      if (!bytes || context.outputs[i].dtype == DType::kUndefined) {
        out_.plannable = false;
        return ok();
      }
      small = small && *bytes <= kMaxFoldedBytes;
      out_.types[id] = context.outputs[i];
      if (i < context.output_elements.size() && context.output_elements[i]) {
        out_.elements[id] = context.output_elements[i];
        if (auto tensor = tensor_of_elements(out_.types[id], *out_.elements[id])) {
          fold(id, std::move(*tensor));
          continue;
        }
      }
      all_told = false;
    }
    if (all_told) return ok();
    if (all_constant && small && !op->def->random) return fold_node(node);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && out_.types[id].dtype == DType::kString) out_.plannable = false;
    }
    kept_[n] = true;
    return ok();
  }

  Status fold_node(const Node& node) {
    std::vector<Value> inputs(node.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) inputs[i] = Value(*out_.constants[node.inputs[i]]);
    }
    LAN_TRY(std::vector<Value> results, run_reference(node, inputs));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const Tensor* tensor = results[i].tensor();
      if (!tensor) {
        out_.plannable = false;
        return ok();
      }
      LAN_TRY(Tensor contiguous, tensor->contiguous());
      fold(node.outputs[i], std::move(contiguous));
    }
    return ok();
  }

  void find_live_nodes() {
    std::vector<bool> needed(graph_.values.size(), false);
    for (const ValueId id : graph_.outputs) {
      if (id != kNoValue) needed[id] = true;
    }
    for (uint32_t n = static_cast<uint32_t>(graph_.nodes.size()); n-- > 0;) {
      if (!kept_[n]) continue;
      const Node& node = graph_.nodes[n];
      bool live = false;
      for (const ValueId id : node.outputs) live = live || (id != kNoValue && needed[id] && !out_.constants[id]);
      if (!live) continue;
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) needed[id] = true;
      }
      out_.live_nodes.push_back(n);
    }
    std::reverse(out_.live_nodes.begin(), out_.live_nodes.end());
  }

  const Graph& graph_;
  ConcreteGraph out_;
  std::vector<bool> kept_;
};

}  // namespace

std::optional<uint64_t> known_bytes(const ValueType& type) {
  if (type.kind != ValueType::Kind::kTensor || !type.ranked || !all_known(type.dims)) return std::nullopt;
  Shape shape;
  for (const Dim& dim : type.dims) shape.push_back(dim.value());
  return checked_product(shape, dtype_bytes(type.dtype));
}

std::optional<Tensor> tensor_of_elements(const ValueType& type, const Dims& elements) {
  if (!all_known(elements) || !all_known(type.dims)) return std::nullopt;
  Shape shape;
  for (const Dim& dim : type.dims) shape.push_back(dim.value());
  const auto count = checked_product(shape, 1);
  if (!count || *count != elements.size()) return std::nullopt;
  switch (type.dtype) {
    case DType::kI64: return filled<int64_t>(type, std::move(shape), elements);
    case DType::kI32: return filled<int32_t>(type, std::move(shape), elements);
    case DType::kBool: return filled<uint8_t>(type, std::move(shape), elements);
    default: return std::nullopt;
  }
}

Result<ConcreteGraph> make_concrete(const Graph& graph, std::span<const ValueType> inputs) {
  return Concretizer(graph).run(inputs);
}

}  // namespace lanthorn
