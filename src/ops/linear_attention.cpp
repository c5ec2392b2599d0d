// LinearAttention: https://onnx.ai/onnx/operators/onnx__LinearAttention.html

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

struct Rule {
  bool gated = false, delta = false;
};

Result<Rule> rule_of(const Attributes& attributes) {
  const std::string_view text = attributes.text("update_rule", "gated_delta");
  const Rule rule{text == "gated" || text == "gated_delta",
                  text == "delta" || text == "gated_delta"};
  if (rule.gated || rule.delta || text == "linear") return rule;
  return attribute_error("update_rule", "it is linear, gated, delta or gated_delta");
}

// The size of one of `heads` equal parts.
Result<Dim> part(const Dim& size, int64_t heads) {
  if (size.is_known() && size.value() % heads != 0) {
    return shape_error(size.text() + " numbers cannot be split into " + std::to_string(heads) +
                       " heads");
  }
  return floor_div(size, Dim(heads));
}

Status infer(InferContext& c) {
  LAN_TRY(const Rule rule, rule_of(c.attributes()));
  const int64_t q_heads = c.attributes().integer("q_num_heads", 0);
  const int64_t kv_heads = c.attributes().integer("kv_num_heads", 0);
  if (kv_heads < 1 || q_heads < 1 || q_heads % kv_heads != 0) {
    return attribute_error("q_num_heads", "it must be a positive multiple of kv_num_heads");
  }
  for (size_t i = 0; i < 3; ++i) LAN_OK(require_rank(c, i, 3, 3));
  if (rule.gated != c.has_input(4)) return refused("decay belongs to the gated rules only");
  if (rule.delta != c.has_input(5)) return refused("beta belongs to the delta rules only");
  LAN_TRY(const Dim key_size, part(c.dims(1)[2], kv_heads));
  LAN_TRY(const Dim query_size, part(c.dims(0)[2], q_heads));
  LAN_TRY(const Dim value_size, part(c.dims(2)[2], kv_heads));
  if (!may_equal(key_size, query_size)) return shape_error("queries and keys differ in size");
  const Dim &batch = c.dims(0)[0], &time = c.dims(0)[1];
  const Dims state{batch, Dim(kv_heads), key_size, value_size};
  for (size_t i : {size_t{1}, size_t{2}, size_t{4}, size_t{5}}) {
    if (!c.has_input(i)) continue;
    LAN_OK(require_rank(c, i, 3, 3));
    if (!may_equal(c.dims(i)[0], batch) || !may_equal(c.dims(i)[1], time)) {
      return shape_error("inputs of different batches or lengths");
    }
  }
  if (c.has_input(4)) {
    const Dim& size = c.dims(4)[2];
    const Dim each = key_size * Dim(kv_heads);
    if (!may_equal(size, Dim(kv_heads)) && !may_equal(size, each)) {
      return shape_error("decay has " + size.text() + " numbers for " + each.text());
    }
  }
  if (c.has_input(5) && !may_equal(c.dims(5)[2], Dim(kv_heads)) &&
      !may_equal(c.dims(5)[2], Dim(1))) {
    return shape_error("beta has " + c.dims(5)[2].text() + " numbers for every position");
  }
  if (c.has_input(3)) {
    LAN_OK(require_rank(c, 3, 4, 4));
    for (size_t i = 0; i < 4; ++i) {
      if (!may_equal(c.dims(3)[i], state[i])) {
        return shape_error("past_state " + dims_text(c.dims(3)) + " is no " + dims_text(state));
      }
    }
  }
  c.set_output(0, c.dtype(0), Dims{batch, time, value_size * Dim(q_heads)});
  c.set_output(1, c.has_input(3) ? c.dtype(3) : c.dtype(0), state);
  return ok();
}

Status reference(const RunContext& c) {
  LAN_TRY(const Rule rule, rule_of(c.attributes()));
  const auto q_heads = static_cast<size_t>(c.attributes().integer("q_num_heads", 1));
  const auto kv_heads = static_cast<size_t>(c.attributes().integer("kv_num_heads", 1));
  const auto batches = static_cast<size_t>(c.input(0).shape[0]);
  const auto times = static_cast<size_t>(c.input(0).shape[1]);
  const size_t keys = static_cast<size_t>(c.input(1).shape[2]) / kv_heads;
  const size_t values = static_cast<size_t>(c.input(2).shape[2]) / kv_heads;
  const std::vector<double> q = read_doubles(c.input(0)), k = read_doubles(c.input(1)),
                            v = read_doubles(c.input(2));
  std::vector<double> decay, beta, state(batches * kv_heads * keys * values);
  if (c.has_input(3)) state = read_doubles(c.input(3));
  if (c.has_input(4)) decay = read_doubles(c.input(4));
  if (c.has_input(5)) beta = read_doubles(c.input(5));
  const size_t decay_size = c.has_input(4) ? static_cast<size_t>(c.input(4).shape[2]) : 0;
  const size_t beta_size = c.has_input(5) ? static_cast<size_t>(c.input(5).shape[2]) : 0;
  double scale = c.attributes().real("scale", 0);
  if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(keys));
  std::vector<double> out(batches * times * q_heads * values), update(values);
  for (size_t head = 0; head < batches * kv_heads; ++head) {
    const size_t batch = head / kv_heads, h = head % kv_heads;
    double* s = state.data() + head * keys * values;
    for (size_t at = batch * times; at < (batch + 1) * times; ++at) {
      const double* key = k.data() + (at * kv_heads + h) * keys;
      const double* value = v.data() + (at * kv_heads + h) * values;
      for (size_t i = 0; rule.gated && i < keys; ++i) {
        const size_t place = decay_size == kv_heads ? h : h * keys + i;
        const double factor = std::exp(decay[at * decay_size + place]);
        for (size_t j = 0; j < values; ++j) s[i * values + j] *= factor;
      }
      for (size_t j = 0; j < values; ++j) {
        update[j] = value[j];
        if (!rule.delta) continue;
        for (size_t i = 0; i < keys; ++i) update[j] -= s[i * values + j] * key[i];
        update[j] *= beta[at * beta_size + (beta_size == 1 ? 0 : h)];
      }
      for (size_t i = 0; i < keys; ++i) {
        for (size_t j = 0; j < values; ++j) s[i * values + j] += key[i] * update[j];
      }
      const size_t group = q_heads / kv_heads;
      for (size_t reader = h * group; reader < (h + 1) * group; ++reader) {
        const double* query = q.data() + (at * q_heads + reader) * keys;
        double* to = out.data() + (at * q_heads + reader) * values;
        for (size_t i = 0; i < keys; ++i) {
          for (size_t j = 0; j < values; ++j) to[j] += scale * query[i] * s[i * values + j];
        }
      }
    }
  }
  write_doubles(c.output(0), out);
  write_doubles(c.output(1), state);
  return ok();
}

}  // namespace

extern constinit const OpDef op_linear_attention{
    .name = "LinearAttention",
    .since = 27,
    .inputs = {{"query", kFloats},
               {"key", kFloats},
               {"value", kFloats},
               {"past_state", kFloats, true},
               {"decay", kFloats, true},
               {"beta", kFloats, true}},
    .outputs = {{"output", kFloats}, {"present_state", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
