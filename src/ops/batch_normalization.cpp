// BatchNormalization: https://onnx.ai/onnx/operators/onnx__BatchNormalization.html

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const Dim channels = c.rank(0) > 1 ? c.dims(0)[1] : Dim(1);
  for (size_t i = 1; i < 5; ++i) {
    if (c.rank(i) != 1 || !may_equal(c.dims(i)[0], channels)) {
      return shape_error("input " + std::to_string(i) + " is " + dims_text(c.dims(i)) +
                         ", but the data has " + channels.text() + " channels");
    }
  }
  const bool training = c.attributes().integer("training_mode", 0) != 0;
  if (!training && c.output_count() > 1) {
    return attribute_error("training_mode", "only training has more than one output");
  }
  c.set_output(0, c.dtype(0), c.dims(0));
  for (size_t i = 1; i < 3; ++i) c.set_output(i, c.dtype(3), {channels});
  return ok();
}

struct Moments {
  std::vector<double> mean, variance;
};

Moments moments_of(std::span<const double> x, size_t channels, size_t inner) {
  Moments m{std::vector<double>(channels), std::vector<double>(channels)};
  const auto count = static_cast<double>(x.size() / std::max<size_t>(channels, 1));
  for (size_t i = 0; i < x.size(); ++i) m.mean[i / inner % channels] += x[i] / count;
  for (size_t i = 0; i < x.size(); ++i) {
    const double away = x[i] - m.mean[i / inner % channels];
    m.variance[i / inner % channels] += away * away / count;
  }
  return m;
}

Status reference(const RunContext& c) {
  const TensorView& input = c.input(0);
  const std::vector<double> x = read_doubles(input);
  const std::vector<double> scale = read_doubles(c.input(1));
  const std::vector<double> bias = read_doubles(c.input(2));
  Moments used{read_doubles(c.input(3)), read_doubles(c.input(4))};
  const size_t channels = scale.size();
  const auto inner = static_cast<size_t>(
      count_between(input.shape, std::min<size_t>(2, input.rank()), input.rank()));
  const double epsilon = c.attributes().real("epsilon", 1e-5f);
  if (c.attributes().integer("training_mode", 0) != 0) {
    const Moments batch = moments_of(x, channels, inner);
    const double momentum = c.attributes().real("momentum", 0.9f);
    std::vector<double> mean(channels), variance(channels);
    for (size_t i = 0; i < channels; ++i) {
      mean[i] = used.mean[i] * momentum + batch.mean[i] * (1 - momentum);
      variance[i] = used.variance[i] * momentum + batch.variance[i] * (1 - momentum);
    }
    if (c.output_count() > 1) write_doubles(c.output(1), mean);
    if (c.output_count() > 2) write_doubles(c.output(2), variance);
    used = batch;
  }
  std::vector<double> y(x.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t channel = i / inner % channels;
    y[i] =
        (x[i] - used.mean[channel]) / std::sqrt(used.variance[channel] + epsilon) * scale[channel] +
        bias[channel];
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_batch_normalization{
    .name = "BatchNormalization",
    .since = 15,
    .inputs = {{"X", kFloats},
               {"scale", kFloats},
               {"B", kFloats},
               {"input_mean", kFloats},
               {"input_var", kFloats}},
    .outputs = {{"Y", kFloats}, {"running_mean", kFloats, true}, {"running_var", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
