// Constant: https://onnx.ai/onnx/operators/onnx__Constant.html
#include "base/check.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Result<Tensor> value_of(const Attributes& attributes) {
  if (const Tensor* tensor = attributes.tensor("value")) return tensor->contiguous();
  if (attributes.has("value_float")) return Tensor::scalar_f32(attributes.real("value_float", 0));
  if (attributes.has("value_int")) return Tensor::scalar_i64(attributes.integer("value_int", 0));
  if (attributes.has("value_floats")) return Tensor::of_floats(attributes.reals("value_floats"));
  if (attributes.has("value_ints")) return Tensor::of_ints(attributes.ints("value_ints"));
  if (attributes.has("value_string"))
    return Tensor::of_strings({}, {std::string(attributes.text("value_string", ""))});
  if (const Attribute* texts = attributes.find("value_strings")) {
    if (const auto* strings = std::get_if<std::vector<std::string>>(texts)) {
      return Tensor::of_strings({static_cast<int64_t>(strings->size())}, *strings);
    }
  }
  return refused("the node has no value");
}

Status infer(InferContext& context) {
  LAN_TRY(const Tensor value, value_of(context.attributes()));
  context.set_output(0, value.dtype(), Dims(value.shape().begin(), value.shape().end()));
  const std::optional<std::vector<int64_t>> numbers =
      value.count() <= static_cast<int64_t>(InferContext::kMaxElements) ? value.to_ints()
                                                                        : std::nullopt;
  if (numbers) context.set_elements(0, Dims(numbers->begin(), numbers->end()));
  return ok();
}

Status reference(const RunContext& context) {
  LAN_TRY(const Tensor value, value_of(context.attributes()));
  copy_elements(value.dtype(), value.data(), context.output(0).data,
                static_cast<size_t>(value.count()));
  return ok();
}

}  // namespace

extern constinit const OpDef op_constant = {.name = "Constant",
                                            .since = 25,
                                            .outputs = {{"output"}},
                                            .infer = infer,
                                            .reference = reference};

}  // namespace lanthorn
