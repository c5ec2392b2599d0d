// OPS: instance_normalization group_normalization
// Normalizes each sample over groups of channels; scale and bias are one a channel.
// https://onnx.ai/onnx/operators/onnx__GroupNormalization.html

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer_channels(InferContext& c) {
  if (c.rank(0) < 2) return shape_error("the input needs a batch and channels");
  for (size_t i = 1; i < 3; ++i) {
    if (c.rank(i) != 1 || !may_equal(c.dims(i)[0], c.dims(0)[1])) {
      return shape_error("input " + std::to_string(i) + " is " + dims_text(c.dims(i)) +
                         ", but the data has " + c.dims(0)[1].text() + " channels");
    }
  }
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

Status infer_group(InferContext& c) {
  LAN_OK(infer_channels(c));
  const int64_t groups = c.attributes().integer("num_groups", 0);
  const Dim& channels = c.dims(0)[1];
  if (groups < 1 || (channels.is_known() && channels.value() % groups != 0)) {
    return attribute_error("num_groups", std::to_string(groups) + " groups do not divide " +
                                             channels.text() + " channels");
  }
  return ok();
}

Status normalize(const RunContext& c, int64_t groups) {
  const TensorView& input = c.input(0);
  std::vector<double> x = read_doubles(input);
  const std::vector<double> scale = read_doubles(c.input(1));
  const std::vector<double> bias = read_doubles(c.input(2));
  const double epsilon = c.attributes().real("epsilon", 1e-5f);
  const auto inner = static_cast<size_t>(count_between(input.shape, 2, input.rank()));
  const size_t channels = scale.size();
  const size_t run = channels / static_cast<size_t>(groups) * inner;
  for (size_t begin = 0; begin < x.size(); begin += run) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < run; ++i) mean += x[begin + i];
    mean /= static_cast<double>(run);
    for (size_t i = 0; i < run; ++i) variance += (x[begin + i] - mean) * (x[begin + i] - mean);
    variance /= static_cast<double>(run);
    for (size_t i = begin; i < begin + run; ++i) {
      const size_t channel = i / inner % channels;
      x[i] = (x[i] - mean) / std::sqrt(variance + epsilon) * scale[channel] + bias[channel];
    }
  }
  write_doubles(c.output(0), x);
  return ok();
}

Status instance(const RunContext& c) {
  return normalize(c, std::max<int64_t>(c.input(0).shape[1], 1));
}
Status group(const RunContext& c) { return normalize(c, c.attributes().integer("num_groups", 1)); }

}  // namespace

extern constinit const OpDef op_instance_normalization{
    .name = "InstanceNormalization",
    .since = 22,
    .inputs = {{"input", kFloats}, {"scale", kFloats}, {"B", kFloats}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_channels,
    .reference = instance,
};

extern constinit const OpDef op_group_normalization{
    .name = "GroupNormalization",
    .since = 21,
    .inputs = {{"X", kFloats}, {"scale", kFloats}, {"bias", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_group,
    .reference = group,
};

}  // namespace lanthorn
