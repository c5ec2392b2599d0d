#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/op.h"

namespace lanthorn {

/// The sizes of an Attention. Q, K and V are [batch, heads, length, head size], or [batch, length,
/// heads * head size] with the numbers of heads as attributes.
struct AttentionDims {
  Dim batch, q_heads, kv_heads, q_length, kv_length, past_length, total_length, head, v_head;
  bool packed = false;  // three dimensions

  static Result<AttentionDims> of(const InferContext& c);
};

/// Turns the pairs of one head by the angles of its position (rotary embedding), `cosines` and `sines` one for
/// each pair. The halves of a pair lie as many numbers apart as there are pairs, or, interleaved, side by side.
void turn_pairs(double* head, std::span<const double> cosines, std::span<const double> sines, bool interleaved);

/// One operand as [batch, heads, length, size] in doubles.
std::vector<double> heads_first(const TensorView& x, int64_t heads);

/// The additive mask of an Attention, element by element, with broadcasting. Positions past a
/// mask's last axis are masked.
class AttentionMask {
 public:
  explicit AttentionMask(const TensorView* mask);
  /// 0 where attended, -infinity where not, or what a float mask adds.
  double operator()(int64_t batch, int64_t head, int64_t query, int64_t key) const;

 private:
  std::vector<double> values_;
  int64_t sizes_[4] = {1, 1, 1, 1};
  bool present_ = false;
};

}  // namespace lanthorn
