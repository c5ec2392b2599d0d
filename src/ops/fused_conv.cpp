// Convolution of NHWC images with bias, residual and activation: y = act(conv(X, W) + B +
// residual). X is [N, H, W, C], W [O, C/group, kH, kW] as in ONNX, B [O], the residual [N, oH, oW,
// O].
#include "ops/channels_last.h"
#include "ops/conv_shared.h"
#include "ops/elementwise.h"
#include "ops/epilogue_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 4, 4));
  LAN_OK(require_rank(context, 1, 4, 4));
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  LAN_TRY(const Dims out,
          infer_conv(context.attributes(), channels_first(context.dims(0)), context.dims(1)));
  Dims dims = channels_last(out);
  LAN_OK(check_epilogue(context, 2, 3, dims));
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status reference(const RunContext& context) {
  const std::span<const int64_t> out = context.output(0).shape;
  const ConvShape shape = conv_shape(context.attributes(), channels_first(context.input(0).shape),
                                     context.input(1).shape, channels_first(out));
  const std::vector<double> x = read_channels_first(context.input(0));
  const std::vector<double> w = wide_copy<double>(context.input(1));
  std::vector<double> y(static_cast<size_t>(context.output(0).count()), 0.0);
  convolve(shape, x.data(), w.data(), y.data());
  return store_with_epilogue(context, to_channels_last(y, out), 2, 3);
}

}  // namespace

extern constinit const OpDef op_fused_conv = {
    .name = "FusedConv",
    .domain = "lanthorn",
    .inputs = {{"X", kFloats}, {"W", kFloats}, {"B", kFloats, true}, {"residual", kFloats, true}},
    .outputs = {{"Y"}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
