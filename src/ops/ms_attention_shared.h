#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"

// What the attentions of com.microsoft share.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
namespace lanthorn {

constexpr std::string_view kMicrosoft = "com.microsoft";

/// Numbers as [batch, heads, length, size].
struct Heads {
  int64_t batch = 0, heads = 0, length = 0, size = 0;
  std::vector<double> numbers;

  Heads() = default;
  Heads(int64_t batch_count, int64_t head_count, int64_t rows, int64_t row_size);
  const double* row(int64_t b, int64_t h, int64_t i) const {
    return numbers.data() + ((b * heads + h) * length + i) * size;
  }
  double* row(int64_t b, int64_t h, int64_t i) {
    return numbers.data() + ((b * heads + h) * length + i) * size;
  }
};

/// Takes heads from rows [batch, length, stride]: head h of a row begins at offset + h * step.
Heads take_heads(const std::vector<double>& rows, int64_t batch, int64_t length, int64_t stride,
                 int64_t offset, int64_t step, int64_t heads, int64_t size);
/// A tensor [batch, heads, length, size]; kInvalidInput for other ranks.
Result<Heads> read_heads(const TensorView& view);
/// `first` with `second` after it along the length; their other sizes must agree.
Result<Heads> appended(const Heads& first, const Heads& second);

struct AttentionOptions {
  double scale = 0;    // 0: one over the root of the head size
  double softcap = 0;  // 0: none
  bool sink = false;   // one more key with a score of zero takes its share
};

/// softmax(scale * Q K^T + bias) V, as [batch, length, heads * size]. Groups of query heads share a
/// head of K and V. `bias` is [batch, heads, queries, keys], what the scores are changed by;
/// -infinity hides a key, and where all are hidden the result is 0.
std::vector<double> attend(const Heads& q, const Heads& k, const Heads& v,
                           const std::vector<double>& bias, const AttentionOptions& options);

/// Adds an additive bias of any shape that broadcasts to [batch, heads, queries, keys].
Status add_attention_bias(const TensorView& given, const Heads& q, int64_t keys,
                          std::vector<double>& bias);

/// What a mask of whole numbers says, as com.microsoft has it: [batch] how many keys there are,
/// [2 * batch] their ends and then their beginnings, [batch, keys], [batch, queries, keys] 1 where
/// attended. `hidden` is added where it is not.
Status add_padding_mask(const TensorView& mask, const Heads& q, int64_t keys, double hidden,
                        std::vector<double>& bias);
/// Hides the keys after each query's own place, which is `past` places after its row.
void add_causal_mask(const Heads& q, int64_t keys, int64_t past, double hidden,
                     std::vector<double>& bias);

}  // namespace lanthorn
