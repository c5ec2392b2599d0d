#include "ops/ms_attention_shared.h"

#include <algorithm>
#include <cmath>

#include "ops/loops.h"
#include "ops/numbers_shared.h"

namespace lanthorn {

Heads::Heads(int64_t batch_count, int64_t head_count, int64_t rows, int64_t row_size)
    : batch(batch_count),
      heads(head_count),
      length(rows),
      size(row_size),
      numbers(static_cast<size_t>(batch_count * head_count * rows * row_size)) {}

Heads take_heads(const std::vector<double>& rows, int64_t batch, int64_t length, int64_t stride,
                 int64_t offset, int64_t step, int64_t heads, int64_t size) {
  Heads made(batch, heads, length, size);
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t i = 0; i < length; ++i) {
        const double* from = rows.data() + (b * length + i) * stride + offset + h * step;
        std::copy(from, from + size, made.row(b, h, i));
      }
    }
  }
  return made;
}

Result<Heads> read_heads(const TensorView& view) {
  if (view.rank() != 4)
    return shape_error("four dimensions are needed, not " + shape_text(view.shape));
  Heads made(0, 0, 0, 0);
  made.batch = view.shape[0], made.heads = view.shape[1];
  made.length = view.shape[2], made.size = view.shape[3];
  made.numbers = read_doubles(view);
  return made;
}

Result<Heads> appended(const Heads& first, const Heads& second) {
  if (first.batch != second.batch || first.heads != second.heads || first.size != second.size) {
    return shape_error("what is past does not fit");
  }
  Heads made(first.batch, first.heads, first.length + second.length, first.size);
  for (int64_t b = 0; b < made.batch; ++b) {
    for (int64_t h = 0; h < made.heads; ++h) {
      std::copy_n(first.row(b, h, 0), first.length * first.size, made.row(b, h, 0));
      std::copy_n(second.row(b, h, 0), second.length * second.size, made.row(b, h, first.length));
    }
  }
  return made;
}

std::vector<double> attend(const Heads& q, const Heads& k, const Heads& v,
                           const std::vector<double>& bias, const AttentionOptions& options) {
  const double usual = 1 / std::sqrt(static_cast<double>(q.size));
  const double scale = options.scale == 0 ? usual : options.scale;
  const int64_t group = q.heads / k.heads;
  std::vector<double> y(static_cast<size_t>(q.batch * q.length * q.heads * v.size));
  std::vector<double> scores(static_cast<size_t>(k.length));
  for (int64_t row = 0; row < q.batch * q.heads * q.length; ++row) {
    const int64_t b = row / (q.heads * q.length), h = row / q.length % q.heads, i = row % q.length;
    const double* query = q.row(b, h, i);
    double largest = options.sink ? 0 : -INFINITY, sum = 0;
    for (int64_t j = 0; j < k.length; ++j) {
      const double* key = k.row(b, h / group, j);
      double& score = scores[static_cast<size_t>(j)];
      score = 0;
      for (int64_t d = 0; d < q.size; ++d) score += query[d] * key[d];
      score *= scale;
      if (options.softcap > 0) score = options.softcap * std::tanh(score / options.softcap);
      score += bias[static_cast<size_t>(row * k.length + j)];
      largest = std::max(largest, score);
    }
    if (!(largest > -INFINITY)) continue;
    for (double& score : scores) sum += score = std::exp(score - largest);
    if (options.sink) sum += std::exp(-largest);
    double* to = y.data() + ((b * q.length + i) * q.heads + h) * v.size;
    for (int64_t j = 0; j < k.length; ++j) {
      const double weight = scores[static_cast<size_t>(j)] / sum;
      const double* value = v.row(b, h / group, j);
      for (int64_t d = 0; d < v.size; ++d) to[d] += weight * value[d];
    }
  }
  return y;
}

Status add_attention_bias(const TensorView& given, const Heads& q, int64_t keys,
                          std::vector<double>& bias) {
  const Shape target{q.batch, q.heads, q.length, keys};
  bool fits = given.rank() <= 4;
  for (size_t i = 0; fits && i < given.rank(); ++i) {
    const int64_t size = given.shape[given.rank() - 1 - i];
    fits = size == 1 || size == target[3 - i];
  }
  if (!fits)
    return shape_error("the attention bias is " + shape_text(given.shape) + ", not " +
                       shape_text(target));
  const std::vector<double> numbers = read_doubles(given);
  const Shape strides = broadcast_strides(given.shape, 4);
  for (size_t at = 0; at < bias.size(); ++at) {
    auto rest = static_cast<int64_t>(at);
    int64_t from = 0;
    for (size_t axis = 4; axis-- > 0; rest /= target[axis])
      from += rest % target[axis] * strides[axis];
    bias[at] += numbers[static_cast<size_t>(from)];
  }
  return ok();
}

Status add_padding_mask(const TensorView& mask, const Heads& q, int64_t keys, double hidden,
                        std::vector<double>& bias) {
  const std::vector<int64_t> numbers = read_ints(mask);
  const bool ends = mask.rank() == 1 && mask.shape[0] == q.batch;
  const bool both = mask.rank() == 1 && mask.shape[0] == 2 * q.batch;
  const bool flat = mask.rank() == 2 && mask.shape[0] == q.batch && mask.shape[1] == keys;
  const bool full = mask.rank() == 3 && mask.shape[0] == q.batch && mask.shape[1] == q.length &&
                    mask.shape[2] == keys;
  if (!ends && !both && !flat && !full) {
    return Error{
        ErrorCode::kUnsupported,
        "a mask of shape " + shape_text(mask.shape) + " for " + std::to_string(keys) + " keys", "",
        ""};
  }
  for (size_t at = 0; at < bias.size(); ++at) {
    const int64_t key = static_cast<int64_t>(at) % keys, row = static_cast<int64_t>(at) / keys;
    const int64_t query = row % q.length, batch = row / q.length / q.heads;
    const auto number = [&](int64_t i) { return numbers[static_cast<size_t>(i)]; };
    bool shown = true;
    if (ends || both) shown = key < number(batch) && (!both || key >= number(q.batch + batch));
    if (flat) shown = number(batch * keys + key) > 0;
    if (full) shown = number((batch * q.length + query) * keys + key) > 0;
    if (!shown) bias[at] += hidden;
  }
  return ok();
}

void add_causal_mask(const Heads& q, int64_t keys, int64_t past, double hidden,
                     std::vector<double>& bias) {
  for (size_t at = 0; at < bias.size(); ++at) {
    const int64_t key = static_cast<int64_t>(at) % keys,
                  query = static_cast<int64_t>(at) / keys % q.length;
    if (key > past + query) bias[at] += hidden;
  }
}

}  // namespace lanthorn
