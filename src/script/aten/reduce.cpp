// Reductions: sums, means, extremes, any and all.
#include <cmath>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// Which axes go (empty: all), and whether they stay as 1.
struct Over {
  std::vector<int64_t> axes;
  bool keep = false;
};

/// int[]? dim at `dim` (None and [] are all), bool keepdim at `keep`.
Result<Over> over(Lowering& lowering, const Args& args, size_t dim, size_t keep) {
  Over result;
  const auto dims = args.optional_ints(dim);
  if (dims) {
    LAN_TRY(result.axes, axes_of(lowering, *dims, args.tensor(0)->dims.size()));
  }
  result.keep = args.flag(keep);
  return result;
}

ValueId reduced(Emitter& e, const char* op, ValueId x, const Over& over) {
  if (e.rank(x) == 0) return e.op("Identity", {x});
  return e.reduce(op, x, over.axes, over.keep);
}

/// What sums of a dtype are made in: int64 for integers and bools.
DType sum_type(const TensorRef& x, std::optional<DType> asked) {
  if (asked) return *asked;
  return is_integer(x->dtype) || x->dtype == DType::kBool ? DType::kI64 : x->dtype;
}

template <const char* kOp, size_t kDtype>
Result<Value> sum_all(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(reduced(e, kOp, e.read(x, sum_type(x, args.dtype(kDtype))), {}));
}

constexpr char kReduceSum[] = "ReduceSum", kReduceProd[] = "ReduceProd", kReduceMax[] = "ReduceMax",
               kReduceMin[] = "ReduceMin", kArgMax[] = "ArgMax", kArgMin[] = "ArgMin";

// (self, dim, keepdim, dtype)
template <const char* kOp>
Result<Value> sum_dims(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  return e.result(reduced(e, kOp, e.read(x, sum_type(x, args.dtype(3))), axes));
}

Result<Value> prod_dim(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  return e.result(reduced(e, kReduceProd, e.read(x, sum_type(x, args.dtype(3))), {{axis}, args.flag(2)}));
}

Result<Value> mean_over(Lowering& lowering, const TensorRef& x, std::optional<DType> asked, const Over& axes) {
  const DType dtype = asked.value_or(x->dtype);
  if (!is_floating(dtype)) {
    return lowering.error(ErrorCode::kInvalidInput, "mean of integers; PyTorch refuses it without a dtype");
  }
  Emitter e(lowering);
  return e.result(reduced(e, "ReduceMean", e.read(x, dtype), axes));
}

Result<Value> mean_all(Lowering& lowering, const Args& args) {
  return mean_over(lowering, args.tensor(0), args.dtype(1), {});
}

Result<Value> mean_dims(Lowering& lowering, const Args& args) {
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  return mean_over(lowering, args.tensor(0), args.dtype(3), axes);
}

/// ReduceMax and ReduceMin know no 16-bit integers.
ValueId extreme(Emitter& e, const char* op, ValueId x, const Over& axes) {
  const DType dtype = e.dtype(x);
  const bool odd = dtype == DType::kI16 || dtype == DType::kU16;
  return e.cast(reduced(e, op, odd ? e.cast(x, DType::kI32) : x, axes), dtype);
}

// (self, dim, keepdim)
template <const char* kOp>
Result<Value> extreme_dims(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  return e.result(extreme(e, kOp, e.read(args.tensor(0)), axes));
}

template <const char* kOp>
Result<Value> extreme_all(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(extreme(e, kOp, e.read(args.tensor(0)), {}));
}

ValueId arg_extreme(Emitter& e, const char* op, ValueId x, int64_t axis, bool keep) {
  if (e.dtype(x) == DType::kBool) x = e.cast(x, DType::kU8);
  return e.op(op, {x}, {{"axis", axis}, {"keepdims", int64_t{keep}}});
}

// (self, dim, keepdim) -> (values, indices)
template <const char* kReduce, const char* kArg>
Result<Value> extreme_with_index(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  const ValueId value = e.read(x);
  if (x->dims.empty()) return e.tuple({e.op("Identity", {value}), e.integer(0, DType::kI64)});
  return e.tuple({extreme(e, kReduce, value, {{axis}, args.flag(2)}),
                  arg_extreme(e, kArg, value, axis, args.flag(2))});
}

// (self, dim, keepdim) -> (min, max)
Result<Value> aminmax(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  Over axes{{}, args.flag(2)};
  if (!args.is_none(1)) {
    LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
    axes.axes = {axis};
  }
  const ValueId value = e.read(x);
  return e.tuple({extreme(e, kReduceMin, value, axes), extreme(e, kReduceMax, value, axes)});
}

// (self, dim, keepdim); without dim over all elements
template <const char* kOp>
Result<Value> arg_of(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId value = e.read(x);
  if (x->dims.empty()) return e.result(e.integer(0, DType::kI64));
  if (!args.is_none(1)) {
    LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
    return e.result(arg_extreme(e, kOp, value, axis, args.flag(2)));
  }
  const ValueId at = arg_extreme(e, kOp, e.op("Reshape", {value, e.ints({-1})}), 0, false);
  if (!args.flag(2)) return e.result(at);
  return e.result(e.reshape(at, Dims(x->dims.size(), Dim(1))));
}

Result<Value> truth(Lowering& lowering, const TensorRef& x, const char* op, const Over& axes) {
  Emitter e(lowering);
  const ValueId flag = reduced(e, op, e.read(x, DType::kBool), axes);
  // uint8 stands in for bool in old programs and stays what it is.
  return e.result(x->dtype == DType::kU8 ? e.cast(flag, DType::kU8) : flag);
}

template <const char* kOp>
Result<Value> truth_all(Lowering& lowering, const Args& args) {
  return truth(lowering, args.tensor(0), kOp, {});
}

template <const char* kOp>
Result<Value> truth_dim(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), args.tensor(0)->dims.size()));
  return truth(lowering, args.tensor(0), kOp, {{axis}, args.flag(2)});
}

template <const char* kOp>
Result<Value> truth_dims(Lowering& lowering, const Args& args) {
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  return truth(lowering, args.tensor(0), kOp, axes);
}

// (self, dim, keepdim)
Result<Value> logsumexp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  return e.result(reduced(e, "ReduceLogSumExp", e.read(x, float_type(x->dtype)), axes));
}

// (self, dim, keepdim, dtype): NaN counts as 0
Result<Value> nansum(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const Over axes, over(lowering, args, 1, 2));
  ValueId value = e.read(x, sum_type(x, args.dtype(3)));
  if (is_floating(e.dtype(value))) {
    value = e.op("Where", {e.op("IsNaN", {value}), e.number(0, e.dtype(value)), value});
  }
  return e.result(reduced(e, kReduceSum, value, axes));
}

Result<Value> count(Lowering& lowering, const TensorRef& x, const std::vector<int64_t>& axes) {
  Emitter e(lowering);
  const ValueId some = e.cast(e.read(x, DType::kBool), DType::kI64);
  return e.result(reduced(e, kReduceSum, some, {axes, false}));
}

Result<Value> count_nonzero(Lowering& lowering, const Args& args) {
  std::vector<int64_t> axes;
  if (!args.is_none(1)) {
    LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), args.tensor(0)->dims.size()));
    axes.push_back(axis);
  }
  return count(lowering, args.tensor(0), axes);
}

Result<Value> count_nonzero_dims(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(1), args.tensor(0)->dims.size()));
  return count(lowering, args.tensor(0), axes);
}

constexpr AtenRow kRows[] = {
    {"aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum_all<kReduceSum, 1>},
    {"aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     sum_dims<kReduceSum>},
    {"aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum_all<kReduceProd, 1>},
    {"aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     prod_dim},
    {"aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", mean_all},
    {"aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     mean_dims},
    {"aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", extreme_dims<kReduceMax>},
    {"aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", extreme_dims<kReduceMin>},
    {"aten::max(Tensor self) -> Tensor", extreme_all<kReduceMax>},
    {"aten::min(Tensor self) -> Tensor", extreme_all<kReduceMin>},
    {"aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     extreme_with_index<kReduceMax, kArgMax>},
    {"aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     extreme_with_index<kReduceMin, kArgMin>},
    {"aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)", aminmax},
    {"aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", arg_of<kArgMax>},
    {"aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", arg_of<kArgMin>},
    {"aten::all(Tensor self) -> Tensor", truth_all<kReduceMin>},
    {"aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", truth_dim<kReduceMin>},
    {"aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", truth_dims<kReduceMin>},
    {"aten::any(Tensor self) -> Tensor", truth_all<kReduceMax>},
    {"aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", truth_dim<kReduceMax>},
    {"aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", truth_dims<kReduceMax>},
    {"aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", logsumexp},
    {"aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     nansum},
    {"aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", count_nonzero},
    {"aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor", count_nonzero_dims},
};

}  // namespace

extern const std::span<const AtenRow> aten_reduce = kRows;

}  // namespace lanthorn::script
