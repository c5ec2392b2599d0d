// Attention: softmax(Q K' * scale + mask) V. https://onnx.ai/onnx/operators/onnx__Attention.html

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/attention_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kMasks = kNumbers | kBoolType;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Status infer(InferContext& c) {
  LAN_TRY(const AttentionDims d, AttentionDims::of(c));
  if (c.attributes().integer("left_window_size", -1) < -1 ||
      c.attributes().integer("right_window_size", -1) < -1) {
    return attribute_error("left_window_size", "windows must be -1 or not negative");
  }
  c.set_output(0, c.dtype(0),
               d.packed ? Dims{d.batch, d.q_length, d.q_heads * d.v_head}
                        : Dims{d.batch, d.q_heads, d.q_length, d.v_head});
  c.set_output(1, c.dtype(1), {d.batch, d.kv_heads, d.total_length, d.head});
  c.set_output(2, c.dtype(2), {d.batch, d.kv_heads, d.total_length, d.v_head});
  c.set_output(3, c.dtype(0), {d.batch, d.q_heads, d.q_length, d.total_length});
  return ok();
}

// Past and new keys (or values) one after the other: [batch * heads, past + length, size].
std::vector<double> joined(const TensorView* past, std::vector<double> now, size_t groups) {
  if (!past) return now;
  const std::vector<double> before = read_doubles(*past);
  const size_t old_run = before.size() / std::max<size_t>(groups, 1);
  const size_t new_run = now.size() / std::max<size_t>(groups, 1);
  std::vector<double> all;
  all.reserve(before.size() + now.size());
  for (size_t g = 0; g < groups; ++g) {
    all.insert(all.end(), before.begin() + static_cast<std::ptrdiff_t>(g * old_run),
               before.begin() + static_cast<std::ptrdiff_t>((g + 1) * old_run));
    all.insert(all.end(), now.begin() + static_cast<std::ptrdiff_t>(g * new_run),
               now.begin() + static_cast<std::ptrdiff_t>((g + 1) * new_run));
  }
  return all;
}

// What the attributes say of one row of scores.
struct Scoring {
  double scale = 1, softcap = 0;
  bool causal = false;
  int64_t left = -1, right = -1, mode = 0;

  // -infinity where causality, window or padding hide key `j` from a query at absolute position
  // `p`.
  double hidden(int64_t p, int64_t j, int64_t valid) const {
    const bool out = (causal && j > p) || (left >= 0 && j < p - left) ||
                     (right >= 0 && j > p + right) || j >= valid;
    return out ? -kInfinity : 0;
  }
};

void softmax(std::vector<double>& row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& value : row) sum += value = std::exp(value - largest);
  for (double& value : row) value /= sum;
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  const TensorView& q_view = c.input(0);
  const bool packed = q_view.rank() == 3;
  const int64_t batch = q_view.shape[0];
  const int64_t q_heads = packed ? a.integer("q_num_heads", 1) : q_view.shape[1];
  const int64_t kv_heads = packed ? a.integer("kv_num_heads", 1) : c.input(1).shape[1];
  const int64_t q_length = q_view.shape[packed ? 1 : 2];
  const int64_t past = c.has_input(4) ? c.input(4).shape[2] : 0;
  const int64_t total = past + c.input(1).shape[packed ? 1 : 2];
  const int64_t head = packed ? q_view.shape[2] / q_heads : q_view.shape[3];
  const int64_t v_head = packed ? c.input(2).shape[2] / kv_heads : c.input(2).shape[3];

  const auto groups = static_cast<size_t>(batch * kv_heads);
  const std::vector<double> q = heads_first(q_view, q_heads);
  const std::vector<double> k =
      joined(c.has_input(4) ? &c.input(4) : nullptr, heads_first(c.input(1), kv_heads), groups);
  const std::vector<double> v =
      joined(c.has_input(5) ? &c.input(5) : nullptr, heads_first(c.input(2), kv_heads), groups);
  if (c.output_count() > 1) write_doubles(c.output(1), k);
  if (c.output_count() > 2) write_doubles(c.output(2), v);

  Scoring how;
  how.scale = a.has("scale") ? a.real("scale", 1) : 1 / std::sqrt(static_cast<double>(head));
  how.softcap = a.real("softcap", 0);
  how.causal = a.integer("is_causal", 0) != 0;
  how.left = a.integer("left_window_size", -1);
  how.right = a.integer("right_window_size", -1);
  how.mode = a.integer("qk_matmul_output_mode", 0);
  const AttentionMask mask(c.has_input(3) ? &c.input(3) : nullptr);
  std::vector<int64_t> valid(static_cast<size_t>(batch), total);
  if (c.has_input(6)) valid = read_ints(c.input(6));

  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  std::vector<double> shown(static_cast<size_t>(batch * q_heads * q_length * total));
  std::vector<double> row(static_cast<size_t>(total)), bias(row.size());
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t offset = c.has_input(6) ? valid[static_cast<size_t>(b)] - q_length : past;
    for (int64_t h = 0; h < q_heads; ++h) {
      const int64_t group = b * kv_heads + h / (q_heads / kv_heads);
      for (int64_t i = 0; i < q_length; ++i) {
        const double* query = q.data() + ((b * q_heads + h) * q_length + i) * head;
        double* show = shown.data() + ((b * q_heads + h) * q_length + i) * total;
        bool all_hidden = true;
        for (int64_t j = 0; j < total; ++j) {
          const double* key = k.data() + (group * total + j) * head;
          double score = 0;
          for (int64_t e = 0; e < head; ++e) score += query[e] * key[e];
          score *= how.scale;
          if (how.mode == 0) show[j] = score;
          if (how.softcap != 0) score = how.softcap * std::tanh(score / how.softcap);
          if (how.mode == 1) show[j] = score;
          const double add =
              mask(b, h, i, j) + how.hidden(i + offset, j, valid[static_cast<size_t>(b)]);
          all_hidden = all_hidden && add == -kInfinity;
          row[static_cast<size_t>(j)] = score + add;
          if (how.mode == 2) show[j] = score + add;
        }
        if (total == 0) continue;
        if (all_hidden) {
          std::fill(row.begin(), row.end(), 0.0);
        } else {
          softmax(row);
        }
        if (how.mode == 3) std::copy(row.begin(), row.end(), show);
        double* to = packed ? y.data() + ((b * q_length + i) * q_heads + h) * v_head
                            : y.data() + ((b * q_heads + h) * q_length + i) * v_head;
        for (int64_t j = 0; j < total; ++j) {
          const double* value = v.data() + (group * total + j) * v_head;
          const double weight = row[static_cast<size_t>(j)];
          for (int64_t e = 0; e < v_head && weight != 0; ++e) to[e] += weight * value[e];
        }
      }
    }
  }
  write_doubles(c.output(0), y);
  if (c.output_count() > 3) write_doubles(c.output(3), shown);
  return ok();
}

}  // namespace

extern constinit const OpDef op_attention{
    .name = "Attention",
    .since = 25,
    .inputs = {{"Q", kFloats},
               {"K", kFloats},
               {"V", kFloats},
               {"attn_mask", kMasks, true},
               {"past_key", kFloats, true},
               {"past_value", kFloats, true},
               {"nonpad_kv_seqlen", kI64Type, true}},
    .outputs = {{"Y", kFloats},
                {"present_key", kFloats, true},
                {"present_value", kFloats, true},
                {"qk_matmul_output", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
