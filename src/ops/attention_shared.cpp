#include "ops/attention_shared.h"

#include <limits>

#include "ops/numbers_shared.h"

namespace lanthorn {

Result<AttentionDims> AttentionDims::of(const InferContext& c) {
  AttentionDims d;
  const Dims &q = c.dims(0), &k = c.dims(1), &v = c.dims(2);
  if (q.size() != k.size() || q.size() != v.size() || (q.size() != 3 && q.size() != 4)) {
    return shape_error("Q " + dims_text(q) + ", K " + dims_text(k) + " and V " + dims_text(v) +
                       " must all have three or four dimensions");
  }
  d.packed = q.size() == 3;
  d.batch = q[0];
  Dim k_head;
  if (d.packed) {
    const int64_t q_heads = c.attributes().integer("q_num_heads", 0);
    const int64_t kv_heads = c.attributes().integer("kv_num_heads", 0);
    if (q_heads < 1 || kv_heads < 1) {
      return attribute_error("q_num_heads", "three dimensions need q_num_heads and kv_num_heads");
    }
    d.q_heads = q_heads;
    d.kv_heads = kv_heads;
    d.q_length = q[1];
    d.kv_length = k[1];
    d.head = floor_div(q[2], q_heads);
    k_head = floor_div(k[2], kv_heads);
    d.v_head = floor_div(v[2], kv_heads);
    if (!may_equal(d.head * Dim(q_heads), q[2]) || !may_equal(k_head * Dim(kv_heads), k[2]) ||
        !may_equal(d.v_head * Dim(kv_heads), v[2])) {
      return shape_error("the hidden sizes are no multiples of the numbers of heads");
    }
  } else {
    d.q_heads = q[1];
    d.kv_heads = k[1];
    d.q_length = q[2];
    d.kv_length = k[2];
    d.head = q[3];
    k_head = k[3];
    d.v_head = v[3];
    if (!may_equal(v[1], k[1])) return shape_error("K and V have different numbers of heads");
  }
  if (!may_equal(d.head, k_head) || !may_equal(k[0], q[0]) || !may_equal(v[0], q[0]) ||
      !may_equal(d.kv_length, v[d.packed ? 1 : 2])) {
    return shape_error("Q " + dims_text(q) + ", K " + dims_text(k) + " and V " + dims_text(v) +
                       " do not fit");
  }
  if (d.q_heads.is_known() && d.kv_heads.is_known() &&
      (d.kv_heads.value() < 1 || d.q_heads.value() % d.kv_heads.value() != 0)) {
    return shape_error(d.q_heads.text() + " query heads do not divide among " + d.kv_heads.text() +
                       " key heads");
  }
  if (c.has_input(4) != c.has_input(5)) return shape_error("past_key and past_value go together");
  if (c.has_input(4)) {
    const Dims &key = c.dims(4), &value = c.dims(5);
    if (key.size() != 4 || value.size() != 4 || !may_equal(key[0], d.batch) ||
        !may_equal(key[1], d.kv_heads) || !may_equal(key[3], d.head) ||
        !may_equal(value[2], key[2]) || !may_equal(value[0], d.batch) ||
        !may_equal(value[1], d.kv_heads) || !may_equal(value[3], d.v_head)) {
      return shape_error("past_key " + dims_text(key) + " and past_value " + dims_text(value) +
                         " do not fit");
    }
    d.past_length = key[2];
  }
  d.total_length = d.past_length + d.kv_length;
  if (c.has_input(3)) {
    const Dims& mask = c.dims(3);
    const Dim full[] = {d.batch, d.q_heads, d.q_length};
    bool fits = !mask.empty() && mask.size() <= 4;
    for (size_t i = 0; fits && i + 1 < mask.size(); ++i) {
      fits = mask[i].is(1) || may_equal(mask[i], full[4 - mask.size() + i]);
    }
    fits = fits && (!mask.back().is_known() || !d.total_length.is_known() ||
                    mask.back().value() <= d.total_length.value());
    if (!fits) return shape_error("attn_mask " + dims_text(mask) + " does not fit");
  }
  if (c.has_input(6) && (c.rank(6) != 1 || !may_equal(c.dims(6)[0], d.batch) || c.has_input(4))) {
    return shape_error("nonpad_kv_seqlen must be one number a sample, and without a past");
  }
  return d;
}

std::vector<double> heads_first(const TensorView& x, int64_t heads) {
  std::vector<double> values = read_doubles(x);
  if (x.rank() == 4 || values.empty()) return values;
  const auto batch = static_cast<size_t>(x.shape[0]), length = static_cast<size_t>(x.shape[1]);
  const auto count = static_cast<size_t>(heads);
  const size_t size = static_cast<size_t>(x.shape[2]) / count;
  std::vector<double> out(values.size());
  for (size_t b = 0; b < batch; ++b) {
    for (size_t s = 0; s < length; ++s) {
      for (size_t h = 0; h < count; ++h) {
        for (size_t i = 0; i < size; ++i) {
          out[((b * count + h) * length + s) * size + i] =
              values[((b * length + s) * count + h) * size + i];
        }
      }
    }
  }
  return out;
}

void turn_pairs(double* head, std::span<const double> cosines, std::span<const double> sines, bool interleaved) {
  const size_t pairs = cosines.size();
  for (size_t i = 0; i < pairs; ++i) {
    double& real = head[interleaved ? 2 * i : i];
    double& imaginary = head[interleaved ? 2 * i + 1 : pairs + i];
    const double turned = cosines[i] * real - sines[i] * imaginary;
    imaginary = sines[i] * real + cosines[i] * imaginary;
    real = turned;
  }
}

AttentionMask::AttentionMask(const TensorView* mask) {
  if (!mask) return;
  present_ = true;
  values_ = read_doubles(*mask);
  for (size_t i = 0; i < mask->rank(); ++i) sizes_[4 - mask->rank() + i] = mask->shape[i];
  if (mask->dtype != DType::kBool) return;
  for (double& value : values_) {
    value = value != 0 ? 0 : -std::numeric_limits<double>::infinity();
  }
}

double AttentionMask::operator()(int64_t batch, int64_t head, int64_t query, int64_t key) const {
  if (!present_) return 0;
  if (key >= sizes_[3]) return -std::numeric_limits<double>::infinity();
  int64_t at = sizes_[0] == 1 ? 0 : batch;
  at = at * sizes_[1] + (sizes_[1] == 1 ? 0 : head);
  at = at * sizes_[2] + (sizes_[2] == 1 ? 0 : query);
  return values_[static_cast<size_t>(at * sizes_[3] + key)];
}

}  // namespace lanthorn
