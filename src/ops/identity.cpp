// Identity: https://onnx.ai/onnx/operators/onnx__Identity.html
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status reference(const RunContext& context) {
  if (!context.output(0).present()) {  // a sequence or an optional
    context.set_output_value(0, context.input_value(0));
    return ok();
  }
  copy_elements(context.input(0).dtype, context.input(0).data, context.output(0).data,
                static_cast<size_t>(context.input(0).count()));
  return ok();
}

}  // namespace

extern constinit const OpDef op_identity = {.name = "Identity",
                                            .since = 25,
                                            .inputs = {{"input", 0}},
                                            .outputs = {{"output"}},
                                            .infer = infer_identity,
                                            .reference = reference};

}  // namespace lanthorn
