// com.microsoft MultiHeadAttention: attention over Q, K and V that were projected before.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <cmath>

#include "ops/ms_attention_shared.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kI32 = type_bit(DType::kI32);
enum Input : size_t {
  kQuery,
  kKey,
  kValue,
  kBias,
  kMask,
  kExtra,
  kPastKey,
  kPastValue,
  kPastLength,
  kIndirection
};

Status infer(InferContext& c) {
  const int64_t heads = c.attributes().integer("num_heads", 0);
  if (heads < 1) return attribute_error("num_heads", "it must be positive");
  if (c.has_input(kPastLength) || c.has_input(kIndirection)) {
    return Error{ErrorCode::kUnsupported,
                 "past_sequence_length and cache_indirection are not supported", "", ""};
  }
  const Dims& q = c.dims(kQuery);
  if (q.size() == 5) {
    if (!may_equal(q[2], Dim(heads)) || !may_equal(q[3], Dim(3)))
      return shape_error("a packed query is " + dims_text(q));
    c.set_output(0, c.dtype(0), Dims{q[0], q[1], Dim(heads) * q[4]});
    c.set_output(1, c.dtype(0), Dims{q[0], Dim(heads), q[1], q[4]});
    c.set_output(2, c.dtype(0), Dims{q[0], Dim(heads), q[1], q[4]});
    return ok();
  }
  if (q.size() != 3 || !c.has_input(kKey))
    return shape_error("query " + dims_text(q) + " and key do not fit");
  const Dims& k = c.dims(kKey);
  const bool packed = k.size() == 5, split = k.size() == 4;
  if (packed && (!may_equal(k[2], Dim(heads)) || !may_equal(k[3], Dim(2)))) {
    return shape_error("a packed key is " + dims_text(k));
  }
  if (!packed && (!c.has_input(kValue) || k.size() < 3 || c.rank(kValue) != c.rank(kKey))) {
    return shape_error("key " + dims_text(k) + " and value do not fit");
  }
  const Dim head = packed ? k[4] : split ? k[3] : floor_div(k[2], Dim(heads));
  const Dim size = packed  ? head
                   : split ? c.dims(kValue).back()
                           : floor_div(c.dims(kValue).back(), Dim(heads));
  Dim total = split ? k[2] : k[1];
  if (c.has_input(kPastKey)) {
    LAN_OK(require_rank(c, kPastKey, 4, 4));
    total = total + c.dims(kPastKey)[2];
  }
  c.set_output(0, c.dtype(0), Dims{q[0], q[1], Dim(heads) * size});
  c.set_output(1, c.dtype(0), Dims{q[0], Dim(heads), total, head});
  c.set_output(2, c.dtype(0), Dims{q[0], Dim(heads), total, size});
  return ok();
}

// An operand [batch, length, heads * size] with its part of the bias, or [batch, heads, length,
// size].
Result<Heads> operand(const TensorView& view, int64_t heads, const std::vector<double>& bias,
                      size_t offset) {
  if (view.rank() == 4) return read_heads(view);
  if (view.rank() != 3 || view.shape[2] % heads != 0)
    return shape_error("an operand is " + shape_text(view.shape));
  std::vector<double> rows = read_doubles(view);
  const auto width = static_cast<size_t>(view.shape[2]);
  if (!bias.empty()) {
    if (bias.size() < offset + width) return shape_error("the bias does not fit");
    for (size_t i = 0; i < rows.size(); ++i) rows[i] += bias[offset + i % width];
  }
  const int64_t size = view.shape[2] / heads;
  return take_heads(rows, view.shape[0], view.shape[1], view.shape[2], 0, size, heads, size);
}

struct Operands {
  Heads q, k, v;
};

Result<Operands> read_operands(const RunContext& c, int64_t heads) {
  Operands made;
  std::vector<double> bias;
  if (c.has_input(kBias)) bias = read_doubles(c.input(kBias));
  const TensorView& query = c.input(kQuery);
  if (query.rank() == 5) {
    const int64_t size = query.shape[4], stride = heads * 3 * size;
    std::vector<double> rows = read_doubles(query);
    if (!bias.empty()) return Error{ErrorCode::kUnsupported, "a bias of a packed query", "", ""};
    for (const auto& [target, part] :
         {std::pair{&made.q, 0}, std::pair{&made.k, 1}, std::pair{&made.v, 2}}) {
      *target = take_heads(rows, query.shape[0], query.shape[1], stride, part * size, 3 * size,
                           heads, size);
    }
    return made;
  }
  LAN_TRY(made.q, operand(query, heads, bias, 0));
  const TensorView& key = c.input(kKey);
  if (key.rank() == 5) {
    const int64_t size = key.shape[4], stride = heads * 2 * size;
    const std::vector<double> rows = read_doubles(key);
    made.k = take_heads(rows, key.shape[0], key.shape[1], stride, 0, 2 * size, heads, size);
    made.v = take_heads(rows, key.shape[0], key.shape[1], stride, size, 2 * size, heads, size);
    return made;
  }
  const auto width = static_cast<size_t>(made.q.heads * made.q.size);
  LAN_TRY(made.k, operand(key, heads, bias, width));
  LAN_TRY(made.v, operand(c.input(kValue), heads, bias, 2 * width));
  return made;
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  LAN_TRY(Operands o, read_operands(c, a.integer("num_heads", 1)));
  int64_t past = 0;
  if (c.has_input(kPastKey) && c.has_input(kPastValue)) {
    LAN_TRY(const Heads old_k, read_heads(c.input(kPastKey)));
    LAN_TRY(const Heads old_v, read_heads(c.input(kPastValue)));
    past = old_k.length;
    LAN_TRY(o.k, appended(old_k, o.k));
    LAN_TRY(o.v, appended(old_v, o.v));
  }
  const bool fits = o.q.batch == o.k.batch && o.k.batch == o.v.batch && o.q.heads == o.k.heads &&
                    o.k.heads == o.v.heads && o.q.size == o.k.size && o.k.length == o.v.length;
  if (!fits) return shape_error("query, key and value do not fit");
  const double hidden = static_cast<double>(a.real("mask_filter_value", -10000.0f));
  std::vector<double> bias(static_cast<size_t>(o.q.batch * o.q.heads * o.q.length * o.k.length));
  if (c.has_input(kMask)) LAN_OK(add_padding_mask(c.input(kMask), o.q, o.k.length, hidden, bias));
  if (a.integer("unidirectional", 0) != 0) add_causal_mask(o.q, o.k.length, past, -INFINITY, bias);
  if (c.has_input(kExtra)) LAN_OK(add_attention_bias(c.input(kExtra), o.q, o.k.length, bias));
  write_doubles(c.output(0),
                attend(o.q, o.k, o.v, bias, {.scale = static_cast<double>(a.real("scale", 0))}));
  write_doubles(c.output(1), o.k.numbers);
  write_doubles(c.output(2), o.v.numbers);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_multi_head_attention{
    .name = "MultiHeadAttention",
    .domain = kMicrosoft,
    .inputs = {{"query", kFloats},
               {"key", kFloats, true},
               {"value", kFloats, true},
               {"bias", kFloats, true},
               {"key_padding_mask", kI32, true},
               {"attention_bias", kFloats, true},
               {"past_key", kFloats, true},
               {"past_value", kFloats, true},
               {"past_sequence_length", kI32, true},
               {"cache_indirection", kI32, true}},
    .outputs = {{"output", kFloats},
                {"present_key", kFloats, true},
                {"present_value", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
