// Element-wise composites of two and three operands.
#include "script/aten/arithmetic_shared.h"

namespace lanthorn::script {
namespace {

// self + value * tensor1 * tensor2
Result<Value> addcmul(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1], args[2]});
  ValueId product = e.op("Mul", {e.operand(args[1], dtype), e.operand(args[2], dtype)});
  if (number_of(args[3]) != 1.0) product = e.op("Mul", {product, e.operand(args[3], dtype)});
  return e.result(e.op("Add", {e.operand(args[0], dtype), product}));
}

// self + value * tensor1 / tensor2
Result<Value> addcdiv(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1], args[2]});
  if (!is_floating(dtype)) {
    return lowering.error(ErrorCode::kInvalidInput, "addcdiv of integers; PyTorch refuses it too");
  }
  ValueId above = e.operand(args[1], dtype);
  if (number_of(args[3]) != 1.0) above = e.op("Mul", {above, e.operand(args[3], dtype)});
  return e.result(e.op("Add", {e.operand(args[0], dtype), e.op("Div", {above, e.operand(args[2], dtype)})}));
}

// self + weight * (end - self)
Result<Value> lerp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = args.tensor(0)->dtype;
  const ValueId start = e.operand(args[0], dtype), end = e.operand(args[1], dtype);
  const ValueId weight = e.operand(args[2], dtype);
  return e.result(e.op("Add", {start, e.op("Mul", {weight, e.op("Sub", {end, start})})}));
}

Result<Value> hypot(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId a = e.op("Abs", {e.operand(args[0], dtype)}), b = e.op("Abs", {e.operand(args[1], dtype)});
  // The larger one is taken out, so that squares do not overflow.
  const ValueId large = e.op("Max", {a, b}), small = e.op("Min", {a, b});
  const ValueId zero = e.number(0, dtype), one = e.number(1, dtype);
  const ValueId safe = e.op("Where", {e.op("Equal", {large, zero}), one, large});
  const ValueId ratio = e.op("Div", {small, safe});
  const ValueId root = e.op("Sqrt", {e.op("Add", {e.op("Mul", {ratio, ratio}), one})});
  return e.result(e.op("Mul", {large, root}));
}

ValueId where_zero(Emitter& e, ValueId x, ValueId y, ValueId otherwise) {
  // 0 * log(y) is 0 even where the logarithm is infinite, but NaN stays.
  const DType dtype = e.dtype(x);
  const ValueId zero = e.number(0, dtype);
  const ValueId plain = e.op("Where", {e.op("Equal", {x, zero}), zero, otherwise});
  return e.op("Where", {e.op("IsNaN", {y}), y, plain});
}

Result<Value> xlogy(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId x = e.operand(args[0], dtype), y = e.operand(args[1], dtype);
  return e.result(where_zero(e, x, y, e.op("Mul", {x, e.op("Log", {y})})));
}

Result<Value> logaddexp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  const ValueId apart = e.op("Neg", {e.op("Abs", {e.op("Sub", {a, b})})});
  const ValueId sum = e.op("Add", {e.op("Max", {a, b}), e.op("Softplus", {apart})});
  // Equal infinities have no difference.
  return e.result(e.op("Where", {e.op("Equal", {a, b}), e.op("Add", {a, e.number(0.6931471805599453, dtype)}), sum}));
}

ValueId is_negative(Emitter& e, ValueId x) {
  // -0.0 counts as negative: only its reciprocal tells.
  const ValueId zero = e.number(0, e.dtype(x));
  const ValueId below = e.op("Less", {x, zero});
  const ValueId minus_zero = e.op("And", {e.op("Equal", {x, zero}), e.op("Less", {e.op("Reciprocal", {x}), zero})});
  return e.op("Or", {below, minus_zero});
}

Result<Value> copysign(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId size = e.op("Abs", {e.operand(args[0], dtype)});
  const ValueId negative = is_negative(e, e.operand(args[1], dtype));
  return e.result(e.op("Where", {negative, e.op("Neg", {size}), size}));
}

Result<Value> heaviside(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = args.tensor(0)->dtype;
  const ValueId x = e.operand(args[0], dtype), at_zero = e.operand(args[1], dtype);
  const ValueId zero = e.number(0, dtype);
  const ValueId step = e.cast(e.op("Greater", {x, zero}), dtype);
  return e.result(e.op("Where", {e.op("Equal", {x, zero}), at_zero, step}));
}

Result<Value> atan2(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  constexpr double kPi = 3.14159265358979323846;
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId y = e.operand(args[0], dtype), x = e.operand(args[1], dtype);
  const ValueId zero = e.number(0, dtype);
  const ValueId principal = e.op("Atan", {e.op("Div", {y, x})});
  const ValueId y_negative = is_negative(e, y);
  const ValueId pi = e.op("Where", {y_negative, e.number(-kPi, dtype), e.number(kPi, dtype)});
  const ValueId left = e.op("Where", {is_negative(e, x), e.op("Add", {principal, pi}), principal});
  // 0 over 0 has no quotient: the angle is 0 or pi by the sign of x, with the sign of y.
  const ValueId both = e.op("And", {e.op("Equal", {x, zero}), e.op("Equal", {y, zero})});
  const ValueId flat = e.op("Where", {is_negative(e, x), pi, y});
  return e.result(e.op("Where", {both, flat, left}));
}

constexpr AtenRow kRows[] = {
    {"aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcmul},
    {"aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcdiv},
    {"aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", lerp},
    {"aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", lerp},
    {"aten::hypot(Tensor self, Tensor other) -> Tensor", hypot},
    {"aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor", xlogy},
    {"aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor", xlogy},
    {"aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor", xlogy},
    {"aten::logaddexp(Tensor self, Tensor other) -> Tensor", logaddexp},
    {"aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor", copysign},
    {"aten::copysign.Scalar(Tensor self, Scalar other) -> Tensor", copysign},
    {"aten::heaviside(Tensor self, Tensor values) -> Tensor", heaviside},
    {"aten::atan2(Tensor self, Tensor other) -> Tensor", atan2},
};

}  // namespace

extern const std::span<const AtenRow> aten_combination = kRows;

}  // namespace lanthorn::script
