#include "base/check.h"
#include "ops/op.h"
#include "ops/output_memory_shared.h"

namespace lanthorn {
namespace {

TensorView view_of(const Tensor& tensor) { return {tensor.dtype(), tensor.shape(), tensor.data()}; }

// The outputs that a plain operator writes to, by the types that its rule gave.
Result<std::vector<Tensor>> allocate_outputs(const Node& node, const std::vector<ValueType>& types,
                                             uint64_t max_bytes) {
  std::vector<Tensor> outputs(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    // Identity passes sequences and optionals; its reference makes them.
    if (types[i].kind == ValueType::Kind::kSequence || types[i].kind == ValueType::Kind::kOptional) {
      continue;
    }
    if (types[i].kind != ValueType::Kind::kTensor || !types[i].ranked ||
        !all_known(types[i].dims)) {
      return Error{ErrorCode::kUnsupported,
                   "the shape of output " + std::to_string(i) + " cannot be told", "", ""};
    }
    Shape shape;
    for (const Dim& dim : types[i].dims) shape.push_back(dim.value());
    LAN_TRY(outputs[i], allocate_output(types[i].dtype, std::move(shape), max_bytes));
  }
  return outputs;
}

}  // namespace

ValueType type_of(const Value& value) {
  if (const Tensor* tensor = value.tensor()) {
    return ValueType::tensor(tensor->dtype(), Dims(tensor->shape().begin(), tensor->shape().end()));
  }
  ValueType type;
  type.kind = ValueType::Kind::kUnknown;
  if (const Value::Sequence* items = value.sequence()) {
    type.kind = ValueType::Kind::kSequence;
    if (!items->empty()) type.element = std::make_shared<const ValueType>(type_of(items->front()));
  } else if (const Value::Map* entries = value.map()) {
    type.kind = ValueType::Kind::kMap;
    if (!entries->empty()) {
      type.dtype = type_of(entries->front().first).dtype;
      type.element = std::make_shared<const ValueType>(type_of(entries->front().second));
    }
  } else if (value.is_none()) {
    type.kind = ValueType::Kind::kOptional;
  }
  return type;
}

Result<std::vector<Value>> run_reference(const Node& node, std::span<const Value> inputs,
                                         uint64_t max_output_bytes) {
  const OpEntry* op = find_op(node.op, node.domain);
  if (!op)
    return Error{ErrorCode::kUnsupported, "operator " + node.op + " is not supported", "", ""};
  LAN_CHECK(inputs.size() == node.inputs.size());
  const OpDef& def = *op->def;

  std::vector<Value> values(inputs.begin(), inputs.end());
  std::vector<ValueType> types(inputs.size());
  std::vector<const Tensor*> constants(inputs.size(), nullptr);
  std::vector<TensorView> views(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    if (const Tensor* tensor = inputs[i].tensor()) {
      LAN_TRY(values[i], tensor->contiguous());
      constants[i] = values[i].tensor();
      views[i] = view_of(*constants[i]);
    }
    types[i] = type_of(values[i]);
  }
  InferContext context(node, types, constants, {});
  LAN_OK(infer_node(*op, context));

  std::vector<Value> results(node.outputs.size());
  std::vector<Tensor> outputs;
  std::vector<MutableTensorView> output_views(node.outputs.size());
  if (!def.data_dependent && !def.values) {
    LAN_TRY(outputs, allocate_outputs(node, context.outputs, max_output_bytes));
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].defined()) {
        output_views[i] = {outputs[i].dtype(), outputs[i].shape(), outputs[i].mutable_data()};
      }
    }
  }
  RunContext run;
  run.node_ = &node;
  run.inputs_ = views;
  run.outputs_ = output_views;
  run.input_values_ = &values;
  run.output_values_ = &results;
  LAN_OK(def.reference(run));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].defined()) results[i] = std::move(outputs[i]);
  }
  return results;
}

}  // namespace lanthorn
