// SequenceMap: runs a subgraph for each element of a sequence.
// https://onnx.ai/onnx/operators/onnx__SequenceMap.html

#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  std::vector<ValueType> inputs;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const bool split = c.input(i).kind == ValueType::Kind::kSequence;
    ValueType type = split ? element_of(c.input(i)) : c.input(i);
    for (Dim& dim : type.dims) {
      if (split && !dim.is_known()) dim = Dim::unknown();
    }
    inputs.push_back(std::move(type));
  }
  LAN_TRY(const std::vector<ValueType> types, c.infer_subgraph("body", std::move(inputs)));
  if (types.size() < c.output_count()) return shape_error("the body has too few outputs");
  for (size_t i = 0; i < c.output_count(); ++i) c.set_output(i, sequence_of(types[i]));
  return ok();
}

Status reference(const RunContext& c) {
  const Value::Sequence* first = c.input_value(0).sequence();
  if (!first) return shape_error("the first input must be a sequence");
  std::vector<Value::Sequence> results(c.output_count());
  for (size_t at = 0; at < first->size(); ++at) {
    std::vector<Value> inputs;
    for (size_t i = 0; i < c.input_count(); ++i) {
      const Value::Sequence* items = c.input_value(i).sequence();
      if (items && items->size() != first->size()) {
        return shape_error("the sequences are of different lengths");
      }
      inputs.push_back(items ? (*items)[at] : c.input_value(i));
    }
    LAN_TRY(std::vector<Value> made, c.subgraphs()->run("body", std::move(inputs)));
    if (made.size() < results.size()) return shape_error("the body has too few outputs");
    for (size_t i = 0; i < results.size(); ++i) results[i].push_back(std::move(made[i]));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    c.set_output_value(i, Value::sequence(std::move(results[i])));
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_sequence_map{
    .name = "SequenceMap",
    .since = 17,
    .inputs = {{"input_sequence", kAnyType}, {"additional_inputs", kAnyType, true, true}},
    .outputs = {{"out_sequence", kAnyType, false, true}},
    .infer = infer,
    .reference = reference,
    .values = true,
};

}  // namespace lanthorn
