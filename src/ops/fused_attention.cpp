// Scaled dot-product attention, softmax(scale * Q K^T + mask) V, of operands whose axes lie in any
// order: what the optimizer makes of MatMul, Softmax, MatMul and the transposes around them. The mask
// broadcasts, and one for fewer batches repeats: windows of an image share masks over a batch.
#include "ops/op.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/fused_attention_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// The dims of [batch, heads, rows, columns] of an operand.
Dims meant_dims(const Dims& dims, const std::array<int64_t, 4>& order) {
  Dims meant(4);
  for (size_t i = 0; i < 4; ++i) meant[static_cast<size_t>(order[i])] = dims[i];
  return meant;
}

Status infer(InferContext& context) {
  for (size_t i = 0; i < 3; ++i) LAN_OK(require_rank(context, i, 4, 4));
  const Attributes& attributes = context.attributes();
  const Dims q = meant_dims(context.dims(0), attention_order(attributes, "q_order"));
  const Dims k = meant_dims(context.dims(1), attention_order(attributes, "k_order"));
  const Dims v = meant_dims(context.dims(2), attention_order(attributes, "v_order"));
  const auto differ = [](const Dim& a, const Dim& b) { return a.is_known() && b.is_known() && !(a == b); };
  for (size_t axis = 0; axis < 2; ++axis) {
    if (differ(q[axis], k[axis]) || differ(q[axis], v[axis])) return refused("Q, K and V have other batches or heads");
  }
  if (differ(q[3], k[3])) return refused("Q and K have rows of other lengths");
  if (differ(k[2], v[2])) return refused("K and V have other numbers of rows");
  if (context.has_input(3)) {
    const Dims& mask = context.dims(3);
    const Dims scores = {q[0], q[1], q[2], k[2]};
    if (mask.size() > 4) return refused("the mask has more than 4 dimensions");
    for (size_t i = 0; i < mask.size(); ++i) {
      const Dim& size = scores[4 - mask.size() + i];
      if (mask.size() == 4 && i == 0 && mask[0].is_known() && !mask[0].is(0)) {
        if (!size.is_known() || size.value() % mask[0].value() == 0) continue;  // repeats
      }
      if (!mask[i].is(1) && differ(mask[i], size)) return refused("the mask does not broadcast to the scores");
    }
  }
  const Dims y = {q[0], q[1], q[2], v[3]};
  Dims dims;
  for (const int64_t axis : attention_order(attributes, "y_order")) dims.push_back(y[static_cast<size_t>(axis)]);
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

// The mask's element at [b, h, i, j], with broadcasting.
double mask_at(const TensorView& mask, const std::array<int64_t, 4>& at) {
  int64_t position = 0;
  const size_t skipped = 4 - mask.rank();
  for (size_t i = 0; i < mask.rank(); ++i) {
    position = position * mask.shape[i] + at[i + skipped] % mask.shape[i];
  }
  return mask.as<float>()[static_cast<size_t>(position)];
}

Status reference(const RunContext& context) {
  const Attributes& attributes = context.attributes();
  const auto q = attention_operand(context.input(0).shape, attention_order(attributes, "q_order"));
  const auto k = attention_operand(context.input(1).shape, attention_order(attributes, "k_order"));
  const auto v = attention_operand(context.input(2).shape, attention_order(attributes, "v_order"));
  const auto y = attention_operand(context.output(0).shape, attention_order(attributes, "y_order"));
  const auto* q_data = static_cast<const float*>(context.input(0).data);
  const auto* k_data = static_cast<const float*>(context.input(1).data);
  const auto* v_data = static_cast<const float*>(context.input(2).data);
  auto* y_data = static_cast<float*>(context.output(0).data);
  const double scale = attributes.real("scale", 1.0f);
  std::vector<double> scores(static_cast<size_t>(k.sizes[2]));
  for (int64_t b = 0; b < q.sizes[0]; ++b) {
    for (int64_t h = 0; h < q.sizes[1]; ++h) {
      for (int64_t i = 0; i < q.sizes[2]; ++i) {
        const float* q_row = q_data + b * q.strides[0] + h * q.strides[1] + i * q.strides[2];
        double largest = -std::numeric_limits<double>::infinity();
        for (int64_t j = 0; j < k.sizes[2]; ++j) {
          const float* k_row = k_data + b * k.strides[0] + h * k.strides[1] + j * k.strides[2];
          double sum = 0;
          for (int64_t d = 0; d < q.sizes[3]; ++d) {
            sum += static_cast<double>(q_row[d * q.strides[3]]) * k_row[d * k.strides[3]];
          }
          sum *= scale;
          if (context.has_input(3)) sum += mask_at(context.input(3), {b, h, i, j});
          scores[static_cast<size_t>(j)] = sum;
          largest = std::max(largest, sum);
        }
        double total = 0;
        for (double& score : scores) total += score = std::exp(score - largest);
        for (int64_t d = 0; d < v.sizes[3]; ++d) {
          double sum = 0;
          for (int64_t j = 0; j < v.sizes[2]; ++j) {
            sum += scores[static_cast<size_t>(j)] *
                   v_data[b * v.strides[0] + h * v.strides[1] + j * v.strides[2] + d * v.strides[3]];
          }
          y_data[b * y.strides[0] + h * y.strides[1] + i * y.strides[2] + d * y.strides[3]] =
              static_cast<float>(sum / total);
        }
      }
    }
  }
  return ok();
}

constexpr uint64_t kF32Only = type_bit(DType::kF32);

}  // namespace

extern constinit const OpDef op_fused_attention{
    .name = "FusedAttention",
    .domain = "lanthorn",
    .inputs = {{"Q", kF32Only}, {"K", kF32Only}, {"V", kF32Only}, {"mask", kF32Only, true}},
    .outputs = {{"Y"}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
