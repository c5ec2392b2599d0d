#include "optimize/linear_weights.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/checked.h"
#include "optimize/channel_vector.h"
#include "tensor/release_pages.h"

namespace lanthorn {

std::optional<LinearWeights> LinearWeights::of(const GraphIndex& index, const Node& node) {
  LinearWeights out;
  const bool own_conv = is_own_op(node, "FusedConv"), own_product = is_own_op(node, "FusedMatMul");
  const bool conv = own_conv || is_op(node, "Conv"), transposed = is_op(node, "ConvTranspose");
  const bool gemm = is_op(node, "Gemm"), product = own_product || is_op(node, "MatMul");
  if (!conv && !transposed && !gemm && !product) return std::nullopt;
  if (input_of(node, 3) != kNoValue || !node.attributes.text("activation", "").empty()) return std::nullopt;
  out.channels_last_ = own_conv || gemm || product;
  const Tensor* constant = index.constant(input_of(node, 1));
  if (!constant || constant->dtype() != DType::kF32 || constant->count() == 0) return std::nullopt;
  const auto weights = constant->contiguous();
  if (!weights) return std::nullopt;
  out.weights_ = *weights;
  const Shape& shape = out.weights_.shape();
  if (conv || transposed) {
    if (shape.size() < 3) return std::nullopt;
    const int64_t taps = out.weights_.count() / shape[0] / shape[1];
    if (conv) {
      out.middle_ = out.channels_ = shape[0];
      out.inner_ = out.weights_.count() / shape[0];
    } else {
      const int64_t groups = node.attributes.integer("group", 1);
      if (groups < 1 || shape[0] % groups != 0) return std::nullopt;
      out.outer_ = shape[0];
      out.middle_ = shape[1];
      out.inner_ = taps;
      out.outer_per_group_ = shape[0] / groups;
      out.channels_ = shape[1] * groups;
    }
  } else {
    if (shape.size() != 2) return std::nullopt;
    if (gemm && (node.attributes.real("alpha", 1) != 1 || node.attributes.real("beta", 1) != 1)) return std::nullopt;
    const bool by_rows = !is_op(node, "MatMul") && node.attributes.integer("transB", 0) != 0;
    out.takes_bias_ = gemm || own_product;
    out.channels_ = by_rows ? shape[0] : shape[1];
    out.middle_ = out.channels_;
    out.outer_ = by_rows ? 1 : shape[0];
    out.inner_ = by_rows ? shape[1] : 1;
    out.outer_per_group_ = out.outer_;
  }
  const ValueId bias = input_of(node, 2);
  if (bias != kNoValue) {
    out.bias_ = gemm ? per_channel(index.constant(bias), 2, 1, out.channels_) : floats_of(index.constant(bias));
    if (!out.bias_ || static_cast<int64_t>(out.bias_->size()) != out.channels_) return std::nullopt;
  }
  return out;
}

Tensor LinearWeights::scaled(const std::vector<double>& scale) const {
  // Computed when they are packed: all folded weights of a model at once are as much again as its file.
  const auto fill = [source = weights_, scale, outer = outer_, middle = middle_, inner = inner_,
                     per_group = outer_per_group_](std::span<std::byte> to) {
    std::vector<float> computed(source.is_deferred() ? to.size() / sizeof(float) : 0);
    if (source.is_deferred()) source.storage()->compute(std::as_writable_bytes(std::span(computed)));
    const float* from = computed.empty() ? source.as<float>().data() : computed.data();
    auto* at = reinterpret_cast<float*>(to.data());
    for (int64_t a = 0; a < outer; ++a) {
      const int64_t first_channel = a / per_group * middle;
      for (int64_t b = 0; b < middle; ++b) {
        const double factor = scale[static_cast<size_t>(first_channel + b)];
        for (int64_t c = 0; c < inner; ++c) *at++ = static_cast<float>(*from++ * factor);
      }
    }
    release_pages(source);
  };
  const Shape& shape = weights_.shape();
  auto tensor = Tensor::view(DType::kF32, shape, contiguous_strides(shape), 0, Storage::deferred(weights_.byte_size(), fill));
  LAN_CHECK(tensor.ok());
  return *std::move(tensor);
}

void LinearWeights::apply(GraphIndex& index, Node& node, const std::vector<double>& scale,
                          const std::vector<double>& shift) const {
  Graph& graph = index.graph();
  const auto differs = [](const std::vector<double>& values, double from) {
    return std::any_of(values.begin(), values.end(), [&](double v) { return v != from; });
  };
  std::vector<float> bias = bias_.value_or(std::vector<float>(static_cast<size_t>(channels_), 0.0f));
  if (differs(scale, 1.0)) node.inputs[1] = graph.add_constant(scaled(scale));
  if (!takes_bias_) return;
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] * scale[c] + shift[c]);
  if (!bias_ && !differs(shift, 0.0)) return;
  node.inputs.resize(3, kNoValue);
  node.inputs[2] = graph.add_constant(float_tensor({channels_}, bias));
}

}  // namespace lanthorn
