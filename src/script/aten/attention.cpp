// Scaled dot product attention and the fused multi-head forms that traces hold.
#include <cmath>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

struct Attention {
  TensorRef query, key, value, mask;  // [..., length, width]
  bool causal = false;
  std::optional<double> scale;
  double dropout = 0;
};

/// The first dimensions folded or added, so that there are batch, heads, length, width.
ValueId four_dims(Emitter& e, const TensorRef& x) {
  const ValueId value = e.read(x);
  const size_t rank = x->dims.size();
  if (rank == 4) return value;
  if (rank < 4) {
    std::vector<int64_t> axes;
    for (size_t i = rank; i < 4; ++i) axes.push_back(static_cast<int64_t>(i - rank));
    return e.unsqueeze(value, axes);
  }
  Dims dims = {product(std::span(x->dims).first(rank - 3))};
  dims.insert(dims.end(), x->dims.end() - 3, x->dims.end());
  return e.reshape(value, dims);
}

Result<ValueId> attend(Emitter& e, const Attention& a) {
  const size_t rank = a.query->dims.size();
  if (rank < 2 || a.key->dims.size() != rank || a.value->dims.size() != rank) {
    return e.lowering().error(ErrorCode::kUnsupported, "attention over tensors of ranks " + std::to_string(rank) +
                                                           ", " + std::to_string(a.key->dims.size()) + " and " +
                                                           std::to_string(a.value->dims.size()));
  }
  if (a.dropout > 0) e.lowering().note("attention has dropout in training mode: nothing is dropped");
  std::vector<ValueId> inputs = {four_dims(e, a.query), four_dims(e, a.key), four_dims(e, a.value)};
  if (a.mask) {
    if (rank > 4 && a.mask->dims.size() > 2) {
      return e.lowering().error(ErrorCode::kUnsupported, "attention of rank " + std::to_string(rank) + " with a mask");
    }
    const DType dtype = a.mask->dtype == DType::kBool ? DType::kBool : a.query->dtype;
    ValueId mask = e.read(a.mask, dtype);
    // A mask of [batch, length, length] beside three dimensions belongs to the batch, not to heads.
    if (rank == 3 && a.mask->dims.size() == 3) mask = e.unsqueeze(mask, {0});
    if (a.mask->dims.size() == 1) mask = e.unsqueeze(mask, {0});
    inputs.push_back(mask);
  }
  Attributes attributes;
  if (a.causal) attributes.set("is_causal", int64_t{1});
  if (a.scale) attributes.set("scale", static_cast<float>(*a.scale));
  const ValueId y = e.op("Attention", std::move(inputs), std::move(attributes));
  if (rank == 4) return y;
  Dims dims(a.query->dims.begin(), a.query->dims.end() - 1);
  dims.push_back(a.value->dims.back());
  return e.reshape(y, dims);
}

std::optional<double> optional_real(const Args& args, size_t i) {
  if (args.is_none(i)) return std::nullopt;
  return args.real(i);
}

// (query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
Result<Value> scaled_dot_product(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId y, attend(e, {args.tensor(0), args.tensor(1), args.tensor(2), args.optional_tensor(3),
                                      args.flag(5), optional_real(args, 6), args.real(4)}));
  return e.result(y);
}

Value with_nothing(const Value& output, size_t nothing) {
  std::vector<Value> items(nothing + 1, Value(None{}));
  items[0] = output;
  return make_tuple(std::move(items));
}

// (query, key, value, dropout_p, is_causal, attn_mask, scale)
Result<Value> flash_for_cpu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId y, attend(e, {args.tensor(0), args.tensor(1), args.tensor(2), args.optional_tensor(5),
                                      args.flag(4), optional_real(args, 6), args.real(3)}));
  LAN_TRY(const Value output, e.result(y));
  return with_nothing(output, 1);
}

// (query, key, value, dropout_p, is_causal, return_debug_mask, scale)
Result<Value> flash(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId y, attend(e, {args.tensor(0), args.tensor(1), args.tensor(2), nullptr, args.flag(4),
                                      optional_real(args, 6), args.real(3)}));
  LAN_TRY(const Value output, e.result(y));
  return with_nothing(output, 8);
}

// (query, key, value, attn_bias, compute_log_sumexp, dropout_p, is_causal, scale)
Result<Value> efficient(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId y, attend(e, {args.tensor(0), args.tensor(1), args.tensor(2), args.optional_tensor(3),
                                      args.flag(6), optional_real(args, 7), args.real(5)}));
  LAN_TRY(const Value output, e.result(y));
  return with_nothing(output, 3);
}

/// x times the transpose of a weight [out, in], plus a bias. Rank 3.
ValueId project(Emitter& e, ValueId x, const TensorRef& weight, const TensorRef& bias) {
  const ValueId y = e.op("MatMul", {x, e.transpose(e.read(weight), {1, 0})});
  return bias ? e.op("Add", {y, e.read(bias)}) : y;
}

struct MultiHead {
  TensorRef query, key, value;  // [batch, length, width]
  Dim width;
  int64_t heads = 1;
  TensorRef in_weight, in_bias, out_weight, out_bias, mask;
  std::optional<int64_t> mask_type;  // 0: [L, L], 1: [batch, L] of keys, 2: [batch, heads, L, L]
};

/// True in the mask means "not attended"; Attention has it the other way round.
Result<ValueId> mask_of(Emitter& e, const MultiHead& m) {
  if (!m.mask) return kNoValue;
  ValueId mask = e.read(m.mask);
  if (m.mask->dtype == DType::kBool) {
    mask = e.op("Not", {mask});
  } else {
    mask = e.cast(mask, m.query->dtype);
  }
  const size_t rank = m.mask->dims.size();
  const bool of_keys = m.mask_type ? *m.mask_type == 1 : rank == 2 && !(m.mask->dims[0] == m.query->dims[1]);
  if (of_keys && rank == 2) return e.unsqueeze(mask, {1, 2});
  if (rank == 2 || rank == 4) return mask;
  if (rank == 3) return e.reshape(mask, {m.query->dims[0], Dim(m.heads), m.mask->dims[1], m.mask->dims[2]});
  return e.lowering().error(ErrorCode::kUnsupported, "multi-head attention with a mask of rank " + std::to_string(rank));
}

struct Attended {
  ValueId output = kNoValue, weights = kNoValue;  // weights: [batch, heads, L, L]
};

Result<Attended> multi_head(Emitter& e, const MultiHead& m, bool want_weights) {
  std::vector<ValueId> parts;
  if (m.query == m.key && m.key == m.value) {
    parts = e.split(project(e, e.read(m.query), m.in_weight, m.in_bias), 2, {m.width, m.width, m.width});
  } else {
    const auto weights = e.split(e.read(m.in_weight), 0, {m.width, m.width, m.width});
    const auto biases = m.in_bias ? e.split(e.read(m.in_bias), 0, {m.width, m.width, m.width})
                                  : std::vector<ValueId>(3, kNoValue);
    const TensorRef inputs[] = {m.query, m.key, m.value};
    for (size_t i = 0; i < 3; ++i) {
      ValueId y = e.op("MatMul", {e.read(inputs[i]), e.transpose(weights[i], {1, 0})});
      if (m.in_bias) y = e.op("Add", {y, biases[i]});
      parts.push_back(y);
    }
  }
  LAN_TRY(const ValueId mask, mask_of(e, m));
  if (mask != kNoValue) parts.push_back(mask);
  Attributes attributes = {{"q_num_heads", m.heads}, {"kv_num_heads", m.heads}};
  if (want_weights) attributes.set("qk_matmul_output_mode", int64_t{3});
  Attended result;
  ValueId y = kNoValue;
  if (want_weights) {
    const auto made = e.ops("Attention", std::move(parts), 4, std::move(attributes));
    y = made[0];
    result.weights = made[3];
  } else {
    y = e.op("Attention", std::move(parts), std::move(attributes));
  }
  result.output = project(e, y, m.out_weight, m.out_bias);
  return result;
}

Result<std::optional<int64_t>> mask_type(Lowering& lowering, const Args& args, size_t i) {
  if (args.is_none(i)) return std::optional<int64_t>();
  LAN_TRY(const int64_t type, lowering.concrete(args.integer(i)));
  return std::optional(type);
}

// (query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight, proj_bias, mask,
//  need_weights, average_attn_weights, mask_type)
Result<Value> native_multi_head(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  MultiHead m{args.tensor(0), args.tensor(1), args.tensor(2), args.integer(3)};
  LAN_TRY(m.heads, lowering.concrete(args.integer(4)));
  m.in_weight = args.tensor(5);
  m.in_bias = args.tensor(6);
  m.out_weight = args.tensor(7);
  m.out_bias = args.tensor(8);
  m.mask = args.optional_tensor(9);
  LAN_TRY(m.mask_type, mask_type(lowering, args, 12));
  LAN_TRY(const Attended made, multi_head(e, m, args.flag(10)));
  if (!args.flag(10)) return e.tuple({made.output, kNoValue});
  return e.tuple({made.output, args.flag(11) ? e.reduce("ReduceMean", made.weights, {1}, false) : made.weights});
}

ValueId normalized(Emitter& e, ValueId x, const TensorRef& weight, const TensorRef& bias, double epsilon) {
  return e.op("LayerNormalization", {x, e.read(weight), e.read(bias)},
              {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(epsilon)}});
}

// (src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu, norm_first, eps,
//  norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2,
//  ffn_bias_2, mask, mask_type)
Result<Value> encoder_layer(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef source = args.tensor(0);
  const bool norm_first = args.flag(8);
  const double epsilon = args.real(9);
  ValueId x = e.read(source);
  const ValueId first = norm_first ? normalized(e, x, args.tensor(10), args.tensor(11), epsilon) : x;
  if (e.failed()) return e.error();
  const TensorRef in = norm_first ? lowering.tensor(first) : source;
  MultiHead m{in, in, in, args.integer(1)};
  LAN_TRY(m.heads, lowering.concrete(args.integer(2)));
  m.in_weight = args.tensor(3);
  m.in_bias = args.tensor(4);
  m.out_weight = args.tensor(5);
  m.out_bias = args.tensor(6);
  m.mask = args.optional_tensor(18);
  LAN_TRY(m.mask_type, mask_type(lowering, args, 19));
  LAN_TRY(const Attended made, multi_head(e, m, false));
  x = e.op("Add", {x, made.output});
  if (!norm_first) x = normalized(e, x, args.tensor(10), args.tensor(11), epsilon);
  const ValueId inner = norm_first ? normalized(e, x, args.tensor(12), args.tensor(13), epsilon) : x;
  ValueId wide = project(e, inner, args.tensor(14), args.tensor(15));
  wide = e.op(args.flag(7) ? "Gelu" : "Relu", {wide});
  x = e.op("Add", {x, project(e, wide, args.tensor(16), args.tensor(17))});
  if (!norm_first) x = normalized(e, x, args.tensor(12), args.tensor(13), epsilon);
  return e.result(x);
}

constexpr AtenRow kRows[] = {
    {"aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
     "dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
     scaled_dot_product},
    {"aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float "
     "dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor "
     "logsumexp)",
     flash_for_cpu},
    {"aten::_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float dropout_p=0., bool "
     "is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor logsumexp, "
     "Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, Tensor unused, Tensor "
     "debug_attn_mask)",
     flash},
    {"aten::_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_bias, "
     "bool compute_log_sumexp, float dropout_p=0., bool is_causal=False, *, float? scale=None) -> (Tensor output, "
     "Tensor log_sumexp, Tensor philox_seed, Tensor philox_offset)",
     efficient},
    {"aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, "
     "Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool "
     "need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)",
     native_multi_head},
    {"aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, Tensor "
     "qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, Tensor "
     "norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor "
     "ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor",
     encoder_layer},
};

}  // namespace

extern const std::span<const AtenRow> aten_attention = kRows;

}  // namespace lanthorn::script
