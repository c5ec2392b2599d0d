// Counting: histograms, membership, means and integrals that skip or accumulate.
#include <algorithm>
#include <cmath>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

constexpr int64_t kMostBins = int64_t{1} << 24;

/// How often each of `count` (a 1-D int64 value of one element) numbers is among `places`; `weights` are added in place of 1.
ValueId tally(Emitter& e, ValueId places, ValueId count, ValueId weights) {
  const ValueId zeros = e.op("Expand", {e.number(0, e.dtype(weights)), count});
  return e.op("ScatterElements", {zeros, places, weights}, {{"axis", int64_t{0}}, {"reduction", std::string("add")}});
}

// (self, bins, min, max): equal bins, the last one with its upper edge; without bounds those of the data
Result<Value> histc(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const DType dtype = x->dtype;
  LAN_TRY(const int64_t bins, lowering.concrete(args.integer(1)));
  if (bins < 1 || bins > kMostBins) return lowering.error(ErrorCode::kInvalidInput, "histc with " + std::to_string(bins) + " bins");
  const ValueId flat = e.reshape(e.read(x), {product(x->dims)});
  ValueId low = e.operand(args[2], dtype), high = e.operand(args[3], dtype);
  const auto given_low = number_of(args[2]), given_high = number_of(args[3]);
  if (!given_low || !given_high) return lowering.error(ErrorCode::kUnsupported, "histc with bounds that depend on data");
  if (*given_low == *given_high) {
    if (*given_low == 0) {
      low = e.reduce("ReduceMin", flat, {}, false);
      high = e.reduce("ReduceMax", flat, {}, false);
    }
    const ValueId one = e.number(1, dtype), same = e.op("Equal", {low, high});
    const ValueId below = e.op("Sub", {low, one}), above = e.op("Add", {high, one});
    low = e.op("Where", {same, below, low});
    high = e.op("Where", {same, above, high});
  }
  const ValueId step = e.op("Div", {e.number(static_cast<double>(bins), dtype), e.op("Sub", {high, low})});
  ValueId place = e.cast(e.op("Floor", {e.op("Mul", {e.op("Sub", {flat, low}), step})}), DType::kI64);
  place = e.op("Min", {e.op("Max", {place, e.integer(0, DType::kI64)}), e.integer(bins - 1, DType::kI64)});
  const ValueId inside = e.op("And", {e.op("GreaterOrEqual", {flat, low}), e.op("LessOrEqual", {flat, high})});
  place = e.op("Where", {inside, place, e.integer(0, DType::kI64)});
  return e.result(tally(e, place, e.ints({bins}), e.cast(inside, dtype)));
}

// (self, weights, minlength)
Result<Value> bincount(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (x->dims.size() != 1) return lowering.error(ErrorCode::kInvalidInput, "bincount of a tensor with other than one dimension");
  const ValueId places = e.read(x, DType::kI64);
  const ValueId largest = e.reduce("ReduceMax", e.concat({places, e.ints({-1})}, 0), {}, true);
  const ValueId count = e.op("Max", {e.op("Add", {largest, e.ints({1})}), e.shape({args.integer(2)})});
  const TensorRef weights = args.optional_tensor(1);
  if (!weights) return e.result(tally(e, places, count, e.expand(e.integer(1, DType::kI64), x->dims)));
  return e.result(tally(e, places, count, e.read(weights, weights->dtype == DType::kF32 ? DType::kF32 : DType::kF64)));
}

// (elements, test_elements, assume_unique, invert)
Result<Value> isin(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  const TensorRef among = args[1].tensor();
  ValueId tests = e.operand(args[1], dtype);
  tests = e.reshape(tests, {among ? product(among->dims) : Dim(1)});
  const ValueId same = e.op("Equal", {e.unsqueeze(e.operand(args[0], dtype), {-1}), tests});
  // No test at all is no match.
  const Dims dims = e.dims(same);
  if (e.failed()) return e.error();
  const ValueId counts = e.reduce("ReduceSum", e.cast(same, DType::kI64), {-1}, false);
  const ValueId found = e.op("Greater", {counts, e.integer(0, DType::kI64)});
  return e.result(args.flag(3) ? e.op("Not", {found}) : found);
}

// (self, dim, keepdim, dtype): NaN does not count
Result<Value> nanmean(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const DType dtype = args.dtype(3).value_or(x->dtype);
  LAN_TRY(const auto axes, axes_of(lowering, args.optional_ints(1).value_or(Dims{}), x->dims.size()));
  const ValueId value = e.read(x, dtype), missing = e.op("IsNaN", {value});
  const ValueId zero = e.number(0, dtype), one = e.number(1, dtype);
  const ValueId sum = e.reduce("ReduceSum", e.op("Where", {missing, zero, value}), axes, args.flag(2));
  const ValueId count = e.reduce("ReduceSum", e.op("Where", {missing, zero, one}), axes, args.flag(2));
  return e.result(e.op("Div", {sum, count}));
}

// (self, dim): the logarithm of the sum of exponentials so far
Result<Value> logcumsumexp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  ValueId value = e.read(x);
  if (x->dims.empty()) return e.result(e.op("Identity", {value}));
  auto order = all_axes(x->dims.size());
  std::swap(order[static_cast<size_t>(axis)], order.back());
  const bool turned = axis + 1 != static_cast<int64_t>(order.size());
  if (turned) value = e.transpose(value, order);
  // Each row of [.., length, length] holds what is before it, so that its own maximum keeps it in range.
  const Dim length = x->dims[static_cast<size_t>(axis)];
  Dims dims = e.dims(value);
  if (e.failed()) return e.error();
  dims.insert(dims.end() - 1, length);
  const ValueId ones = e.expand(e.integer(1, DType::kI64), {length, length});
  const ValueId before = e.cast(e.op("Trilu", {ones, e.integer(0, DType::kI64)}, {{"upper", int64_t{0}}}), DType::kBool);
  const ValueId wide = e.op("Where", {before, e.unsqueeze(value, {-2}), e.number(-INFINITY, x->dtype)});
  ValueId made = e.reduce("ReduceLogSumExp", wide, {-1}, false);
  if (turned) made = e.transpose(made, order);
  return e.result(made);
}

/// Means of neighbours times their distance.
struct Trapezoids {
  ValueId areas;
  int64_t axis;
};

Result<Trapezoids> trapezoids(Emitter& e, const Args& args, const Value& width, const TensorRef& at, const Dim& dim) {
  const TensorRef y = args.tensor(0);
  const DType dtype = float_type(y->dtype);
  LAN_TRY(const int64_t axis, axis_of(e.lowering(), dim, y->dims.size()));
  if (y->dims.empty()) return e.lowering().error(ErrorCode::kInvalidInput, "an integral of a single number");
  const ValueId value = e.read(y, dtype);
  const Dim length = y->dims[static_cast<size_t>(axis)];
  const auto later = [&](ValueId v, int64_t on, const Dim& size) { return e.slice(v, on, Dim(1), size); };
  const auto earlier = [&](ValueId v, int64_t on, const Dim& size) { return e.slice(v, on, Dim(0), size - Dim(1)); };
  ValueId sums = e.op("Mul", {e.op("Add", {later(value, axis, length), earlier(value, axis, length)}), e.number(0.5, dtype)});
  if (!at) return Trapezoids{e.op("Mul", {sums, e.operand(width, dtype)}), axis};
  ValueId x = e.read(at, dtype);
  const int64_t own = at->dims.size() == 1 ? 0 : axis;
  x = e.op("Sub", {later(x, own, length), earlier(x, own, length)});
  if (at->dims.size() == 1) {
    Dims dims(y->dims.size(), Dim(1));
    dims[static_cast<size_t>(axis)] = length - Dim(1);
    x = e.reshape(x, dims);
  }
  return Trapezoids{e.op("Mul", {sums, x}), axis};
}

// (y, dx, dim) or (y, x, dim)
template <bool kRunning>
Result<Value> integral(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Trapezoids parts, trapezoids(e, args, args[1], args[1].tensor(), args.integer(2)));
  if (kRunning) return e.result(e.op("CumSum", {parts.areas, e.integer(parts.axis, DType::kI64)}));
  return e.result(e.reduce("ReduceSum", parts.areas, {parts.axis}, false));
}

constexpr AtenRow kRows[] = {
    {"aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor", histc},
    {"aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor", bincount},
    {"aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool "
     "invert=False) -> Tensor",
     isin},
    {"aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool "
     "invert=False) -> Tensor",
     isin},
    {"aten::isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool "
     "invert=False) -> Tensor",
     isin},
    {"aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", nanmean},
    {"aten::logcumsumexp(Tensor self, int dim) -> Tensor", logcumsumexp},
    {"aten::trapz.dx(Tensor y, *, float dx=1., int dim=-1) -> Tensor", integral<false>},
    {"aten::trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", integral<false>},
    {"aten::trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", integral<false>},
    {"aten::trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", integral<false>},
    {"aten::cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", integral<true>},
    {"aten::cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", integral<true>},
};

}  // namespace

extern const std::span<const AtenRow> aten_histogram = kRows;

}  // namespace lanthorn::script
