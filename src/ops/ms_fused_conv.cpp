// com.microsoft.FusedConv: activation(Conv(X, W, B) + Z), as ONNX Runtime's optimizer writes it.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/conv_shared.h"
#include "ops/fused_activation_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Result<FusedActivation> activation_of(const Attributes& attributes) {
  return FusedActivation::of(attributes.text("activation", ""),
                             attributes.reals("activation_params"));
}

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_conv(c.attributes(), c.dims(0), c.dims(1)));
  LAN_OK(activation_of(c.attributes()));
  if (c.has_input(2) && (c.rank(2) != 1 || !may_equal(c.dims(2)[0], c.dims(1)[0]))) {
    return shape_error("bias " + dims_text(c.dims(2)) + " does not fit weight " +
                       dims_text(c.dims(1)));
  }
  if (c.has_input(3)) {
    bool same = c.dims(3).size() == y.size();
    for (size_t i = 0; same && i < y.size(); ++i) same = may_equal(c.dims(3)[i], y[i]);
    if (!same) return shape_error("Z " + dims_text(c.dims(3)) + " does not fit " + dims_text(y));
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const ConvShape shape = conv_shape(c.attributes(), c.input(0).shape, c.input(1).shape, y.shape);
  LAN_TRY(const FusedActivation activation, activation_of(c.attributes()));
  const std::vector<double> x = read_doubles(c.input(0)), w = read_doubles(c.input(1));
  std::vector<double> sums(static_cast<size_t>(y.count()));
  if (c.has_input(3)) sums = read_doubles(c.input(3));
  if (c.has_input(2) && !sums.empty()) {
    const std::vector<double> bias = read_doubles(c.input(2));
    const auto size = static_cast<size_t>(count_all(shape.out));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += bias[i / size % bias.size()];
  }
  convolve(shape, x.data(), w.data(), sums.data());
  activation.apply(sums);
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_fused_conv{
    .name = "FusedConv",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}, {"W", kFloats}, {"B", kFloats, true}, {"Z", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
