// Conv: https://onnx.ai/onnx/operators/onnx__Conv.html

#include "ops/conv_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_conv(c.attributes(), c.dims(0), c.dims(1)));
  if (c.has_input(2) && (c.rank(2) != 1 || !may_equal(c.dims(2)[0], c.dims(1)[0]))) {
    return shape_error("bias " + dims_text(c.dims(2)) + " does not fit weight " +
                       dims_text(c.dims(1)));
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const ConvShape shape = conv_shape(c.attributes(), c.input(0).shape, c.input(1).shape, y.shape);
  const std::vector<double> x = read_doubles(c.input(0));
  const std::vector<double> w = read_doubles(c.input(1));
  std::vector<double> sums(static_cast<size_t>(y.count()), 0.0);
  if (c.has_input(2) && !sums.empty()) {
    const std::vector<double> bias = read_doubles(c.input(2));
    const size_t size = static_cast<size_t>(count_all(shape.out));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = bias[i / size % bias.size()];
  }
  convolve(shape, x.data(), w.data(), sums.data());
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_conv{
    .name = "Conv",
    .since = 22,
    .inputs = {{"X", kFloats}, {"W", kFloats}, {"B", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
