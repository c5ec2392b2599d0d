// Variances, deviations and norms.
#include <algorithm>
#include <cmath>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

struct Spread {
  ValueId value = kNoValue, mean = kNoValue;
};

struct Moments {
  TensorRef x;
  std::vector<int64_t> axes;  // empty: all
  double correction = 1;
  bool keep = false;
};

Spread spread(Emitter& e, const Moments& m, bool root) {
  const DType dtype = m.x->dtype;
  const ValueId x = e.read(m.x);
  const ValueId mean = e.reduce("ReduceMean", x, m.axes, true);
  const ValueId centered = e.op("Sub", {x, mean});
  const ValueId squares = e.reduce("ReduceSumSquare", centered, m.axes, m.keep);
  Dims counted;
  if (m.axes.empty()) counted = m.x->dims;
  for (const int64_t axis : m.axes) counted.push_back(m.x->dims[static_cast<size_t>(axis)]);
  const Dim count = product(counted);
  ValueId divisor = kNoValue;
  if (count.is_known()) {
    divisor = e.number(std::max(0.0, static_cast<double>(count.value()) - m.correction), dtype);
  } else {
    const ValueId elements = e.cast(e.squeeze(e.shape({count}), {0}), dtype);
    divisor = e.op("Max", {e.op("Sub", {elements, e.number(m.correction, dtype)}), e.number(0, dtype)});
  }
  const ValueId variance = e.op("Div", {squares, divisor});
  return {root ? e.op("Sqrt", {variance}) : variance,
          m.keep ? mean : e.reduce("ReduceMean", x, m.axes, false)};
}

template <bool kRoot, bool kMean>
Result<Value> finish(Lowering& lowering, const Moments& moments) {
  if (!is_floating(moments.x->dtype)) {
    return lowering.error(ErrorCode::kInvalidInput, "variance of integers; PyTorch refuses it too");
  }
  Emitter e(lowering);
  const Spread made = spread(e, moments, kRoot);
  if constexpr (kMean) return e.tuple({made.value, made.mean});
  return e.result(made.value);
}

// (self, unbiased)
template <bool kRoot, bool kMean>
Result<Value> of_all(Lowering& lowering, const Args& args) {
  return finish<kRoot, kMean>(lowering, {args.tensor(0), {}, args.flag(1) ? 1.0 : 0.0, false});
}

// (self, dim, unbiased, keepdim)
template <bool kRoot, bool kMean>
Result<Value> of_dims(Lowering& lowering, const Args& args) {
  Moments moments{.x = args.tensor(0)};
  if (const auto dims = args.optional_ints(1)) {
    LAN_TRY(moments.axes, axes_of(lowering, *dims, moments.x->dims.size()));
  }
  moments.correction = args.flag(2) ? 1.0 : 0.0;
  moments.keep = args.flag(3);
  return finish<kRoot, kMean>(lowering, moments);
}

// (self, dim, correction, keepdim)
template <bool kRoot, bool kMean>
Result<Value> of_correction(Lowering& lowering, const Args& args) {
  Moments moments{.x = args.tensor(0)};
  if (const auto dims = args.optional_ints(1)) {
    LAN_TRY(moments.axes, axes_of(lowering, *dims, moments.x->dims.size()));
  }
  moments.correction = args.is_none(2) ? 1.0 : number_of(args[2]).value_or(1.0);
  moments.keep = args.flag(3);
  return finish<kRoot, kMean>(lowering, moments);
}

/// The p-norm over axes (empty: all).
Result<Value> vector_norm(Lowering& lowering, const TensorRef& tensor, double p, std::vector<int64_t> axes,
                          bool keep, std::optional<DType> asked) {
  Emitter e(lowering);
  const DType dtype = asked.value_or(float_type(tensor->dtype));
  const ValueId x = e.read(tensor, dtype);
  if (tensor->dims.empty() && p != 0) return e.result(e.op("Abs", {x}));
  if (p == 2) return e.result(e.reduce("ReduceL2", x, axes, keep));
  if (p == 1) return e.result(e.reduce("ReduceL1", x, axes, keep));
  if (std::isinf(p)) {
    return e.result(e.reduce(p > 0 ? "ReduceMax" : "ReduceMin", e.op("Abs", {x}), axes, keep));
  }
  if (p == 0) {
    const ValueId some = e.cast(e.op("Not", {e.op("Equal", {x, e.number(0, dtype)})}), dtype);
    return e.result(e.reduce("ReduceSum", some, axes, keep));
  }
  const ValueId powers = e.op("Pow", {e.op("Abs", {x}), e.number(p, dtype)});
  const ValueId sum = e.reduce("ReduceSum", powers, axes, keep);
  return e.result(e.op("Pow", {sum, e.number(1 / p, dtype)}));
}

Result<double> order_of(Lowering& lowering, const Args& args, size_t i) {
  if (args.is_none(i)) return 2.0;
  if (const auto p = number_of(args[i])) return *p;
  return lowering.error(ErrorCode::kUnsupported, "a norm whose order only running tells");
}

template <bool kDtype>
Result<Value> norm_all(Lowering& lowering, const Args& args) {
  LAN_TRY(const double p, order_of(lowering, args, 1));
  return vector_norm(lowering, args.tensor(0), p, {}, false, kDtype ? args.dtype(2) : std::nullopt);
}

// (self, p, dim, keepdim, [dtype])
template <bool kDtype>
Result<Value> norm_dims(Lowering& lowering, const Args& args) {
  LAN_TRY(const double p, order_of(lowering, args, 1));
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(2), args.tensor(0)->dims.size()));
  return vector_norm(lowering, args.tensor(0), p, axes, args.flag(3), kDtype ? args.dtype(4) : std::nullopt);
}

Result<Value> frobenius(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(1), args.tensor(0)->dims.size()));
  return vector_norm(lowering, args.tensor(0), 2, axes, args.flag(2), std::nullopt);
}

// (self, ord, dim, keepdim, dtype)
Result<Value> linalg_vector_norm(Lowering& lowering, const Args& args) {
  LAN_TRY(const double p, order_of(lowering, args, 1));
  std::vector<int64_t> axes;
  if (const auto dims = args.optional_ints(2)) {
    LAN_TRY(axes, axes_of(lowering, *dims, args.tensor(0)->dims.size()));
  }
  return vector_norm(lowering, args.tensor(0), p, axes, args.flag(3), args.dtype(4));
}

// The same, but an order over two dimensions is a matrix norm.
Result<Value> linalg_norm(Lowering& lowering, const Args& args) {
  const auto dims = args.optional_ints(2);
  const size_t over = dims ? dims->size() : args.tensor(0)->dims.size();
  if (!args.is_none(1) && over == 2) {
    return lowering.error(ErrorCode::kUnsupported, "aten::linalg_norm of matrices with an order");
  }
  return linalg_vector_norm(lowering, args);
}

constexpr AtenRow kRows[] = {
    {"aten::var(Tensor self, bool unbiased=True) -> Tensor", of_all<false, false>},
    {"aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     of_dims<false, false>},
    {"aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     of_correction<false, false>},
    {"aten::std(Tensor self, bool unbiased=True) -> Tensor", of_all<true, false>},
    {"aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     of_dims<true, false>},
    {"aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     of_correction<true, false>},
    {"aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", of_all<false, true>},
    {"aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     of_dims<false, true>},
    {"aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> (Tensor, Tensor)",
     of_correction<false, true>},
    {"aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", of_all<true, true>},
    {"aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     of_dims<true, true>},
    {"aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> (Tensor, Tensor)",
     of_correction<true, true>},
    {"aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor", norm_all<false>},
    {"aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor",
     norm_dims<false>},
    {"aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> "
     "Tensor",
     norm_dims<true>},
    {"aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor", norm_all<true>},
    {"aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", frobenius},
    {"aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
     "dtype=None) -> Tensor",
     linalg_vector_norm},
    {"aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
     "dtype=None) -> Tensor",
     linalg_norm},
};

}  // namespace

extern const std::span<const AtenRow> aten_spread = kRows;

}  // namespace lanthorn::script
