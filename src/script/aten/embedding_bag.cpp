// Sums, means and maxima over bags of embeddings.
#include <limits>

#include "script/aten/loss_shared.h"

namespace lanthorn::script {
namespace {

struct Bags {
  TensorRef weight, indices, offsets, sample_weights;
  int64_t mode = 0;  // 0: sum, 1: mean, 2: max
  bool last_offset = false;
  std::optional<int64_t> padding;
};

/// [bags, indices]: which index is in which bag. Bags are runs between offsets.
ValueId membership(Emitter& e, const Bags& bags, ValueId indices) {
  const Dim& count = bags.indices->dims.at(0);
  const ValueId offsets = e.read(bags.offsets, DType::kI64);
  ValueId starts = offsets, ends = e.slice(offsets, 0, 1, INT64_MAX);
  if (bags.last_offset) {
    starts = e.slice(offsets, 0, 0, -1);
  } else {
    ends = e.concat({ends, e.shape({count})}, 0);
  }
  const ValueId places = e.unsqueeze(e.op("Range", {e.integer(0, DType::kI64), e.squeeze(e.shape({count}), {0}),
                                                    e.integer(1, DType::kI64)}),
                                     {0});
  ValueId inside = e.op("And", {e.op("GreaterOrEqual", {places, e.unsqueeze(starts, {1})}),
                                e.op("Less", {places, e.unsqueeze(ends, {1})})});
  if (bags.padding) {
    const ValueId kept = e.op("Not", {e.op("Equal", {indices, e.integer(*bags.padding, DType::kI64)})});
    inside = e.op("And", {inside, e.unsqueeze(kept, {0})});
  }
  return inside;
}

Result<Value> embedded(Lowering& lowering, const Bags& bags) {
  Emitter e(lowering);
  const DType dtype = bags.weight->dtype;
  const ValueId indices = e.read(bags.indices, DType::kI64);
  const ValueId rows = e.op("Gather", {e.read(bags.weight), indices});
  const ValueId inside = membership(e, bags, indices);
  const ValueId sizes = e.reduce("ReduceSum", e.cast(inside, DType::kI64), {1}, true);
  ValueId y = kNoValue;
  if (bags.mode == 2) {
    const ValueId none = e.number(-std::numeric_limits<double>::infinity(), dtype);
    const ValueId spread = e.op("Where", {e.unsqueeze(inside, {2}), e.unsqueeze(rows, {0}), none});
    const ValueId empty = e.op("Equal", {sizes, e.integer(0, DType::kI64)});
    y = e.op("Where", {empty, e.number(0, dtype), e.reduce("ReduceMax", spread, {1}, false)});
  } else {
    ValueId factors = e.cast(inside, dtype);
    if (bags.sample_weights) factors = e.op("Mul", {factors, e.unsqueeze(e.read(bags.sample_weights, dtype), {0})});
    y = e.op("MatMul", {factors, rows});
    if (bags.mode == 1) y = e.op("Div", {y, e.op("Max", {e.cast(sizes, dtype), e.number(1, dtype)})});
  }
  return e.tuple({y, kNoValue, e.squeeze(sizes, {1}), kNoValue});
}

// (weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset,
//  [padding_idx])
template <bool kPadding>
Result<Value> embedding_bag(Lowering& lowering, const Args& args) {
  Bags bags{args.tensor(0), args.tensor(1), args.tensor(2), args.optional_tensor(6)};
  if (bags.indices->dims.size() != 1 || bags.offsets->dims.size() != 1) {
    return lowering.error(ErrorCode::kInvalidInput, "embedding_bag wants indices and offsets of one dimension");
  }
  LAN_TRY(bags.mode, lowering.concrete(args.integer(4)));
  bags.last_offset = args.flag(7);
  if constexpr (kPadding) {
    if (!args.is_none(8)) {
      LAN_TRY(int64_t padding, lowering.concrete(args.integer(8)));
      if (padding < 0) {
        LAN_TRY(const int64_t rows, lowering.concrete(bags.weight->dims.at(0)));
        padding += rows;
      }
      bags.padding = padding;
    }
  }
  return embedded(lowering, bags);
}

// (self, indices, max_norm, norm_type): rows that are asked for and longer than max_norm are shortened to it
Result<Value> embedding_renorm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef weight = args.tensor(0), indices = args.tensor(1);
  if (weight->dims.size() != 2) return lowering.error(ErrorCode::kInvalidInput, "an embedding's weight is a matrix");
  const DType dtype = weight->dtype;
  const ValueId table = e.read(weight);
  const ValueId asked = e.reshape(e.read(indices, DType::kI64), {product(indices->dims)});
  const ValueId ones = e.expand(e.number(1, dtype), {product(indices->dims)});
  const ValueId zeros = e.expand(e.number(0, dtype), {weight->dims[0]});
  const ValueId used = e.cast(e.op("ScatterElements", {zeros, asked, ones}, {{"axis", int64_t{0}}}), DType::kBool);
  const ValueId norms = p_norm(e, table, args.real(3), 1, false), most = e.number(args.real(2), dtype);
  const ValueId scale = e.op("Div", {most, e.op("Add", {norms, e.number(1e-7, dtype)})});
  const ValueId long_rows = e.op("And", {used, e.op("Greater", {norms, most})});
  const ValueId factor = e.op("Where", {long_rows, scale, e.number(1, dtype)});
  const ValueId made = e.op("Mul", {table, e.unsqueeze(factor, {1})});
  if (e.failed()) return e.error();
  return lowering.write(weight, made);
}

constexpr AtenRow kRows[] = {
    {"aten::embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> Tensor(a!)",
     embedding_renorm},
    {"aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, "
     "bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, "
     "Tensor, Tensor)",
     embedding_bag<false>},
    {"aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int "
     "mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, "
     "Tensor, Tensor, Tensor)",
     embedding_bag<true>},
};

}  // namespace

extern const std::span<const AtenRow> aten_embedding_bag = kRows;

}  // namespace lanthorn::script
