// Comparisons, logic, bits.
#include "script/aten/arithmetic_shared.h"
#include "script/aten/sizes_shared.h"

namespace lanthorn::script {
namespace {

constexpr char kEqual[] = "Equal", kLess[] = "Less", kLessOrEqual[] = "LessOrEqual", kGreater[] = "Greater",
               kGreaterOrEqual[] = "GreaterOrEqual";

ValueId compared(Emitter& e, const char* op, const Value& a, const Value& b) {
  DType dtype = result_type(std::vector<Value>{a, b});
  // Order is for numbers only.
  if (dtype == DType::kBool && op != kEqual) dtype = DType::kU8;
  return e.op(op, {e.operand(a, dtype), e.operand(b, dtype)});
}

template <const char* kOp>
Result<Value> compare(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(compared(e, kOp, args[0], args[1]));
}

Result<Value> not_equal(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Not", {compared(e, kEqual, args[0], args[1])}));
}

constexpr char kAnd[] = "And", kOr[] = "Or", kXor[] = "Xor";

template <const char* kOp>
Result<Value> logical(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op(kOp, {e.operand(args[0], DType::kBool), e.operand(args[1], DType::kBool)}));
}

Result<Value> logical_not(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Not", {e.operand(args[0], DType::kBool)}));
}

template <const char* kOp>
Result<Value> bitwise(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  const std::string op = dtype == DType::kBool ? kOp : std::string("Bitwise") + kOp;
  return e.result(e.op(op, {e.operand(args[0], dtype), e.operand(args[1], dtype)}));
}

Result<Value> bitwise_not(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const bool flags = args.tensor(0)->dtype == DType::kBool;
  return e.result(e.op(flags ? "Not" : "BitwiseNot", {e.read(args.tensor(0))}));
}

template <bool kLeft>
Result<Value> shift(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  if (is_floating(dtype)) {
    const ValueId factor = e.op("Pow", {e.number(2, dtype), b});
    return e.result(e.op(kLeft ? "Mul" : "Div", {a, factor}));
  }
  return e.result(e.op("BitShift", {a, b}, {{"direction", std::string(kLeft ? "LEFT" : "RIGHT")}}));
}

// One bool for two tensors.
Result<Value> equal(Lowering& lowering, const Args& args) {
  const TensorRef a = args.tensor(0), b = args.tensor(1);
  if (a->dims.size() != b->dims.size()) return Value::of_bool(false);
  for (size_t i = 0; i < a->dims.size(); ++i) {
    LAN_TRY(const bool same, lowering.equal(a->dims[i], b->dims[i]));
    if (!same) return Value::of_bool(false);
  }
  Emitter e(lowering);
  const ValueId same = e.cast(compared(e, kEqual, args[0], args[1]), DType::kI32);
  const ValueId all = e.reduce("ReduceMin", same, {}, false);
  if (e.failed()) return e.error();
  LAN_TRY(const Dim answer, lowering.integer_of(e.tensor(all)));
  LAN_TRY(const int64_t number, lowering.concrete(answer));
  return Value::of_bool(number != 0);
}

constexpr AtenRow kRows[] = {
    {"aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", compare<kEqual>},
    {"aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", compare<kEqual>},
    {"aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", not_equal},
    {"aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", not_equal},
    {"aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor", not_equal},
    {"aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor", not_equal},
    {"aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", compare<kLess>},
    {"aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", compare<kLess>},
    {"aten::less.Tensor(Tensor self, Tensor other) -> Tensor", compare<kLess>},
    {"aten::less.Scalar(Tensor self, Scalar other) -> Tensor", compare<kLess>},
    {"aten::le.Tensor(Tensor self, Tensor other) -> Tensor", compare<kLessOrEqual>},
    {"aten::le.Scalar(Tensor self, Scalar other) -> Tensor", compare<kLessOrEqual>},
    {"aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor", compare<kLessOrEqual>},
    {"aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor", compare<kLessOrEqual>},
    {"aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", compare<kGreater>},
    {"aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", compare<kGreater>},
    {"aten::greater.Tensor(Tensor self, Tensor other) -> Tensor", compare<kGreater>},
    {"aten::greater.Scalar(Tensor self, Scalar other) -> Tensor", compare<kGreater>},
    {"aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", compare<kGreaterOrEqual>},
    {"aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", compare<kGreaterOrEqual>},
    {"aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor", compare<kGreaterOrEqual>},
    {"aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor", compare<kGreaterOrEqual>},
    {"aten::logical_and(Tensor self, Tensor other) -> Tensor", logical<kAnd>},
    {"aten::logical_or(Tensor self, Tensor other) -> Tensor", logical<kOr>},
    {"aten::logical_xor(Tensor self, Tensor other) -> Tensor", logical<kXor>},
    {"aten::logical_not(Tensor self) -> Tensor", logical_not},
    {"aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kAnd>},
    {"aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kAnd>},
    {"aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kOr>},
    {"aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kOr>},
    {"aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kXor>},
    {"aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kXor>},
    {"aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kAnd>},
    {"aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kAnd>},
    {"aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kOr>},
    {"aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kOr>},
    {"aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kXor>},
    {"aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kXor>},
    {"aten::bitwise_not(Tensor self) -> Tensor", bitwise_not},
    {"aten::__lshift__.Tensor(Tensor self, Tensor other) -> Tensor", shift<true>},
    {"aten::__lshift__.Scalar(Tensor self, Scalar other) -> Tensor", shift<true>},
    {"aten::__rshift__.Tensor(Tensor self, Tensor other) -> Tensor", shift<false>},
    {"aten::__rshift__.Scalar(Tensor self, Scalar other) -> Tensor", shift<false>},
    {"aten::bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor", shift<true>},
    {"aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor", shift<true>},
    {"aten::bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor", shift<false>},
    {"aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor", shift<false>},
    {"aten::equal(Tensor self, Tensor other) -> bool", equal},
};

}  // namespace

extern const std::span<const AtenRow> aten_compare = kRows;

}  // namespace lanthorn::script
