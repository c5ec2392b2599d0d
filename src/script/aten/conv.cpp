// Convolutions: Conv and ConvTranspose.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

struct Convolution {
  TensorRef input, weight, bias;
  std::vector<int64_t> stride, dilation, output_padding;
  std::vector<int64_t> pads;  // ONNX's order: all begins, then all ends
  bool transposed = false;
  int64_t groups = 1;
};

std::vector<int64_t> both_ends(std::vector<int64_t> padding) {
  const size_t count = padding.size();
  for (size_t i = 0; i < count; ++i) padding.push_back(padding[i]);
  return padding;
}

Result<size_t> spatial_rank(Lowering& lowering, const Args& args) {
  const size_t rank = args.tensor(1)->dims.size();
  if (rank < 3 || rank > 5) {
    return lowering.error(ErrorCode::kUnsupported, "a convolution whose weight has rank " +
                                                       std::to_string(rank) + "; 3 to 5 is supported");
  }
  return rank - 2;
}

Result<Value> convolve(Lowering& lowering, Convolution conv) {
  Emitter e(lowering);
  const size_t spatial_count = conv.weight->dims.size() - 2;
  const bool batched = conv.input->dims.size() == spatial_count + 2;
  ValueId x = e.read(conv.input);
  if (!batched) x = e.unsqueeze(x, {0});
  std::vector<ValueId> inputs = {x, e.read(conv.weight)};
  if (conv.bias) inputs.push_back(e.read(conv.bias));
  Attributes attributes = {{"strides", conv.stride},
                           {"pads", conv.pads},
                           {"dilations", conv.dilation},
                           {"group", conv.groups}};
  const Dims kernel(conv.weight->dims.begin() + 2, conv.weight->dims.end());
  if (all_known(kernel)) {
    std::vector<int64_t> sizes;
    for (const Dim& dim : kernel) sizes.push_back(dim.value());
    attributes.set("kernel_shape", std::move(sizes));
  }
  if (conv.transposed) attributes.set("output_padding", conv.output_padding);
  ValueId y = e.op(conv.transposed ? "ConvTranspose" : "Conv", std::move(inputs), std::move(attributes));
  if (!batched) y = e.squeeze(y, {0});
  return e.result(y);
}

// (input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, ...)
Result<Value> convolution(Lowering& lowering, const Args& args) {
  LAN_TRY(const size_t count, spatial_rank(lowering, args));
  Convolution conv{.input = args.tensor(0), .weight = args.tensor(1), .bias = args.optional_tensor(2)};
  LAN_TRY(conv.stride, spatial(lowering, args.ints(3), count));
  LAN_TRY(const auto padding, spatial(lowering, args.ints(4), count));
  LAN_TRY(conv.dilation, spatial(lowering, args.ints(5), count));
  conv.transposed = args.flag(6);
  if (conv.transposed) {
    LAN_TRY(conv.output_padding, spatial(lowering, args.ints(7), count));
  }
  LAN_TRY(conv.groups, lowering.concrete(args.integer(8)));
  conv.pads = both_ends(padding);
  return convolve(lowering, std::move(conv));
}

// (input, weight, bias, stride, padding, dilation, groups)
Result<Value> conv(Lowering& lowering, const Args& args) {
  LAN_TRY(const size_t count, spatial_rank(lowering, args));
  Convolution conv{.input = args.tensor(0), .weight = args.tensor(1), .bias = args.optional_tensor(2)};
  LAN_TRY(conv.stride, spatial(lowering, args.ints(3), count));
  LAN_TRY(const auto padding, spatial(lowering, args.ints(4), count));
  LAN_TRY(conv.dilation, spatial(lowering, args.ints(5), count));
  LAN_TRY(conv.groups, lowering.concrete(args.integer(6)));
  conv.pads = both_ends(padding);
  return convolve(lowering, std::move(conv));
}

// The same with padding "same" or "valid".
Result<Value> conv_mode(Lowering& lowering, const Args& args) {
  LAN_TRY(const size_t count, spatial_rank(lowering, args));
  Convolution conv{.input = args.tensor(0), .weight = args.tensor(1), .bias = args.optional_tensor(2)};
  LAN_TRY(conv.stride, spatial(lowering, args.ints(3), count));
  LAN_TRY(conv.dilation, spatial(lowering, args.ints(5), count));
  LAN_TRY(conv.groups, lowering.concrete(args.integer(6)));
  conv.pads.assign(2 * count, 0);
  if (args.text(4) == "same") {
    for (size_t i = 0; i < count; ++i) {
      LAN_TRY(const int64_t kernel, lowering.concrete(conv.weight->dims[i + 2]));
      // An odd total puts the extra element at the end.
      const int64_t total = conv.dilation[i] * (kernel - 1);
      conv.pads[i] = total / 2;
      conv.pads[i + count] = total - total / 2;
    }
  } else if (args.text(4) != "valid") {
    return lowering.error(ErrorCode::kInvalidInput,
                          "padding \"" + args.text(4) + "\"; it must be \"same\" or \"valid\"");
  }
  return convolve(lowering, std::move(conv));
}

// (input, weight, bias, stride, padding, output_padding, groups, dilation)
Result<Value> conv_transpose(Lowering& lowering, const Args& args) {
  LAN_TRY(const size_t count, spatial_rank(lowering, args));
  Convolution conv{.input = args.tensor(0), .weight = args.tensor(1), .bias = args.optional_tensor(2)};
  LAN_TRY(conv.stride, spatial(lowering, args.ints(3), count));
  LAN_TRY(const auto padding, spatial(lowering, args.ints(4), count));
  LAN_TRY(conv.output_padding, spatial(lowering, args.ints(5), count));
  LAN_TRY(conv.groups, lowering.concrete(args.integer(6)));
  LAN_TRY(conv.dilation, spatial(lowering, args.ints(7), count));
  conv.pads = both_ends(padding);
  conv.transposed = true;
  return convolve(lowering, std::move(conv));
}

constexpr AtenRow kRows[] = {
    {"aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool "
     "deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor",
     convolution},
    {"aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
     "padding, SymInt[] dilation, bool transposed, int[] output_padding, SymInt groups, bool benchmark, "
     "bool deterministic, bool cudnn_enabled) -> Tensor",
     convolution},
    {"aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
     convolution},
    {"aten::convolution_overrideable(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
     "padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
     convolution},
    {"aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] "
     "padding=[0], SymInt[1] dilation=[1], SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], str "
     "padding=\"valid\", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor",
     conv_mode},
    {"aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] "
     "padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str "
     "padding=\"valid\", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor",
     conv_mode},
    {"aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] "
     "padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
     "str padding=\"valid\", SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor",
     conv_mode},
    {"aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, "
     "SymInt[] dilation, SymInt groups) -> Tensor",
     conv_mode},
    {"aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
     "SymInt[1] padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, SymInt[1] dilation=[1]) -> "
     "Tensor",
     conv_transpose},
    {"aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, "
     "1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] "
     "dilation=[1, 1]) -> Tensor",
     conv_transpose},
    {"aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, "
     "1, 1], SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, SymInt[3] "
     "dilation=[1, 1, 1]) -> Tensor",
     conv_transpose},
};

}  // namespace

extern const std::span<const AtenRow> aten_conv = kRows;

}  // namespace lanthorn::script
