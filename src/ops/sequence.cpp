// OPS: sequence_empty sequence_construct sequence_insert sequence_erase sequence_at sequence_length
// Operators on sequences of tensors. https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

Result<Value::Sequence> items_of(const RunContext& c) {
  const Value::Sequence* items = c.input_value(0).sequence();
  if (!items) return shape_error("the input is no sequence");
  return *items;
}

// The position that input `i` tells, counted from the front; `fallback` if it is absent.
Result<int64_t> position_of(const RunContext& c, size_t i, int64_t fallback, int64_t size,
                            int64_t limit) {
  if (i >= c.input_count() || c.input_value(i).is_none()) return fallback;
  const auto numbers =
      c.input_value(i).tensor() ? c.input_value(i).tensor()->to_ints() : std::nullopt;
  if (!numbers || numbers->size() != 1) return shape_error("a position must be one integer");
  const int64_t position = (*numbers)[0] < 0 ? (*numbers)[0] + size : (*numbers)[0];
  if (position < 0 || position >= limit) {
    return shape_error("position " + std::to_string((*numbers)[0]) + " is not in a sequence of " +
                       std::to_string(size));
  }
  return position;
}

Status infer_empty(InferContext& c) {
  const DType dtype = dtype_from_onnx(c.attributes().integer("dtype", 1));
  if (dtype == DType::kUndefined) return attribute_error("dtype", "there is no such data type");
  c.set_output(0, sequence_of(ValueType::unranked(dtype)));
  return ok();
}

Status empty(const RunContext& c) {
  c.set_output_value(0, Value::sequence({}));
  return ok();
}

Status infer_construct(InferContext& c) {
  ValueType element = unknown_type();
  for (size_t i = 0; i < c.input_count(); ++i) {
    LAN_TRY(element, merged_type(element, c.input(i)));
  }
  c.set_output(0, sequence_of(std::move(element)));
  return ok();
}

Status construct(const RunContext& c) {
  Value::Sequence items;
  for (size_t i = 0; i < c.input_count(); ++i) items.push_back(c.input_value(i));
  c.set_output_value(0, Value::sequence(std::move(items)));
  return ok();
}

Status infer_insert(InferContext& c) {
  LAN_TRY(ValueType element, merged_type(element_of(c.input(0)), c.input(1)));
  c.set_output(0, sequence_of(std::move(element)));
  return ok();
}

Status insert(const RunContext& c) {
  LAN_TRY(Value::Sequence items, items_of(c));
  const auto size = static_cast<int64_t>(items.size());
  LAN_TRY(const int64_t position, position_of(c, 2, size, size, size + 1));
  items.insert(items.begin() + position, c.input_value(1));
  c.set_output_value(0, Value::sequence(std::move(items)));
  return ok();
}

Status infer_erase(InferContext& c) {
  c.set_output(0, c.input(0));
  return ok();
}

Status erase(const RunContext& c) {
  LAN_TRY(Value::Sequence items, items_of(c));
  const auto size = static_cast<int64_t>(items.size());
  if (size == 0) return shape_error("the sequence is empty");
  LAN_TRY(const int64_t position, position_of(c, 1, size - 1, size, size));
  items.erase(items.begin() + position);
  c.set_output_value(0, Value::sequence(std::move(items)));
  return ok();
}

Status infer_at(InferContext& c) {
  ValueType element = element_of(c.input(0));
  // An element need not have the sizes that its neighbors have.
  for (Dim& dim : element.dims) {
    if (!dim.is_known()) dim = Dim::unknown();
  }
  c.set_output(0, std::move(element));
  return ok();
}

Status at(const RunContext& c) {
  LAN_TRY(const Value::Sequence items, items_of(c));
  const auto size = static_cast<int64_t>(items.size());
  LAN_TRY(const int64_t position, position_of(c, 1, 0, size, size));
  if (size == 0) return shape_error("the sequence is empty");
  c.set_output_value(0, items[static_cast<size_t>(position)]);
  return ok();
}

Status infer_length(InferContext& c) {
  c.set_output(0, DType::kI64, Dims{});
  return ok();
}

Status length(const RunContext& c) {
  LAN_TRY(const Value::Sequence items, items_of(c));
  c.set_output_value(0, Tensor::scalar_i64(static_cast<int64_t>(items.size())));
  return ok();
}

}  // namespace

extern constinit const OpDef op_sequence_empty{
    .name = "SequenceEmpty",
    .since = 11,
    .outputs = {{"output", kAnyType}},
    .infer = infer_empty,
    .reference = empty,
    .values = true,
};

extern constinit const OpDef op_sequence_construct{
    .name = "SequenceConstruct",
    .since = 11,
    .inputs = {{"inputs", kAnyType, false, true}},
    .outputs = {{"output_sequence", kAnyType}},
    .infer = infer_construct,
    .reference = construct,
    .values = true,
};

extern constinit const OpDef op_sequence_insert{
    .name = "SequenceInsert",
    .since = 11,
    .inputs = {{"input_sequence", kAnyType}, {"tensor", kAnyType}, {"position", kAnyType, true}},
    .outputs = {{"output_sequence", kAnyType}},
    .infer = infer_insert,
    .reference = insert,
    .values = true,
};

extern constinit const OpDef op_sequence_erase{
    .name = "SequenceErase",
    .since = 11,
    .inputs = {{"input_sequence", kAnyType}, {"position", kAnyType, true}},
    .outputs = {{"output_sequence", kAnyType}},
    .infer = infer_erase,
    .reference = erase,
    .values = true,
};

extern constinit const OpDef op_sequence_at{
    .name = "SequenceAt",
    .since = 11,
    .inputs = {{"input_sequence", kAnyType}, {"position", kAnyType}},
    .outputs = {{"tensor", kAnyType}},
    .infer = infer_at,
    .reference = at,
    .values = true,
};

extern constinit const OpDef op_sequence_length{
    .name = "SequenceLength",
    .since = 11,
    .inputs = {{"input_sequence", kAnyType}},
    .outputs = {{"length", kI64Type}},
    .infer = infer_length,
    .reference = length,
    .values = true,
};

}  // namespace lanthorn
