// If: runs one of two subgraphs. https://onnx.ai/onnx/operators/onnx__If.html

#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  // Where the condition is known, the other branch may hold what cannot be.
  const std::optional<Dims> known = c.elements(0);
  if (known && known->size() == 1 && (*known)[0].is_known()) {
    const bool taken = !(*known)[0].is(0);
    LAN_TRY(std::vector<ValueType> types,
            c.infer_subgraph(taken ? "then_branch" : "else_branch", {}));
    (void)c.infer_subgraph(taken ? "else_branch" : "then_branch", {}).ok();
    if (types.size() < c.output_count()) return shape_error("a branch has too few outputs");
    for (size_t i = 0; i < c.output_count(); ++i) c.set_output(i, std::move(types[i]));
    return ok();
  }
  LAN_TRY(const std::vector<ValueType> yes, c.infer_subgraph("then_branch", {}));
  LAN_TRY(const std::vector<ValueType> no, c.infer_subgraph("else_branch", {}));
  if (yes.size() != no.size() || yes.size() < c.output_count()) {
    return shape_error("the branches have " + std::to_string(yes.size()) + " and " +
                       std::to_string(no.size()) + " outputs, the node " +
                       std::to_string(c.output_count()));
  }
  for (size_t i = 0; i < c.output_count(); ++i) {
    LAN_TRY(ValueType type, merged_type(yes[i], no[i]));
    c.set_output(i, std::move(type));
  }
  return ok();
}

Status reference(const RunContext& c) {
  const Tensor* condition = c.input_value(0).tensor();
  const auto number = condition ? condition->to_doubles() : std::nullopt;
  if (!number || number->size() != 1) return shape_error("the condition must be one bool");
  LAN_TRY(std::vector<Value> results,
          c.subgraphs()->run((*number)[0] != 0 ? "then_branch" : "else_branch", {}));
  for (size_t i = 0; i < c.output_count() && i < results.size(); ++i) {
    c.set_output_value(i, std::move(results[i]));
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_if{
    .name = "If",
    .since = 25,
    .inputs = {{"cond", kBoolType}},
    .outputs = {{"outputs", kAnyType, true, true}},
    .infer = infer,
    .reference = reference,
    .values = true,
};

}  // namespace lanthorn
