// Element-wise arithmetic of two operands, with PyTorch's promotion.
#include "script/aten/arithmetic_shared.h"
#include "script/aten/sizes_shared.h"

namespace lanthorn::script {
namespace {

bool is_one(const Value& value) {
  const auto number = number_of(value);
  return number && *number == 1;
}

/// a + alpha * b or a - alpha * b. bool + bool is "or".
Result<Value> sum(Lowering& lowering, const Value& a, const Value& b, const Value& alpha, bool minus) {
  const DType dtype = result_type(std::vector<Value>{a, b});
  const Dim* factor = alpha.integer();
  if (factor) {
    if (auto sized = sized_binary(lowering, a, b, dtype, [&](const Dim& x, const Dim& y) {
          return minus ? x - *factor * y : x + *factor * y;
        })) {
      return *std::move(sized);
    }
  }
  Emitter e(lowering);
  const ValueId left = e.operand(a, dtype);
  if (dtype == DType::kBool) {
    if (minus) {
      return lowering.error(ErrorCode::kInvalidInput, "subtraction of bool tensors; PyTorch refuses it too");
    }
    return e.result(e.op("Or", {left, e.operand(b, dtype)}));
  }
  const auto scale = number_of(alpha), number = number_of(b);
  ValueId right = kNoValue;
  if (scale && number && *scale != 1) {
    right = e.number(*scale * *number, dtype);
  } else {
    right = e.operand(b, dtype);
    if (!is_one(alpha)) right = e.op("Mul", {right, e.operand(alpha, dtype)});
  }
  return e.result(e.op(minus ? "Sub" : "Add", {left, right}));
}

Result<Value> add(Lowering& lowering, const Args& args) { return sum(lowering, args[0], args[1], args[2], false); }
Result<Value> sub(Lowering& lowering, const Args& args) { return sum(lowering, args[0], args[1], args[2], true); }
Result<Value> rsub(Lowering& lowering, const Args& args) { return sum(lowering, args[1], args[0], args[2], true); }

Result<Value> mul(Lowering& lowering, const Args& args) {
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  if (auto sized = sized_binary(lowering, args[0], args[1], dtype,
                                [](const Dim& x, const Dim& y) { return x * y; })) {
    return *std::move(sized);
  }
  Emitter e(lowering);
  return e.result(e.op(dtype == DType::kBool ? "And" : "Mul",
                       {e.operand(args[0], dtype), e.operand(args[1], dtype)}));
}

Result<Value> true_divide(Lowering& lowering, const Value& a, const Value& b) {
  const DType dtype = float_type(result_type(std::vector<Value>{a, b}));
  Emitter e(lowering);
  return e.result(e.op("Div", {e.operand(a, dtype), e.operand(b, dtype)}));
}

Result<Value> floor_divide_values(Lowering& lowering, const Value& a, const Value& b) {
  const DType dtype = result_type(std::vector<Value>{a, b});
  if (auto sized = sized_binary(lowering, a, b, dtype,
                                [](const Dim& x, const Dim& y) { return floor_div(x, y); })) {
    return *std::move(sized);
  }
  Emitter e(lowering);
  return e.result(floor_quotient(e, e.operand(a, dtype), e.operand(b, dtype)));
}

Result<Value> divide(Lowering& lowering, const Args& args) { return true_divide(lowering, args[0], args[1]); }
Result<Value> floor_divide(Lowering& lowering, const Args& args) {
  return floor_divide_values(lowering, args[0], args[1]);
}

// (self, other, rounding_mode)
Result<Value> divide_mode(Lowering& lowering, const Args& args) {
  if (args.is_none(2)) return true_divide(lowering, args[0], args[1]);
  if (args.text(2) == "floor") return floor_divide_values(lowering, args[0], args[1]);
  if (args.text(2) != "trunc") {
    return lowering.error(ErrorCode::kInvalidInput,
                          "rounding mode \"" + args.text(2) + "\"; it must be \"floor\" or \"trunc\"");
  }
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  Emitter e(lowering);
  const ValueId quotient = e.op("Div", {e.operand(args[0], dtype), e.operand(args[1], dtype)});
  return e.result(is_floating(dtype) ? truncate(e, quotient) : quotient);
}

Result<Value> remainder(Lowering& lowering, const Args& args) {
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  if (auto sized = sized_binary(lowering, args[0], args[1], dtype,
                                [](const Dim& x, const Dim& y) { return mod(x, y); })) {
    return *std::move(sized);
  }
  Emitter e(lowering);
  return e.result(python_remainder(e, e.operand(args[0], dtype), e.operand(args[1], dtype)));
}

Result<Value> fmod(Lowering& lowering, const Args& args) {
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  Emitter e(lowering);
  return e.result(e.op("Mod", {e.operand(args[0], dtype), e.operand(args[1], dtype)}, {{"fmod", int64_t{1}}}));
}

Result<Value> pow(Lowering& lowering, const Args& args) {
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  Emitter e(lowering);
  const ValueId base = e.operand(args[0], dtype);
  if (const auto exponent = number_of(args[1])) {
    if (*exponent == 1) return e.result(e.op("Identity", {base}));
    if (*exponent == 2) return e.result(e.op("Mul", {base, base}));
    if (is_floating(dtype) && *exponent == 0.5) return e.result(e.op("Sqrt", {base}));
    if (is_floating(dtype) && *exponent == -1) return e.result(e.op("Reciprocal", {base}));
  }
  // Pow's base is a float, int32 or int64.
  const bool narrow = is_integer(dtype) && dtype != DType::kI32 && dtype != DType::kI64;
  const DType inner = narrow || dtype == DType::kBool ? DType::kI64 : dtype;
  const ValueId power = e.op("Pow", {e.cast(base, inner), e.cast(e.operand(args[1], dtype), inner)});
  return e.result(e.cast(power, dtype));
}

template <const char* kOp>
Result<Value> extreme(Lowering& lowering, const Args& args) {
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  Emitter e(lowering);
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  if (dtype == DType::kBool) return e.result(e.op(kOp[1] == 'a' ? "Or" : "And", {a, b}));
  return e.result(e.op(kOp, {a, b}));
}

constexpr char kMax[] = "Max", kMin[] = "Min";

constexpr AtenRow kRows[] = {
    {"aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", add},
    {"aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", add},
    {"aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub},
    {"aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sub},
    {"aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub},
    {"aten::subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sub},
    {"aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", rsub},
    {"aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", rsub},
    {"aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", mul},
    {"aten::mul.Scalar(Tensor self, Scalar other) -> Tensor", mul},
    {"aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor", mul},
    {"aten::multiply.Scalar(Tensor self, Scalar other) -> Tensor", mul},
    {"aten::div.Tensor(Tensor self, Tensor other) -> Tensor", divide},
    {"aten::div.Scalar(Tensor self, Scalar other) -> Tensor", divide},
    {"aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", divide_mode},
    {"aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", divide_mode},
    {"aten::divide.Tensor(Tensor self, Tensor other) -> Tensor", divide},
    {"aten::divide.Scalar(Tensor self, Scalar other) -> Tensor", divide},
    {"aten::divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", divide_mode},
    {"aten::divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", divide_mode},
    {"aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor", divide},
    {"aten::true_divide.Scalar(Tensor self, Scalar other) -> Tensor", divide},
    {"aten::floor_divide(Tensor self, Tensor other) -> Tensor", floor_divide},
    {"aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor", floor_divide},
    {"aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", remainder},
    {"aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor", remainder},
    {"aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", remainder},
    {"aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", fmod},
    {"aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor", fmod},
    {"aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", pow},
    {"aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", pow},
    {"aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", pow},
    {"aten::maximum(Tensor self, Tensor other) -> Tensor", extreme<kMax>},
    {"aten::minimum(Tensor self, Tensor other) -> Tensor", extreme<kMin>},
    {"aten::max.other(Tensor self, Tensor other) -> Tensor", extreme<kMax>},
    {"aten::min.other(Tensor self, Tensor other) -> Tensor", extreme<kMin>},
};

}  // namespace

extern const std::span<const AtenRow> aten_arithmetic = kRows;

}  // namespace lanthorn::script
