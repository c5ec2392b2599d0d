// Diagonals, cross products, differences, searching sorted numbers, distinct elements.
#include <algorithm>
#include <cmath>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

constexpr int64_t kLargestTable = int64_t{1} << 22;  // elements of a constant index or mask

/// The diagonal of two axes, as a new last one.
Result<Value> diagonal_of(Lowering& lowering, const TensorRef& x, const Dim& offset, const Dim& a, const Dim& b) {
  Emitter e(lowering);
  const size_t rank = x->dims.size();
  LAN_TRY(const int64_t first, axis_of(lowering, a, rank));
  LAN_TRY(const int64_t second, axis_of(lowering, b, rank));
  if (first == second || rank < 2) return lowering.error(ErrorCode::kInvalidInput, "a diagonal of one dimension");
  LAN_TRY(const int64_t shift, lowering.concrete(offset));
  LAN_TRY(const int64_t rows, lowering.concrete(x->dims[static_cast<size_t>(first)]));
  LAN_TRY(const int64_t columns, lowering.concrete(x->dims[static_cast<size_t>(second)]));
  std::vector<int64_t> order, places;
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    if (static_cast<int64_t>(i) == first || static_cast<int64_t>(i) == second) continue;
    order.push_back(static_cast<int64_t>(i));
    dims.push_back(x->dims[i]);
  }
  order.push_back(first);
  order.push_back(second);
  dims.push_back(Dim(rows * columns));
  for (int64_t i = std::max<int64_t>(0, -shift); i < rows && i + shift < columns; ++i) {
    places.push_back(i * columns + i + shift);
  }
  ValueId value = e.read(x);
  if (!std::is_sorted(order.begin(), order.end())) value = e.transpose(value, order);
  return e.result(e.op("Gather", {e.reshape(value, dims), e.ints(places)}, {{"axis", static_cast<int64_t>(rank) - 2}}));
}

// (self, offset, dim1, dim2)
Result<Value> diagonal(Lowering& lowering, const Args& args) {
  return diagonal_of(lowering, args.tensor(0), args.integer(1), args.integer(2), args.integer(3));
}

/// A matrix for each last row, with it on a diagonal.
Result<Value> embedded(Lowering& lowering, const TensorRef& x, const Dim& offset) {
  Emitter e(lowering);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a diagonal matrix of a 0-d tensor");
  LAN_TRY(const int64_t shift, lowering.concrete(offset));
  LAN_TRY(const int64_t length, lowering.concrete(x->dims.back()));
  const int64_t size = length + std::abs(shift);
  if (size > 0 && size > kLargestTable / size) {
    return lowering.error(ErrorCode::kLimit, "a diagonal matrix of " + std::to_string(size) + " rows");
  }
  std::vector<int64_t> mask(static_cast<size_t>(size * size), 0);
  for (int64_t i = std::max<int64_t>(0, -shift); i < size && i + shift < size; ++i) {
    mask[static_cast<size_t>(i * size + i + shift)] = 1;
  }
  // Columns before an upper diagonal and after a lower one hold nothing.
  std::vector<int64_t> pads(2 * x->dims.size(), 0);
  (shift > 0 ? pads[x->dims.size() - 1] : pads.back()) = std::abs(shift);
  const ValueId row = shift == 0 ? e.read(x) : e.op("Pad", {e.read(x), e.ints(pads)});
  const ValueId chosen = e.constant(Tensor::of_ints(mask).reshaped({size, size}).cast(DType::kBool));
  return e.result(e.op("Where", {chosen, e.unsqueeze(row, {-2}), e.number(0, x->dtype)}));
}

// (self, diagonal): a vector becomes a matrix, a matrix gives its diagonal
Result<Value> diag(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.size() == 1) return embedded(lowering, x, args.integer(1));
  return diagonal_of(lowering, x, args.integer(1), Dim(0), Dim(1));
}

// (self, offset, dim1, dim2)
Result<Value> diag_embed(Lowering& lowering, const Args& args) {
  const size_t rank = args.tensor(0)->dims.size() + 1;
  LAN_TRY(const int64_t first, axis_of(lowering, args.integer(2), rank));
  LAN_TRY(const int64_t second, axis_of(lowering, args.integer(3), rank));
  if (first + 2 != static_cast<int64_t>(rank) || second + 1 != static_cast<int64_t>(rank)) {
    return lowering.error(ErrorCode::kUnsupported, "aten::diag_embed into other than the last two dimensions");
  }
  return embedded(lowering, args.tensor(0), args.integer(1));
}

Result<Value> trace(Lowering& lowering, const Args& args) {
  LAN_TRY(const Value diagonal, diagonal_of(lowering, args.tensor(0), Dim(0), Dim(0), Dim(1)));
  Emitter e(lowering);
  const DType dtype = args.tensor(0)->dtype;
  const ValueId value = e.read(diagonal.tensor(), is_integer(dtype) ? DType::kI64 : dtype);
  return e.result(e.reduce("ReduceSum", value, {0}, false));
}

Result<Value> cross_over(Lowering& lowering, const Args& args, const Dim& dim) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  LAN_TRY(const Dims dims, broadcast_dims(lowering, args.tensor(0)->dims, args.tensor(1)->dims));
  LAN_TRY(const int64_t axis, axis_of(lowering, dim, dims.size()));
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  const auto turned = [&](ValueId x, std::vector<int64_t> order) {
    return e.op("Gather", {x, e.ints(std::move(order))}, {{"axis", axis}});
  };
  const ValueId plus = e.op("Mul", {turned(a, {1, 2, 0}), turned(b, {2, 0, 1})});
  const ValueId minus = e.op("Mul", {turned(a, {2, 0, 1}), turned(b, {1, 2, 0})});
  return e.result(e.op("Sub", {plus, minus}));
}

// (self, other, dim); without dim the first dimension of size 3
Result<Value> cross(Lowering& lowering, const Args& args) {
  if (!args.is_none(2)) return cross_over(lowering, args, args.integer(2));
  const Dims& dims = args.tensor(0)->dims;
  for (size_t i = 0; i < dims.size(); ++i) {
    LAN_TRY(const bool three, lowering.equal(dims[i], Dim(3)));
    if (three) return cross_over(lowering, args, Dim(static_cast<int64_t>(i)));
  }
  return lowering.error(ErrorCode::kInvalidInput, "cross of tensors without a dimension of size 3");
}

Result<Value> linalg_cross(Lowering& lowering, const Args& args) {
  return cross_over(lowering, args, args.integer(2));
}

// (self, n, dim, prepend, append)
Result<Value> diff(Lowering& lowering, const Args& args) {
  constexpr int64_t kMost = 64;
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t times, lowering.concrete(args.integer(1)));
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), x->dims.size()));
  if (times < 0 || times > kMost || x->dims.empty()) {
    return lowering.error(ErrorCode::kUnsupported, "a difference of order " + std::to_string(times));
  }
  std::vector<ValueId> parts;
  if (!args.is_none(3)) parts.push_back(e.read(args.tensor(3)));
  parts.push_back(e.read(x));
  if (!args.is_none(4)) parts.push_back(e.read(args.tensor(4)));
  ValueId value = e.concat(std::move(parts), axis);
  for (int64_t i = 0; i < times; ++i) {
    const ValueId next = e.slice(value, axis, 1, INT64_MAX), last = e.slice(value, axis, 0, -1);
    value = e.op(e.dtype(value) == DType::kBool ? "Xor" : "Sub", {next, last});
  }
  return e.result(value);
}

// (self, other, rtol, atol, equal_nan)
Result<Value> isclose(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType own = result_type(std::vector<Value>{args[0], args[1]});
  const DType dtype = is_floating(own) ? own : DType::kF64;
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  const ValueId apart = e.op("Abs", {e.op("Sub", {a, b})});
  const ValueId allowed = e.op("Add", {e.number(args.real(3), dtype),
                                       e.op("Mul", {e.number(args.real(2), dtype), e.op("Abs", {b})})});
  // An infinite distance is within no bound; equal infinities are equal.
  const ValueId near = e.op("And", {e.op("LessOrEqual", {apart, allowed}), e.op("Not", {e.op("IsInf", {apart})})});
  ValueId close = e.op("Or", {e.op("Equal", {a, b}), near});
  if (args.flag(4)) close = e.op("Or", {close, e.op("And", {e.op("IsNaN", {a}), e.op("IsNaN", {b})})});
  return e.result(close);
}

/// How many of the sorted numbers lie before each value.
Result<Value> positions(Lowering& lowering, const TensorRef& sorted, const Value& values, bool right, bool narrow) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{Value(sorted), values});
  ValueId row = e.read(sorted, dtype);
  const ValueId x = e.unsqueeze(e.operand(values, dtype), {-1});
  if (sorted->dims.size() > 1) row = e.unsqueeze(row, {-2});
  const ValueId before = e.op(right ? "LessOrEqual" : "Less", {row, x});
  const ValueId count = e.reduce("ReduceSum", e.cast(before, DType::kI64), {-1}, false);
  return e.result(narrow ? e.cast(count, DType::kI32) : count);
}

// (self, boundaries, out_int32, right)
Result<Value> bucketize(Lowering& lowering, const Args& args) {
  return positions(lowering, args.tensor(1), args[0], args.flag(3), args.flag(2));
}

// (sorted_sequence, self, out_int32, right, side, sorter)
Result<Value> searchsorted(Lowering& lowering, const Args& args) {
  const bool right = args.flag(3) || (!args.is_none(4) && args.text(4) == "right");
  if (args.is_none(5)) return positions(lowering, args.tensor(0), args[1], right, args.flag(2));
  Emitter e(lowering);
  const ValueId sorted = e.op("GatherElements", {e.read(args.tensor(0)), e.read(args.tensor(5), DType::kI64)},
                              {{"axis", int64_t{-1}}});
  if (e.failed()) return e.error();
  return positions(lowering, lowering.tensor(sorted), args[1], right, args.flag(2));
}

// (self, sorted, return_inverse, return_counts) -> (values, inverse, counts)
Result<Value> unique(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const auto made = e.ops("Unique", {e.read(x)}, 4, {{"sorted", int64_t{1}}});
  return e.tuple({made[0], e.reshape(made[2], x->dims), made[3]});
}

// (self, dim, sorted, return_inverse, return_counts)
Result<Value> unique_dim(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  const auto made = e.ops("Unique", {e.read(x)}, 4, {{"axis", axis}, {"sorted", int64_t{1}}});
  return e.tuple({made[0], made[2], made[3]});
}

// (row, col, offset, dtype, ...): positions of a triangle, [2, count]
template <bool kUpper>
Result<Value> triangle_indices(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t rows, lowering.concrete(args.integer(0)));
  LAN_TRY(const int64_t columns, lowering.concrete(args.integer(1)));
  LAN_TRY(const int64_t offset, lowering.concrete(args.integer(2)));
  if (rows < 0 || columns < 0 || (columns > 0 && rows > kLargestTable / columns)) {
    return lowering.error(ErrorCode::kLimit, "triangle positions of " + std::to_string(rows) + " rows");
  }
  std::vector<int64_t> at[2];
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      if (kUpper ? j - i < offset : j - i > offset) continue;
      at[0].push_back(i);
      at[1].push_back(j);
    }
  }
  const auto count = static_cast<int64_t>(at[0].size());
  at[0].insert(at[0].end(), at[1].begin(), at[1].end());
  LAN_TRY(Tensor made, Tensor::of_ints(at[0]).reshaped({2, count}).cast(args.dtype(3).value_or(DType::kI64)));
  return Value(lowering.literal(std::move(made)));
}

constexpr AtenRow kRows[] = {
    {"aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)", diagonal},
    {"aten::diag(Tensor self, int diagonal=0) -> Tensor", diag},
    {"aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", diag_embed},
    {"aten::trace(Tensor self) -> Tensor", trace},
    {"aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor", cross},
    {"aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", linalg_cross},
    {"aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor", diff},
    {"aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool "
     "equal_nan=False) -> Tensor",
     isclose},
    {"aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
     bucketize},
    {"aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
     bucketize},
    {"aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, "
     "str? side=None, Tensor? sorter=None) -> Tensor",
     searchsorted},
    {"aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, "
     "str? side=None, Tensor? sorter=None) -> Tensor",
     searchsorted},
    {"aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
     "(Tensor, Tensor, Tensor)",
     unique},
    {"aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool "
     "return_counts=False) -> (Tensor, Tensor, Tensor)",
     unique_dim},
    {"aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<false>},
    {"aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<true>},
};

}  // namespace

extern const std::span<const AtenRow> aten_matrix = kRows;

}  // namespace lanthorn::script
