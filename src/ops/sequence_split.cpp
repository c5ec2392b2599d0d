// OPS: concat_from_sequence split_to_sequence
// Between tensors and sequences. https://onnx.ai/onnx/operators/onnx__SplitToSequence.html

#include <numeric>

#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

Status infer_concat(InferContext& c) {
  const ValueType element = element_of(c.input(0));
  if (element.kind != ValueType::Kind::kTensor || !element.ranked) {
    c.set_output(0, ValueType::unranked(element.dtype));
    return ok();
  }
  const bool new_axis = c.attributes().integer("new_axis", 0) != 0;
  LAN_TRY(const int64_t axis, checked_axis(c.attributes().integer("axis", 0),
                                           static_cast<int64_t>(element.dims.size()) + new_axis));
  Dims y = element.dims;
  if (new_axis) {
    y.insert(y.begin() + axis, Dim::unknown());
  } else {
    y[static_cast<size_t>(axis)] = Dim::unknown();
  }
  c.set_output(0, element.dtype, std::move(y));
  return ok();
}

Status concat(const RunContext& c) {
  const Value::Sequence* items = c.input_value(0).sequence();
  if (!items || items->empty()) return shape_error("the input must be a sequence with elements");
  std::vector<Tensor> parts;
  for (const Value& item : *items) {
    if (!item.tensor()) return shape_error("the sequence must hold tensors");
    parts.push_back(*item.tensor());
  }
  const bool new_axis = c.attributes().integer("new_axis", 0) != 0;
  LAN_TRY(const int64_t axis, checked_axis(c.attributes().integer("axis", 0),
                                           static_cast<int64_t>(parts[0].rank()) + new_axis));
  uint64_t left = c.memory_left();
  LAN_TRY(Tensor all, new_axis ? stacked(parts, static_cast<size_t>(axis), left)
                               : joined(parts, static_cast<size_t>(axis), left));
  c.set_output_value(0, std::move(all));
  return ok();
}

Status infer_split(InferContext& c) {
  const ValueType& x = c.input(0);
  if (!x.ranked) {
    c.set_output(0, sequence_of(ValueType::unranked(x.dtype)));
    return ok();
  }
  LAN_TRY(const int64_t axis, checked_axis(c.attributes().integer("axis", 0), c.rank(0)));
  Dims part = x.dims;
  if (!c.has_input(1) && c.attributes().integer("keepdims", 1) == 0) {
    part.erase(part.begin() + axis);
  } else {
    part[static_cast<size_t>(axis)] = c.has_input(1) ? Dim::unknown() : Dim(1);
  }
  c.set_output(0, sequence_of(ValueType::tensor(x.dtype, std::move(part))));
  return ok();
}

// How long each part is.
Result<std::vector<int64_t>> lengths(const RunContext& c, int64_t size) {
  if (c.input_count() < 2 || c.input_value(1).is_none()) {
    return std::vector<int64_t>(static_cast<size_t>(size), 1);
  }
  const Tensor* split = c.input_value(1).tensor();
  const auto given = split ? split->to_ints() : std::nullopt;
  if (!given) return shape_error("split must hold integers");
  if (split->rank() > 0) {
    int64_t sum = 0;
    for (const int64_t length : *given) {
      if (length < 0 || length > size) return shape_error("a part's length is out of range");
      sum += length;
    }
    if (sum != size) return shape_error("the parts do not add up to " + std::to_string(size));
    return *given;
  }
  const int64_t chunk = (*given)[0];
  if (chunk < 1) return shape_error("split must be positive");
  std::vector<int64_t> parts(static_cast<size_t>(size / chunk), chunk);
  if (size % chunk != 0) parts.push_back(size % chunk);
  return parts;
}

Status split(const RunContext& c) {
  const Tensor* x = c.input_value(0).tensor();
  if (!x) return shape_error("the input must be a tensor");
  LAN_TRY(const int64_t axis,
          checked_axis(c.attributes().integer("axis", 0), static_cast<int64_t>(x->rank())));
  const auto at = static_cast<size_t>(axis);
  LAN_TRY(const std::vector<int64_t> parts, lengths(c, x->shape()[at]));
  const bool drop = (c.input_count() < 2 || c.input_value(1).is_none()) &&
                    c.attributes().integer("keepdims", 1) == 0;
  Value::Sequence items;
  int64_t begin = 0;
  for (const int64_t length : parts) {
    Shape shape = x->shape();
    shape[at] = length;
    const uint64_t offset = x->offset_bytes() + static_cast<uint64_t>(begin * x->strides()[at]) *
                                                    dtype_bytes(x->dtype());
    LAN_TRY(const Tensor view, Tensor::view(x->dtype(), shape, x->strides(), offset, x->storage()));
    LAN_TRY(Tensor part, view.contiguous());
    if (drop) {
      shape.erase(shape.begin() + axis);
      part = part.reshaped(shape);
    }
    items.emplace_back(std::move(part));
    begin += length;
  }
  c.set_output_value(0, Value::sequence(std::move(items)));
  return ok();
}

}  // namespace

extern constinit const OpDef op_concat_from_sequence{
    .name = "ConcatFromSequence",
    .since = 11,
    .inputs = {{"input_sequence", kAnyType}},
    .outputs = {{"concat_result", kAnyType}},
    .infer = infer_concat,
    .reference = concat,
    .values = true,
};

extern constinit const OpDef op_split_to_sequence{
    .name = "SplitToSequence",
    .since = 24,
    .inputs = {{"input", kAnyType}, {"split", kAnyType, true}},
    .outputs = {{"output_sequence", kAnyType}},
    .infer = infer_split,
    .reference = split,
    .values = true,
};

}  // namespace lanthorn
