// Sorting and running totals.
#include <utility>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

struct Sorted {
  ValueId values, indices;
};

/// The k first along an axis. TopK breaks ties by index, so whole sorts are stable.
Sorted top(Emitter& e, const TensorRef& x, const Dim& k, int64_t axis, bool largest, bool sorted) {
  ValueId value = e.read(x);
  if (x->dims.empty()) return {e.op("Identity", {value}), e.integer(0, DType::kI64)};
  const DType dtype = x->dtype;
  if (dtype == DType::kBool) value = e.cast(value, DType::kU8);
  const auto made = e.ops("TopK", {value, e.shape({k})}, 2,
                          {{"axis", axis}, {"largest", int64_t{largest}}, {"sorted", int64_t{sorted}}});
  return {e.cast(made[0], dtype), made[1]};
}

Dim length_of(const TensorRef& x, int64_t axis) {
  return x->dims.empty() ? Dim(1) : x->dims[static_cast<size_t>(axis)];
}

// (self, k, dim, largest, sorted)
Result<Value> topk(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), x->dims.size()));
  const Sorted made = top(e, x, args.integer(1), axis, args.flag(3), args.flag(4));
  return e.tuple({made.values, made.indices});
}

template <size_t kDim>
Result<Value> sort(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(kDim), x->dims.size()));
  const Sorted made = top(e, x, length_of(x, axis), axis, args.flag(kDim + 1), true);
  return e.tuple({made.values, made.indices});
}

template <size_t kDim>
Result<Value> argsort(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(kDim), x->dims.size()));
  return e.result(top(e, x, length_of(x, axis), axis, args.flag(kDim + 1), true).indices);
}

Result<Value> msort(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(top(e, x, length_of(x, 0), 0, false, true).values);
}

/// The element of rank `k` (from 1) along an axis, smallest first.
Result<Value> kth(Lowering& lowering, const TensorRef& x, const Dim& k, int64_t axis, bool keep) {
  Emitter e(lowering);
  const Sorted sorted = top(e, x, k, axis, false, true);
  if (x->dims.empty()) return e.tuple({sorted.values, sorted.indices});
  ValueId value = e.select(sorted.values, axis, k - 1), index = e.select(sorted.indices, axis, k - 1);
  if (keep) {
    value = e.unsqueeze(value, {axis});
    index = e.unsqueeze(index, {axis});
  }
  return e.tuple({value, index});
}

// (self, k, dim, keepdim)
Result<Value> kthvalue(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), x->dims.size()));
  return kth(lowering, x, args.integer(1), axis, args.flag(3));
}

// The lower one of two middle elements.
Result<Value> median_dim(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  return kth(lowering, x, floor_div(length_of(x, axis) - 1, 2) + 1, axis, args.flag(2));
}

Result<Value> median(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const Dim count = product(x->dims);
  const ValueId flat = e.reshape(e.read(x), {count});
  const Dim k = floor_div(count - 1, 2) + 1;
  const auto made = e.ops("TopK", {flat, e.shape({k})}, 2,
                          {{"axis", int64_t{0}}, {"largest", int64_t{0}}, {"sorted", int64_t{1}}});
  return e.result(e.select(made[0], 0, k - 1));
}

// (self, dim, dtype); integers and bools are added up in int64
template <const char* kOp>
Result<Value> cumulative(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  const DType own = is_integer(x->dtype) || x->dtype == DType::kBool ? DType::kI64 : x->dtype;
  const ValueId value = e.read(x, args.dtype(2).value_or(own));
  if (x->dims.empty()) return e.result(e.op("Identity", {value}));
  return e.result(e.op(kOp, {value, e.integer(axis, DType::kI64)}));
}

// (self, dim, keepdim): the most frequent element, of several the smallest, and where it is last
Result<Value> mode(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  ValueId value = e.read(x);
  if (x->dims.empty()) return e.tuple({e.op("Identity", {value}), e.integer(0, DType::kI64)});
  auto order = all_axes(x->dims.size());
  std::swap(order[static_cast<size_t>(axis)], order.back());
  if (axis + 1 != static_cast<int64_t>(order.size())) value = e.transpose(value, order);
  const ValueId same = e.op("Equal", {e.unsqueeze(value, {-1}), e.unsqueeze(value, {-2})});
  const ValueId counts = e.reduce("ReduceSum", e.cast(same, DType::kI64), {-1}, false);
  const ValueId frequent = e.op("Equal", {counts, e.reduce("ReduceMax", counts, {-1}, true)});
  const ValueId others = e.highest(x->dtype);
  ValueId least = e.reduce("ReduceMin", e.op("Where", {frequent, value, others}), {-1}, true);
  const ValueId length = e.squeeze(e.shape({length_of(x, axis)}), {0});
  const ValueId places = e.op("Range", {e.integer(0, DType::kI64), length, e.integer(1, DType::kI64)});
  const ValueId here = e.op("Where", {e.op("Equal", {value, least}), places, e.integer(-1, DType::kI64)});
  ValueId last = e.reduce("ReduceMax", here, {-1}, true);
  if (axis + 1 != static_cast<int64_t>(order.size())) {
    least = e.transpose(least, order);
    last = e.transpose(last, order);
  }
  if (args.flag(2)) return e.tuple({least, last});
  return e.tuple({e.squeeze(least, {axis}), e.squeeze(last, {axis})});
}

constexpr char kCumSum[] = "CumSum", kCumProd[] = "CumProd";

/// The extreme so far and where it was last met, for an axis of known length.
template <const char* kOp, const char* kReaches>
Result<Value> running_extreme(Lowering& lowering, const Args& args) {
  constexpr int64_t kLongest = 1024;  // one step is four nodes
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  LAN_TRY(const int64_t length, lowering.concrete(length_of(x, axis)));
  if (x->dims.empty()) return e.tuple({e.op("Identity", {e.read(x)}), e.integer(0, DType::kI64)});
  if (length < 1 || length > kLongest) {
    return lowering.error(ErrorCode::kUnsupported, "a running extreme over " + std::to_string(length) +
                                                       " elements; 1 to " + std::to_string(kLongest) +
                                                       " are supported");
  }
  const ValueId value = e.read(x);
  ValueId best = e.slice(value, axis, 0, 1);
  Dims dims = x->dims;
  dims[static_cast<size_t>(axis)] = 1;
  ValueId at = e.expand(e.integer(0, DType::kI64), dims);
  std::vector<ValueId> values = {best}, indices = {at};
  for (int64_t i = 1; i < length; ++i) {
    const ValueId next = e.slice(value, axis, i, i + 1);
    at = e.op("Where", {e.op(kReaches, {next, best}), e.integer(i, DType::kI64), at});
    best = e.op(kOp, {best, next});
    values.push_back(best);
    indices.push_back(at);
  }
  return e.tuple({e.concat(std::move(values), axis), e.concat(std::move(indices), axis)});
}

constexpr char kMax[] = "Max", kMin[] = "Min", kGreaterOrEqual[] = "GreaterOrEqual", kLessOrEqual[] = "LessOrEqual";

constexpr AtenRow kRows[] = {
    {"aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, "
     "Tensor indices)",
     topk},
    {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", sort<1>},
    {"aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, "
     "Tensor indices)",
     sort<2>},
    {"aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", argsort<1>},
    {"aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor", argsort<2>},
    {"aten::msort(Tensor self) -> Tensor", msort},
    {"aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
     kthvalue},
    {"aten::median(Tensor self) -> Tensor", median},
    {"aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", median_dim},
    {"aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)", mode},
    {"aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumulative<kCumSum>},
    {"aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumulative<kCumProd>},
    {"aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)",
     running_extreme<kMax, kGreaterOrEqual>},
    {"aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)", running_extreme<kMin, kLessOrEqual>},
};

}  // namespace

extern const std::span<const AtenRow> aten_order = kRows;

}  // namespace lanthorn::script
