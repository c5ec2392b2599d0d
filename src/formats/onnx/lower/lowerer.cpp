#include "formats/onnx/lower/lowerer.h"

#include <algorithm>
#include <unordered_map>

#include "graph/onnx_dtype.h"
#include "ops/op.h"

namespace lanthorn::onnx {
namespace {

// What rules emit is lowered in turn; a rule that leads back to itself would never end.
constexpr int kMaxDepth = 16;

using RuleList = std::vector<const LoweringRule*>;

// The rules of each operator, those of the newest changes first.
const std::unordered_map<std::string_view, RuleList>& rules_by_op() {
  static const auto by_op = [] {
    std::unordered_map<std::string_view, RuleList> made;
    for (const auto rules :
         {activation_lowerings(), attention_lowerings(), comparison_lowerings(), image_lowerings(),
          input_lowerings(), normalization_lowerings(), quantization_lowerings(),
          shape_lowerings()}) {
      for (const LoweringRule& rule : rules) made[rule.op].push_back(&rule);
    }
    for (auto& [op, list] : made) {
      std::stable_sort(list.begin(), list.end(), [](const LoweringRule* a, const LoweringRule* b) {
        return a->before > b->before;
      });
    }
    return made;
  }();
  return by_op;
}

}  // namespace

const Tensor* LoweredGraph::constant(ValueId id) const {
  if (id == kNoValue) return nullptr;
  if (const Tensor* own = graph.constant(id)) return own;
  const auto found = captured_.find(id);
  return found == captured_.end() ? nullptr : &found->second;
}

void LoweredGraph::infer(const Node& node) {
  const OpEntry* op = find_op(node.op, node.domain);
  if (!op) return;
  std::vector<ValueType> inputs(node.inputs.size());
  std::vector<const Tensor*> constants(node.inputs.size(), nullptr);
  const std::vector<std::optional<Dims>> elements(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    inputs[i] = graph.values[node.inputs[i]].type;
    constants[i] = constant(node.inputs[i]);
  }
  InferContext context(node, inputs, constants, elements);
  if (!infer_node(*op, context).ok()) return;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId id = node.outputs[i];
    if (id == kNoValue || context.outputs[i].kind == ValueType::Kind::kUnknown) continue;
    // What was known of a value before is at least as much.
    if (graph.values[id].type.kind == ValueType::Kind::kUnknown) {
      graph.values[id].type = context.outputs[i];
    }
  }
}

bool LoweredGraph::apply_rules(Node& node, int depth) {
  const auto rules = rules_by_op().find(node.op);
  if (rules == rules_by_op().end()) return false;
  Lowerer lowerer(*this, std::move(node), depth);
  for (const LoweringRule* rule : rules->second) {
    if (lowerer.opset >= rule->before) continue;
    const Status applied = rule->apply(lowerer);
    if (!applied) {
      problems.push_back({lowerer.node.op, lowerer.node.name, applied.error().message});
      return true;
    }
    if (lowerer.replaced) return true;
  }
  node = std::move(lowerer.node);
  return false;
}

void LoweredGraph::append(Node node, int depth) {
  if (node.domain == "lanthorn") {
    problems.push_back({node.op, node.name, "it is no operator of ONNX"});
    return;
  }
  if (!node.domain.empty()) {
    graph.nodes.push_back(std::move(node));
    return;
  }
  if (depth > kMaxDepth) {
    problems.push_back({node.op, node.name, "it is made of itself"});
    return;
  }
  if (apply_rules(node, depth)) return;
  const Schema* schema = schemas.find(node.op);
  if (!schema) {
    const int first = first_opset(node.op);
    problems.push_back({node.op, node.name,
                        first > 0 ? "it came with opset " + std::to_string(first)
                                  : "it is no operator of ONNX"});
    return;
  }
  drop_neutral_attributes(node, *schema);
  const std::vector<Narrowing> narrowings = widen(node, *schema, depth);
  const std::string wrong = misfit(graph, node, *schema);
  if (!wrong.empty()) {
    problems.push_back({node.op, node.name, wrong});
    return;
  }
  const std::string name = node.name;
  graph.nodes.push_back(std::move(node));
  for (const Narrowing& narrowing : narrowings) {
    Node cast{.op = "Cast", .name = name.empty() ? "" : name + "/Cast", .inputs = {narrowing.wide}};
    cast.outputs = {narrowing.wanted};
    cast.attributes.set("to", onnx_number(narrowing.dtype));
    append(std::move(cast), depth + 1);
  }
}

ValueId Lowerer::number(double value, DType dtype) {
  auto cast = Tensor::of<double>(DType::kF64, {}, std::span(&value, 1)).cast(dtype);
  return constant(cast ? *std::move(cast) : Tensor::scalar_f32(static_cast<float>(value)));
}

Node Lowerer::made(std::string op, std::vector<ValueId> inputs, Attributes attributes) const {
  Node out;
  out.name = node.name.empty() || op == node.op ? node.name : node.name + "/" + op;
  out.op = std::move(op);
  out.source = node.source;
  out.inputs = std::move(inputs);
  out.attributes = std::move(attributes);
  return out;
}

std::vector<ValueId> Lowerer::emit_many(std::string op, std::vector<ValueId> inputs, size_t outputs,
                                        Attributes attributes) {
  Node out = made(std::move(op), std::move(inputs), std::move(attributes));
  for (size_t i = 0; i < outputs; ++i) {
    out.outputs.push_back(to_.graph.add_value("", {.kind = ValueType::Kind::kUnknown}));
  }
  std::vector<ValueId> ids = out.outputs;
  to_.infer(out);
  to_.append(std::move(out), depth_ + 1);
  return ids;
}

ValueId Lowerer::emit(std::string op, std::vector<ValueId> inputs, Attributes attributes) {
  return emit_many(std::move(op), std::move(inputs), 1, std::move(attributes))[0];
}

void Lowerer::emit_into(std::vector<ValueId> outputs, std::string op, std::vector<ValueId> inputs,
                        Attributes attributes) {
  Node out = made(std::move(op), std::move(inputs), std::move(attributes));
  out.name = node.name;
  out.outputs = std::move(outputs);
  to_.infer(out);
  to_.append(std::move(out), depth_ + 1);
  replaced = true;
}

ValueId Lowerer::cast(ValueId value, DType dtype) {
  if (type_of(value).dtype == dtype) return value;
  return emit("Cast", {value}, {{"to", onnx_number(dtype)}});
}

std::optional<int64_t> Lowerer::rank_of(ValueId id) const {
  const ValueType& known = type_of(id);
  if (known.kind != ValueType::Kind::kTensor || !known.ranked) return std::nullopt;
  return static_cast<int64_t>(known.dims.size());
}

std::optional<std::vector<int64_t>> Lowerer::ints_input(size_t i) const {
  const Tensor* tensor = constant_input(i);
  if (!tensor) return std::nullopt;
  const auto straight = tensor->contiguous();
  return straight ? straight->to_ints() : std::nullopt;
}

bool Lowerer::takes(size_t input, DType dtype) const {
  const Schema* schema = to_.schemas.find(node.op);
  const Schema::Formal* formal = schema ? formal_at(schema->inputs, input) : nullptr;
  return formal && formal->types.has(schema_type(ValueType::unranked(dtype)));
}

void Lowerer::drop_input(size_t i) {
  if (i < node.inputs.size()) node.inputs[i] = kNoValue;
  trim_inputs();
}

void Lowerer::trim_inputs() {
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
}

Error Lowerer::unsupported(std::string what) const {
  return Error{ErrorCode::kUnsupported, std::move(what), "", ""};
}

}  // namespace lanthorn::onnx
