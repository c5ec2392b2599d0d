// LRN: local response normalization across channels. https://onnx.ai/onnx/operators/onnx__LRN.html

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  if (c.rank(0) < 2) return shape_error("the input needs a batch and channels");
  if (c.attributes().integer("size", 0) < 1) return attribute_error("size", "it must be positive");
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& input = c.input(0);
  const Attributes& a = c.attributes();
  const int64_t size = a.integer("size", 1);
  const double alpha = a.real("alpha", 1e-4f), beta = a.real("beta", 0.75f),
               bias = a.real("bias", 1);
  const std::vector<double> x = read_doubles(input);
  std::vector<double> y(x.size());
  const int64_t channels = input.shape[1];
  const int64_t inner = count_between(input.shape, 2, input.rank());
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t channel = static_cast<int64_t>(i) / inner % channels;
    const int64_t first = std::max<int64_t>(channel - (size - 1) / 2, 0);
    const int64_t last = std::min(channel + size / 2, channels - 1);
    double squares = 0;
    for (int64_t other = first; other <= last; ++other) {
      const double value =
          x[static_cast<size_t>(static_cast<int64_t>(i) + (other - channel) * inner)];
      squares += value * value;
    }
    y[i] = x[i] / std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_lrn{
    .name = "LRN",
    .since = 13,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
