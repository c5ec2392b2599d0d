// Quantiles, medians without NaN, covariances, distances, and special functions.
#include <algorithm>
#include <cmath>

#include "script/aten/loss_shared.h"
#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

/// A tensor with one axis turned to the end; without an axis all elements in a row.
struct Rows {
  ValueId value;
  Dims lead;  // the other dimensions
  Dim length;
  std::optional<int64_t> axis;
};

Result<Rows> rows_of(Emitter& e, const TensorRef& x, const Value& dim, DType dtype) {
  ValueId value = e.read(x, dtype);
  if (!dim.integer() || x->dims.empty()) return Rows{e.reshape(value, {product(x->dims)}), {}, product(x->dims), std::nullopt};
  LAN_TRY(const int64_t axis, axis_of(e.lowering(), *dim.integer(), x->dims.size()));
  auto order = all_axes(x->dims.size());
  order.erase(order.begin() + axis);
  order.push_back(axis);
  if (!std::is_sorted(order.begin(), order.end())) value = e.transpose(value, order);
  Dims lead = x->dims;
  lead.erase(lead.begin() + axis);
  return Rows{value, lead, x->dims[static_cast<size_t>(axis)], axis};
}

struct Sorted {
  ValueId values, places;
  ValueId missing;  // which are NaN, before sorting
};

/// In ascending order, NaN last.
Sorted sorted(Emitter& e, const Rows& rows) {
  const ValueId missing = e.op("IsNaN", {rows.value});
  const ValueId filled = e.op("Where", {missing, e.number(INFINITY, e.dtype(rows.value)), rows.value});
  const auto made = e.ops("TopK", {filled, e.shape({rows.length})}, 2, {{"axis", int64_t{-1}}, {"largest", int64_t{0}}});
  return {made[0], made[1], missing};
}

/// (self, q, dim, keepdim, interpolation); NaN takes part (and wins) or is left out
template <bool kSkip>
Result<Value> quantile(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0), asked = args[1].tensor();
  const DType dtype = x->dtype;
  const std::string& mode = args.text(4);
  LAN_TRY(const Rows rows, rows_of(e, x, args[2], dtype));
  const Sorted order = sorted(e, rows);
  const Dim count = asked ? product(asked->dims) : Dim(1);
  const ValueId q = e.reshape(e.operand(args[1], dtype), {count});
  const ValueId one = e.number(1, dtype), zero = e.number(0, dtype);
  ValueId last = e.op("Sub", {e.operand(Value(rows.length), dtype), one});
  if (kSkip) {
    const ValueId there = e.op("Where", {order.missing, zero, one});
    last = e.op("Max", {e.op("Sub", {e.reduce("ReduceSum", there, {-1}, true), one}), zero});
  }
  Dims wide = rows.lead;
  wide.push_back(count);
  const ValueId rank = e.expand(e.op("Mul", {q, last}), wide);
  const auto at = [&](ValueId place) {
    return e.op("GatherElements", {order.values, e.cast(place, DType::kI64)}, {{"axis", int64_t{-1}}});
  };
  const ValueId low = e.op("Floor", {rank}), high = e.op("Ceil", {rank});
  ValueId made = kNoValue;
  if (mode == "lower") {
    made = at(low);
  } else if (mode == "higher") {
    made = at(high);
  } else if (mode == "nearest") {
    made = at(e.op("Round", {rank}));
  } else if (mode == "linear" || mode == "midpoint") {
    const ValueId below = at(low), above = at(high);
    const ValueId share = mode == "midpoint" ? e.number(0.5, dtype) : e.op("Sub", {rank, low});
    made = e.op("Add", {below, e.op("Mul", {share, e.op("Sub", {above, below})})});
    made = e.op("Where", {e.op("Equal", {below, above}), below, made});  // infinities have no difference
  } else {
    return lowering.error(ErrorCode::kInvalidInput, "a quantile has no interpolation '" + mode + "'");
  }
  const ValueId missing = e.cast(order.missing, DType::kI64);
  const ValueId gone = e.reduce(kSkip ? "ReduceMin" : "ReduceMax", missing, {-1}, true);
  made = e.op("Where", {e.cast(gone, DType::kBool), e.number(NAN, dtype), made});
  // [.., q] becomes [q, ..], with the axis kept where that is asked for.
  const bool keep = args.flag(3);
  Dims result = rows.lead;
  if (keep && rows.axis) result.insert(result.begin() + *rows.axis, Dim(1));
  if (keep && !rows.axis) result.assign(x->dims.size(), Dim(1));
  if (!asked || asked->dims.empty()) return e.result(e.reshape(made, result));
  auto turn = all_axes(wide.size());
  std::rotate(turn.begin(), turn.end() - 1, turn.end());
  if (turn.size() > 1) made = e.transpose(made, turn);
  result.insert(result.begin(), count);
  return e.result(e.reshape(made, result));
}

struct Middle {
  ValueId value, place;
};

/// The lower median of what is no NaN; NaN where there is nothing else.
Middle median_of(Emitter& e, const Rows& rows) {
  const Sorted order = sorted(e, rows);
  const ValueId there = e.cast(e.op("Not", {order.missing}), DType::kI64), zero = e.integer(0, DType::kI64);
  const ValueId count = e.reduce("ReduceSum", there, {-1}, true);
  const ValueId half = e.op("Max", {e.op("Div", {e.op("Sub", {count, e.integer(1, DType::kI64)}), e.integer(2, DType::kI64)}), zero});
  const ValueId value = e.op("GatherElements", {order.values, half}, {{"axis", int64_t{-1}}});
  const ValueId none = e.op("Equal", {count, zero});
  return {e.op("Where", {none, e.number(NAN, e.dtype(value)), value}),
          e.op("GatherElements", {order.places, half}, {{"axis", int64_t{-1}}})};
}

Result<Value> nanmedian(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return lowering.error(ErrorCode::kUnsupported, "aten::nanmedian of whole numbers");
  LAN_TRY(const Rows rows, rows_of(e, x, Value(None{}), x->dtype));
  return e.result(e.reshape(median_of(e, rows).value, {}));
}

// (self, dim, keepdim)
Result<Value> nanmedian_dim(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (!is_floating(x->dtype)) return lowering.error(ErrorCode::kUnsupported, "aten::nanmedian of whole numbers");
  LAN_TRY(const Rows rows, rows_of(e, x, args[1], x->dtype));
  const Middle made = median_of(e, rows);
  Dims result = rows.lead;
  if (args.flag(2) && rows.axis) result.insert(result.begin() + *rows.axis, Dim(1));
  return e.tuple({e.reshape(made.value, result), e.reshape(made.place, result)});
}

/// Rows are variables and columns observations; of one row too.
Result<ValueId> covariance(Emitter& e, const TensorRef& x, const Dim& correction) {
  const DType dtype = float_type(x->dtype);
  if (x->dims.size() > 2) return e.lowering().error(ErrorCode::kInvalidInput, "a covariance of more than two dimensions");
  const Dim count = x->dims.empty() ? Dim(1) : x->dims.back();
  const Dim rows = x->dims.size() == 2 ? x->dims[0] : Dim(1);
  const ValueId value = e.reshape(e.read(x, dtype), {rows, count});
  const ValueId apart = e.op("Sub", {value, e.reduce("ReduceMean", value, {1}, true)});
  const ValueId whole = e.op("MatMul", {apart, e.transpose(apart, {1, 0})});
  const ValueId by = e.op("Max", {e.operand(Value(count - correction), dtype), e.number(0, dtype)});
  return e.op("Div", {whole, by});
}

// (self, correction, fweights, aweights)
Result<Value> cov(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  if (!args.is_none(2) || !args.is_none(3)) return lowering.error(ErrorCode::kUnsupported, "aten::cov with weights");
  const TensorRef x = args.tensor(0);
  LAN_TRY(const ValueId made, covariance(e, x, args.integer(1)));
  return e.result(x->dims.size() == 2 ? made : e.reshape(made, {}));
}

Result<Value> corrcoef(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const ValueId made, covariance(e, x, Dim(1)));
  if (x->dims.size() != 2) return e.result(e.reshape(e.op("Div", {made, made}), {}));
  const Dim n = x->dims[0];
  const ValueId ones = e.expand(e.integer(1, DType::kI64), {n, n}), none = e.integer(0, DType::kI64);
  const ValueId unit = e.op("Trilu", {e.op("Trilu", {ones, none}, {{"upper", int64_t{0}}}), none}, {{"upper", int64_t{1}}});
  const ValueId own = e.op("Where", {e.cast(unit, DType::kBool), made, e.number(0, e.dtype(made))});
  const ValueId deviation = e.op("Sqrt", {e.reduce("ReduceSum", own, {1}, false)});
  const ValueId scaled = e.op("Div", {e.op("Div", {made, e.unsqueeze(deviation, {1})}), e.unsqueeze(deviation, {0})});
  return e.result(e.op("Clip", {scaled, e.number(-1, e.dtype(scaled)), e.number(1, e.dtype(scaled))}));
}

Result<double> exponent_of(Lowering& lowering, const Value& value) {
  const auto number = number_of(value);
  if (number) return *number;
  return lowering.error(ErrorCode::kUnsupported, "a norm whose order depends on data");
}

// (self, other, p)
Result<Value> dist(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  LAN_TRY(const double p, exponent_of(lowering, args[2]));
  const ValueId apart = e.op("Sub", {e.operand(args[0], dtype), e.operand(args[1], dtype)});
  const Dims dims = e.dims(apart);
  if (e.failed()) return e.error();
  return e.result(p_norm(e, e.reshape(apart, {product(dims)}), p, 0, false));
}

// (self, p): of every two rows
Result<Value> pdist(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (x->dims.size() != 2) return lowering.error(ErrorCode::kInvalidInput, "pdist wants a matrix");
  LAN_TRY(const int64_t n, lowering.concrete(x->dims[0]));
  if (n > 2048) return lowering.error(ErrorCode::kLimit, "pdist of more than 2048 rows");
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) {
      first.push_back(i);
      second.push_back(j);
    }
  }
  const ValueId value = e.read(x);
  const ValueId apart = e.op("Sub", {e.op("Gather", {value, e.ints(std::move(first))}), e.op("Gather", {value, e.ints(std::move(second))})});
  return e.result(p_norm(e, apart, args.real(1), 1, false));
}

// (self, p, dim, maxnorm): the slices along `dim` that are longer are shortened
Result<Value> renorm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const double p, exponent_of(lowering, args[1]));
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), x->dims.size()));
  auto order = all_axes(x->dims.size());
  std::swap(order[0], order[static_cast<size_t>(axis)]);
  const Dim count = x->dims[static_cast<size_t>(axis)];
  const ValueId turned = axis == 0 ? e.read(x) : e.transpose(e.read(x), order);
  const ValueId norm = p_norm(e, e.reshape(turned, {count, floor_div(product(x->dims), max(count, Dim(1)))}), p, 1, false);
  const ValueId most = e.operand(args[3], x->dtype);
  const ValueId shorter = e.op("Div", {most, e.op("Add", {norm, e.number(1e-7, x->dtype)})});
  const ValueId factor = e.op("Where", {e.op("Greater", {norm, most}), shorter, e.number(1, x->dtype)});
  Dims wide(x->dims.size(), Dim(1));
  wide[static_cast<size_t>(axis)] = count;
  return e.result(e.op("Mul", {e.read(x), e.reshape(factor, wide)}));
}

/// The larger (smaller) of two; a number where the other is NaN.
template <bool kMax>
Result<Value> extreme(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  const ValueId made = e.op(kMax ? "Max" : "Min", {a, b});
  if (!is_floating(dtype)) return e.result(made);
  return e.result(e.op("Where", {e.op("IsNaN", {a}), b, e.op("Where", {e.op("IsNaN", {b}), a, made})}));
}

Result<Value> float_power(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Pow", {e.operand(args[0], DType::kF64), e.operand(args[1], DType::kF64)}));
}

Result<Value> logaddexp2(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype), two = e.number(2, dtype);
  const ValueId apart = e.op("Neg", {e.op("Abs", {e.op("Sub", {a, b})})});
  const ValueId sum = e.op("Add", {e.number(1, dtype), e.op("Pow", {two, apart})});
  return e.result(e.op("Add", {e.op("Max", {a, b}), e.op("Div", {e.op("Log", {sum}), e.number(0.6931471805599453, dtype)})}));
}

// (self, other): self * 2^other
Result<Value> ldexp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  return e.result(e.op("Mul", {e.operand(args[0], dtype), e.op("Pow", {e.number(2, dtype), e.operand(args[1], dtype)})}));
}

Result<Value> sinc(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(args.tensor(0)->dtype);
  const ValueId x = e.op("Mul", {e.read(args.tensor(0), dtype), e.number(3.14159265358979323846, dtype)});
  const ValueId at_zero = e.op("Equal", {x, e.number(0, dtype)});
  return e.result(e.op("Where", {at_zero, e.number(1, dtype), e.op("Div", {e.op("Sin", {x}), x})}));
}

// -x log(x), 0 at 0, -inf below
Result<Value> entropy(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(args.tensor(0)->dtype);
  const ValueId x = e.read(args.tensor(0), dtype), zero = e.number(0, dtype);
  const ValueId made = e.op("Neg", {e.op("Mul", {x, e.op("Log", {x})})});
  const ValueId low = e.op("Where", {e.op("Less", {x, zero}), e.number(-INFINITY, dtype), made});
  return e.result(e.op("Where", {e.op("Equal", {x, zero}), zero, low}));
}

// The normal distribution's integral
Result<Value> ndtr(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(args.tensor(0)->dtype);
  const ValueId erf = e.op("Erf", {e.op("Mul", {e.read(args.tensor(0), dtype), e.number(0.7071067811865476, dtype)})});
  return e.result(e.op("Mul", {e.op("Add", {erf, e.number(1, dtype)}), e.number(0.5, dtype)}));
}

template <const char* kOp>
Result<Value> special(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const ValueId value, lowering.read(x));
  LAN_TRY(const ValueId real, cast(lowering, value, float_type(x->dtype)));
  LAN_TRY(const ValueId made, lowering.emit(kOp, {real}, {}, "lanthorn"));
  return Value(lowering.tensor(made));
}
constexpr char kLgamma[] = "Lgamma", kDigamma[] = "Digamma", kErfInv[] = "ErfInv", kI0[] = "BesselI0", kI1[] = "BesselI1";

// (x, y, dim)
Result<Value> vecdot(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  const size_t rank = std::max(args.tensor(0)->dims.size(), args.tensor(1)->dims.size());
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), rank));
  const ValueId product = e.op("Mul", {e.operand(args[0], dtype), e.operand(args[1], dtype)});
  return e.result(e.reduce("ReduceSum", product, {axis}, false));
}

constexpr AtenRow kRows[] = {
    {"aten::quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> "
     "Tensor",
     quantile<false>},
    {"aten::quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str "
     "interpolation=\"linear\") -> Tensor",
     quantile<false>},
    {"aten::nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> "
     "Tensor",
     quantile<true>},
    {"aten::nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str "
     "interpolation=\"linear\") -> Tensor",
     quantile<true>},
    {"aten::nanmedian(Tensor self) -> Tensor", nanmedian},
    {"aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", nanmedian_dim},
    {"aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor", cov},
    {"aten::corrcoef(Tensor self) -> Tensor", corrcoef},
    {"aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", dist},
    {"aten::pdist(Tensor self, float p=2.) -> Tensor", pdist},
    {"aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor", renorm},
    {"aten::fmax(Tensor self, Tensor other) -> Tensor", extreme<true>},
    {"aten::fmin(Tensor self, Tensor other) -> Tensor", extreme<false>},
    {"aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", float_power},
    {"aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", float_power},
    {"aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor", float_power},
    {"aten::logaddexp2(Tensor self, Tensor other) -> Tensor", logaddexp2},
    {"aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor", ldexp},
    {"aten::sinc(Tensor self) -> Tensor", sinc},
    {"aten::special_entr(Tensor self) -> Tensor", entropy},
    {"aten::special_ndtr(Tensor self) -> Tensor", ndtr},
    {"aten::lgamma(Tensor self) -> Tensor", special<kLgamma>},
    {"aten::digamma(Tensor self) -> Tensor", special<kDigamma>},
    {"aten::erfinv(Tensor self) -> Tensor", special<kErfInv>},
    {"aten::i0(Tensor self) -> Tensor", special<kI0>},
    {"aten::special_i1(Tensor self) -> Tensor", special<kI1>},
    {"aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", vecdot},
};

}  // namespace

extern const std::span<const AtenRow> aten_statistics = kRows;

}  // namespace lanthorn::script
