// com.microsoft GroupQueryAttention: causal attention with a cache, in groups of query heads.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <algorithm>
#include <cmath>

#include "ops/attention_shared.h"
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
  kPastKey,
  kPastValue,
  kLengths,
  kTotal,
  kCosines,
  kSines,
  kPositions,
  kExtra,
  kSink
};

struct HeadCounts {
  int64_t query = 0, key = 0;
  static Result<HeadCounts> of(const Attributes& a) {
    const HeadCounts made{a.integer("num_heads", 0), a.integer("kv_num_heads", 0)};
    if (made.key > 0 && made.query > 0 && made.query % made.key == 0) return made;
    return attribute_error("num_heads", "it must be a positive multiple of kv_num_heads");
  }
};

Status infer(InferContext& c) {
  LAN_TRY(const HeadCounts heads, HeadCounts::of(c.attributes()));
  LAN_OK(require_rank(c, kQuery, 3, 3));
  if (c.has_input(kSink))
    return Error{ErrorCode::kUnsupported, "head_sink is not supported", "", ""};
  const Dims& q = c.dims(kQuery);
  const bool packed = !c.has_input(kKey);
  const Dim size = floor_div(q[2], Dim(packed ? heads.query + 2 * heads.key : heads.query));
  c.set_output(0, c.dtype(0), Dims{q[0], q[1], Dim(heads.query) * size});
  Dim total = Dim::unknown();
  if (const auto known = c.elements(kTotal); known && known->size() == 1) total = known->front();
  if (c.has_input(kPastKey)) {
    LAN_OK(require_rank(c, kPastKey, 4, 4));
    total = max(total, c.dims(kPastKey)[2]);
  }
  for (const size_t i : {size_t{1}, size_t{2}})
    c.set_output(i, c.dtype(0), Dims{q[0], Dim(heads.key), total, size});
  return ok();
}

struct Angles {
  std::vector<double> cosines, sines;
  int64_t half = 0, rows = 0;
  bool interleaved = false;

  Status turn(double* at, int64_t size, int64_t position) const {
    if (2 * half > size || position < 0 || position >= rows) {
      return shape_error("position " + std::to_string(position) + " is not in the caches");
    }
    const auto row = static_cast<std::ptrdiff_t>(position * half);
    turn_pairs(at, {cosines.begin() + row, static_cast<size_t>(half)}, {sines.begin() + row, static_cast<size_t>(half)}, interleaved);
    return ok();
  }
};

Result<Angles> angles_of(const RunContext& c) {
  Angles made;
  if (!c.has_input(kCosines) || !c.has_input(kSines) || c.input(kCosines).rank() != 2) {
    return shape_error("do_rotary needs cos_cache and sin_cache");
  }
  made.cosines = read_doubles(c.input(kCosines));
  made.sines = read_doubles(c.input(kSines));
  if (made.cosines.size() != made.sines.size()) return shape_error("the caches differ in size");
  made.rows = c.input(kCosines).shape[0];
  made.half = c.input(kCosines).shape[1];
  made.interleaved = c.attributes().integer("rotary_interleaved", 0) != 0;
  return made;
}

struct Operands {
  Heads q, k, v;
};

Result<Operands> read_operands(const RunContext& c, const HeadCounts& heads) {
  const TensorView& query = c.input(kQuery);
  const bool packed = !c.has_input(kKey);
  const int64_t batch = query.shape[0], length = query.shape[1], width = query.shape[2];
  const int64_t size = width / (packed ? heads.query + 2 * heads.key : heads.query);
  const std::vector<double> rows = read_doubles(query);
  Operands made;
  made.q = take_heads(rows, batch, length, width, 0, size, heads.query, size);
  if (packed) {
    const int64_t key = heads.query * size, value = key + heads.key * size;
    made.k = take_heads(rows, batch, length, width, key, size, heads.key, size);
    made.v = take_heads(rows, batch, length, width, value, size, heads.key, size);
    return made;
  }
  for (const auto& [target, input] : {std::pair{&made.k, kKey}, std::pair{&made.v, kValue}}) {
    const TensorView& view = c.input(input);
    if (!view.present() || view.rank() != 3 || view.shape[0] != batch || view.shape[1] != length ||
        view.shape[2] != heads.key * size) {
      return shape_error("key and value do not fit the query");
    }
    *target =
        take_heads(read_doubles(view), batch, length, view.shape[2], 0, size, heads.key, size);
  }
  return made;
}

// Places new rows behind each sample's past ones in a cache of `total` rows.
Result<Heads> cached(const TensorView& past, const Heads& fresh, const std::vector<int64_t>& begins,
                     int64_t total) {
  Heads made(fresh.batch, fresh.heads, total, fresh.size);
  Heads old(fresh.batch, fresh.heads, 0, fresh.size);
  if (past.present()) {
    LAN_TRY(old, read_heads(past));
    if (old.batch != fresh.batch || old.heads != fresh.heads || old.size != fresh.size ||
        old.length > total) {
      return shape_error("what is past does not fit");
    }
  }
  for (int64_t b = 0; b < made.batch; ++b) {
    const int64_t begin = begins[static_cast<size_t>(b)];
    for (int64_t h = 0; h < made.heads; ++h) {
      std::copy_n(old.row(b, h, 0), std::min(begin, old.length) * old.size, made.row(b, h, 0));
      for (int64_t i = 0; i < fresh.length && begin + i < total; ++i) {
        std::copy_n(fresh.row(b, h, i), fresh.size, made.row(b, h, begin + i));
      }
    }
  }
  return made;
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  LAN_TRY(const HeadCounts heads, HeadCounts::of(a));
  LAN_TRY(Operands o, read_operands(c, heads));
  const int64_t length = o.q.length;
  const std::vector<int64_t> lengths = read_ints(c.input(kLengths)),
                             totals = read_ints(c.input(kTotal));
  if (static_cast<int64_t>(lengths.size()) != o.q.batch || totals.size() != 1 || totals[0] < 0) {
    return shape_error("seqlens_k is one number for each sample, total_sequence_length one number");
  }
  const int64_t old = c.has_input(kPastKey) ? c.input(kPastKey).shape[2] : 0;
  const int64_t total = std::max(totals[0], old);
  const bool prompt = length == totals[0];
  std::vector<int64_t> begins;
  for (const int64_t last : lengths) {
    const int64_t begin = prompt ? 0 : last + 1 - length;
    if (begin < 0 || begin > total || last >= total)
      return shape_error("seqlens_k is " + std::to_string(last));
    begins.push_back(begin);
  }
  if (a.integer("do_rotary", 0) != 0) {
    LAN_TRY(const Angles angles, angles_of(c));
    std::vector<int64_t> positions;
    if (c.has_input(kPositions)) positions = read_ints(c.input(kPositions));
    for (Heads* target : {&o.q, &o.k}) {
      for (int64_t row = 0; row < target->batch * target->heads * length; ++row) {
        const int64_t b = row / (target->heads * length), i = row % length;
        const auto at = static_cast<size_t>(b * length + i);
        const int64_t position =
            at < positions.size() ? positions[at] : begins[static_cast<size_t>(b)] + i;
        LAN_OK(angles.turn(target->numbers.data() + row * target->size, target->size, position));
      }
    }
  }
  LAN_TRY(o.k, cached(c.input(kPastKey), o.k, begins, total));
  LAN_TRY(o.v, cached(c.input(kPastValue), o.v, begins, total));
  const int64_t window = a.integer("local_window_size", -1);
  std::vector<double> bias(static_cast<size_t>(o.q.batch * o.q.heads * length * total));
  if (c.has_input(kExtra)) {
    // It may be as wide as the valid keys only.
    LAN_OK(add_attention_bias(c.input(kExtra), o.q, total, bias));
  }
  for (size_t at = 0; at < bias.size(); ++at) {
    const int64_t key = static_cast<int64_t>(at) % total, row = static_cast<int64_t>(at) / total;
    const int64_t seen = begins[static_cast<size_t>(row / length / o.q.heads)] + row % length + 1;
    if (key >= seen || (window > 0 && key < seen - window)) bias[at] = -INFINITY;
  }
  const AttentionOptions options{static_cast<double>(a.real("scale", 0)),
                                 static_cast<double>(a.real("softcap", 0)),
                                 a.integer("smooth_softmax", 0) == 1};
  write_doubles(c.output(0), attend(o.q, o.k, o.v, bias, options));
  for (const auto& [output, numbers] :
       {std::pair{size_t{1}, &o.k.numbers}, std::pair{size_t{2}, &o.v.numbers}}) {
    if (!c.output(output).present()) continue;
    if (c.output(output).count() != static_cast<int64_t>(numbers->size()))
      return shape_error("the cache has another size");
    write_doubles(c.output(output), *numbers);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_group_query_attention{
    .name = "GroupQueryAttention",
    .domain = kMicrosoft,
    .inputs = {{"query", kFloats},
               {"key", kFloats, true},
               {"value", kFloats, true},
               {"past_key", kFloats, true},
               {"past_value", kFloats, true},
               {"seqlens_k", kI32},
               {"total_sequence_length", kI32},
               {"cos_cache", kFloats, true},
               {"sin_cache", kFloats, true},
               {"position_ids", kI64Type, true},
               {"attention_bias", kFloats, true},
               {"head_sink", kFloats, true}},
    .outputs = {{"output", kFloats},
                {"present_key", kFloats, true},
                {"present_value", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
