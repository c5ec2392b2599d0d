// OPS: optional optional_has_element optional_get_element
// Values that may be absent. An optional with an element is the element itself.
// https://onnx.ai/onnx/operators/onnx__Optional.html

#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

Status infer_optional(InferContext& c) {
  c.set_output(0, optional_of(c.has_input(0) ? c.input(0) : unknown_type()));
  return ok();
}

Status make(const RunContext& c) {
  c.set_output_value(0, c.input_count() > 0 ? c.input_value(0) : Value());
  return ok();
}

Status infer_has(InferContext& c) {
  c.set_output(0, DType::kBool, Dims{});
  return ok();
}

Status has(const RunContext& c) {
  c.set_output_value(0, Tensor::scalar_bool(c.input_count() > 0 && !c.input_value(0).is_none()));
  return ok();
}

Status infer_get(InferContext& c) {
  const bool wrapped = c.input(0).kind == ValueType::Kind::kOptional;
  c.set_output(0, wrapped ? element_of(c.input(0)) : c.input(0));
  return ok();
}

Status get(const RunContext& c) {
  if (c.input_value(0).is_none()) return shape_error("the optional has no element");
  c.set_output_value(0, c.input_value(0));
  return ok();
}

}  // namespace

extern constinit const OpDef op_optional{
    .name = "Optional",
    .since = 28,
    .inputs = {{"input", kAnyType, true}},
    .outputs = {{"output", kAnyType}},
    .infer = infer_optional,
    .reference = make,
    .values = true,
};

extern constinit const OpDef op_optional_has_element{
    .name = "OptionalHasElement",
    .since = 28,
    .inputs = {{"input", kAnyType, true}},
    .outputs = {{"output", kBoolType}},
    .infer = infer_has,
    .reference = has,
    .values = true,
};

extern constinit const OpDef op_optional_get_element{
    .name = "OptionalGetElement",
    .since = 28,
    .inputs = {{"input", kAnyType}},
    .outputs = {{"output", kAnyType}},
    .infer = infer_get,
    .reference = get,
    .values = true,
};

}  // namespace lanthorn
