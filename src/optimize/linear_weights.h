#pragma once

#include <optional>
#include <vector>

#include "optimize/graph_index.h"

namespace lanthorn {

/// A Conv, ConvTranspose, Gemm, MatMul, FusedConv or FusedMatMul with constant weights and nothing after
/// its bias, seen as one linear map per output
/// channel, so that scales and shifts of its result can move into its constants.
class LinearWeights {
 public:
  /// Nothing unless weights and bias are float32 constants that fit together.
  static std::optional<LinearWeights> of(const GraphIndex& index, const Node& node);

  int64_t channels() const { return channels_; }
  int64_t channel_axis(int64_t rank) const { return channels_last_ ? rank - 1 : 1; }
  /// False for MatMul, which has no place for a bias.
  bool takes_bias() const { return takes_bias_; }
  /// Makes the node's result `scale[c] * result + shift[c]`; new constants are added to the graph.
  void apply(GraphIndex& index, Node& node, const std::vector<double>& scale, const std::vector<double>& shift) const;

 private:
  /// The weights times `scale` of their channel.
  Tensor scaled(const std::vector<double>& scale) const;

  Tensor weights_;  // contiguous, perhaps deferred
  std::optional<std::vector<float>> bias_;
  int64_t channels_ = 0;
  bool channels_last_ = false, takes_bias_ = true;
  // Weight [a, b, c]: the channel is group * group_channels + b, of a = group * a_per_group + ...
  int64_t outer_ = 1, middle_ = 1, inner_ = 1, outer_per_group_ = 1;
};

}  // namespace lanthorn
