// ReverseSequence: https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
#include "ops/elementwise.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 2));
  LAN_OK(require_rank(context, 1, 1, 1));
  const int64_t batch = context.attributes().integer("batch_axis", 1),
                time = context.attributes().integer("time_axis", 0);
  if ((batch != 0 && batch != 1) || time != 1 - batch)
    return refused("batch_axis and time_axis must be 0 and 1, or 1 and 0");
  const Dim &samples = context.dims(0)[static_cast<size_t>(batch)], &lengths = context.dims(1)[0];
  if (samples.is_known() && lengths.is_known() && !(samples == lengths)) {
    return refused(lengths.text() + " lengths for " + samples.text() + " sequences");
  }
  context.set_output(0, context.input(0));
  return ok();
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const bool time_first = context.attributes().integer("time_axis", 0) == 0;
  const int64_t times = from.shape[time_first ? 0 : 1], samples = from.shape[time_first ? 1 : 0];
  int64_t inner = 1;
  for (const int64_t size : from.shape.subspan(2)) inner *= size;
  const std::vector<int64_t> lengths = wide_copy<int64_t>(context.input(1));
  for (int64_t sample = 0; sample < samples; ++sample) {
    const int64_t length = lengths[static_cast<size_t>(sample)];
    if (length < 0 || length > times) {
      return Error{
          ErrorCode::kInvalidInput,
          "a length of " + std::to_string(length) + " for sequences of " + std::to_string(times),
          "", ""};
    }
    for (int64_t time = 0; time < times; ++time) {
      const int64_t source = time < length ? length - 1 - time : time;
      const auto at = [&](int64_t t) {
        return (time_first ? t * samples + sample : sample * times + t) * inner;
      };
      copy_elements(from.dtype, element_at(from.dtype, from.data, at(source)),
                    element_at(to.dtype, to.data, at(time)), static_cast<size_t>(inner));
    }
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_reverse_sequence = {
    .name = "ReverseSequence",
    .since = 28,
    .inputs = {{"input"}, {"sequence_lens", kI64Type}},
    .outputs = {{"Y"}},
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
