// Arithmetic of complex tensors ("complex::" rows stand for aten's where an operand is complex), and the ways
// between complex and real ones.
#include "script/complex_tensor.h"

namespace lanthorn::script {
namespace {

struct Pair {
  ValueId re, im;
};

Pair split(Emitter& e, ValueId parts) { return {part_of(e, parts, 0), part_of(e, parts, 1)}; }

Result<Value> finish(Emitter& e, ValueId parts) {
  if (e.failed()) return e.error();
  return Value(as_complex(e.lowering(), parts));
}

struct Operands {
  ValueId a, b;  // parts
  DType dtype;   // of the parts
};

Operands operands(Emitter& e, const Value& a, const Value& b) {
  const DType complex = complex_result_type(std::vector<Value>{a, b});
  return {parts_of(e, a, complex), parts_of(e, b, complex), real_type_of(complex)};
}

/// Parts broadcast as the numbers do: a number of fewer dimensions gets leading ones by itself.
template <bool kMinus, bool kReversed>
Result<Value> sum(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Operands o = operands(e, args[kReversed ? 1 : 0], args[kReversed ? 0 : 1]);
  ValueId b = o.b;
  const auto alpha = number_of(args[2]);
  if (!alpha) return lowering.error(ErrorCode::kUnsupported, "a complex alpha");
  if (*alpha != 1) b = e.op("Mul", {b, e.number(*alpha, o.dtype)});
  return finish(e, e.op(kMinus ? "Sub" : "Add", {o.a, b}));
}

ValueId product(Emitter& e, ValueId x, ValueId y) {
  const Pair a = split(e, x), b = split(e, y);
  const ValueId re = e.op("Sub", {e.op("Mul", {a.re, b.re}), e.op("Mul", {a.im, b.im})});
  const ValueId im = e.op("Add", {e.op("Mul", {a.re, b.im}), e.op("Mul", {a.im, b.re})});
  return joined(e, re, im);
}

Result<Value> mul(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Operands o = operands(e, args[0], args[1]);
  return finish(e, product(e, o.a, o.b));
}

ValueId squared_size(Emitter& e, const Pair& z) {
  return e.op("Add", {e.op("Mul", {z.re, z.re}), e.op("Mul", {z.im, z.im})});
}

ValueId conjugated(Emitter& e, ValueId parts) {
  const Pair z = split(e, parts);
  return joined(e, z.re, e.op("Neg", {z.im}));
}

ValueId scaled(Emitter& e, ValueId parts, ValueId by) { return e.op("Mul", {parts, e.unsqueeze(by, {-1})}); }

ValueId inverted(Emitter& e, ValueId parts) {
  return scaled(e, conjugated(e, parts), e.op("Reciprocal", {squared_size(e, split(e, parts))}));
}

Result<Value> div(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Operands o = operands(e, args[0], args[1]);
  // By a real number part by part: exact where 1 / x is not.
  if (!is_complex_tensor(args[1]) && !args[1].complex()) return finish(e, e.op("Div", {o.a, e.unsqueeze(part_of(e, o.b, 0), {-1})}));
  const ValueId above = product(e, o.a, conjugated(e, o.b));
  return finish(e, e.op("Div", {above, e.unsqueeze(squared_size(e, split(e, o.b)), {-1})}));
}

Result<Value> reciprocal(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return finish(e, inverted(e, e.read(args.tensor(0))));
}

Result<Value> neg(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return finish(e, e.op("Neg", {e.read(args.tensor(0))}));
}

ValueId size_of(Emitter& e, const Pair& z) { return e.op("Sqrt", {squared_size(e, z)}); }

Result<Value> abs(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(size_of(e, split(e, e.read(args.tensor(0)))));
}

/// The angle of (re, im), in (-pi, pi].
ValueId angle_of(Emitter& e, const Pair& z) {
  const DType dtype = e.dtype(z.re);
  const ValueId zero = e.number(0, dtype), pi = e.number(3.14159265358979323846, dtype);
  const ValueId slope = e.op("Atan", {e.op("Div", {z.im, z.re})});
  const ValueId turn = e.op("Where", {e.op("Less", {z.im, zero}), e.op("Sub", {slope, pi}), e.op("Add", {slope, pi})});
  const ValueId made = e.op("Where", {e.op("Less", {z.re, zero}), turn, slope});
  const ValueId none = e.op("And", {e.op("Equal", {z.re, zero}), e.op("Equal", {z.im, zero})});
  return e.op("Where", {none, zero, made});
}

Result<Value> angle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(angle_of(e, split(e, e.read(args.tensor(0)))));
}

ValueId from_polar(Emitter& e, ValueId size, ValueId angle) {
  return joined(e, e.op("Mul", {size, e.op("Cos", {angle})}), e.op("Mul", {size, e.op("Sin", {angle})}));
}

Result<Value> exp(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair z = split(e, e.read(args.tensor(0)));
  return finish(e, from_polar(e, e.op("Exp", {z.re}), z.im));
}

Result<Value> log(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair z = split(e, e.read(args.tensor(0)));
  return finish(e, joined(e, e.op("Log", {size_of(e, z)}), angle_of(e, z)));
}

Result<Value> sqrt(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair z = split(e, e.read(args.tensor(0)));
  const ValueId half = e.number(0.5, e.dtype(z.re));
  return finish(e, from_polar(e, e.op("Sqrt", {size_of(e, z)}), e.op("Mul", {angle_of(e, z), half})));
}

Result<Value> square(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId z = e.read(args.tensor(0));
  return finish(e, product(e, z, z));
}

// (self, exponent): a whole number by products, any real one by the polar form
Result<Value> pow(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const auto exponent = number_of(args[1]);
  if (!exponent || !is_complex_tensor(args[0])) return lowering.error(ErrorCode::kUnsupported, "this power of complex numbers");
  const ValueId z = e.read(args.tensor(0));
  if (*exponent == 2) return finish(e, product(e, z, z));
  if (*exponent == 3) return finish(e, product(e, product(e, z, z), z));
  if (*exponent == -1) return finish(e, inverted(e, z));
  const Pair parts = split(e, z);
  const ValueId by = e.number(*exponent, e.dtype(z));
  return finish(e, from_polar(e, e.op("Pow", {size_of(e, parts), by}), e.op("Mul", {angle_of(e, parts), by})));
}

// z / |z|, and 0 of 0
Result<Value> sgn(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId z = e.read(args.tensor(0));
  const ValueId size = size_of(e, split(e, z)), zero = e.number(0, e.dtype(z));
  const ValueId factor = e.op("Where", {e.op("Equal", {size, zero}), zero, e.op("Reciprocal", {size})});
  return finish(e, scaled(e, z, factor));
}

template <bool kNot>
Result<Value> equal(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Operands o = operands(e, args[0], args[1]);
  const Pair a = split(e, o.a), b = split(e, o.b);
  const ValueId same = e.op("And", {e.op("Equal", {a.re, b.re}), e.op("Equal", {a.im, b.im})});
  return e.result(kNot ? e.op("Not", {same}) : same);
}

// (self, src, ...)
Result<Value> copy_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  if (is_complex(self->dtype)) {
    const ValueId parts = parts_of(e, args[1], self->dtype);
    if (e.failed()) return e.error();
    return lowering.write(self, parts);
  }
  const ValueId real = part_of(e, parts_of(e, args[1], DType::kC64), 0);
  if (e.failed()) return e.error();
  return lowering.write(self, real);
}

Result<Value> zero_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId zero = e.filled({2}, 0, real_type_of(self->dtype));
  if (e.failed()) return e.error();
  return lowering.write(self, zero);
}

// (self, mask, value)
Result<Value> masked_fill(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId mask = e.unsqueeze(e.operand(args[1], DType::kBool), {-1});
  return finish(e, e.op("Where", {mask, parts_of(e, args[2], self->dtype), e.read(self)}));
}

// (condition, self, other)
Result<Value> where(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Operands o = operands(e, args[1], args[2]);
  return finish(e, e.op("Where", {e.unsqueeze(e.operand(args[0], DType::kBool), {-1}), o.a, o.b}));
}

// ---- between complex and real: these rows see both kinds

Result<Value> real(Lowering& lowering, const Args& args) {
  if (!is_complex_tensor(args[0])) return args[0];
  Emitter e(lowering);
  return e.result(part_of(e, e.read(args.tensor(0)), 0));
}

Result<Value> imag(Lowering& lowering, const Args& args) {
  if (!is_complex_tensor(args[0])) return lowering.error(ErrorCode::kInvalidInput, "imag of a tensor that is not complex");
  Emitter e(lowering);
  return e.result(part_of(e, e.read(args.tensor(0)), 1));
}

Result<Value> conj(Lowering& lowering, const Args& args) {
  if (!is_complex_tensor(args[0])) return args[0];
  Emitter e(lowering);
  return finish(e, conjugated(e, e.read(args.tensor(0))));
}

Result<Value> view_as_real(Lowering& lowering, const Args& args) {
  if (!is_complex_tensor(args[0])) return lowering.error(ErrorCode::kInvalidInput, "view_as_real of a tensor that is not complex");
  Emitter e(lowering);
  return e.result(e.op("Identity", {e.read(args.tensor(0))}));
}

Result<Value> view_as_complex(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (is_complex(x->dtype) || x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "view_as_complex wants a last dimension of size 2");
  LAN_TRY(const bool two, lowering.equal(x->dims.back(), Dim(2)));
  if (!two) return lowering.error(ErrorCode::kInvalidInput, "view_as_complex wants a last dimension of size 2");
  return finish(e, e.op("Identity", {e.read(x)}));
}

Result<Value> complex(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return finish(e, joined(e, e.read(args.tensor(0)), e.read(args.tensor(1))));
}

Result<Value> polar(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return finish(e, from_polar(e, e.read(args.tensor(0)), e.read(args.tensor(1))));
}

Result<Value> real_angle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId value = e.read(x, float_type(x->dtype)), zero = e.number(0, float_type(x->dtype));
  return e.result(e.op("Where", {e.op("Less", {value, zero}), e.number(3.14159265358979323846, e.dtype(value)), zero}));
}

constexpr AtenRow kRows[] = {
    {"complex::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sum<false, false>},
    {"complex::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sum<false, false>},
    {"complex::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sum<true, false>},
    {"complex::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sum<true, false>},
    {"complex::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sum<true, true>},
    {"complex::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sum<true, true>},
    {"complex::mul.Tensor(Tensor self, Tensor other) -> Tensor", mul},
    {"complex::mul.Scalar(Tensor self, Scalar other) -> Tensor", mul},
    {"complex::div.Tensor(Tensor self, Tensor other) -> Tensor", div},
    {"complex::div.Scalar(Tensor self, Scalar other) -> Tensor", div},
    {"complex::true_divide.Tensor(Tensor self, Tensor other) -> Tensor", div},
    {"complex::true_divide.Scalar(Tensor self, Scalar other) -> Tensor", div},
    {"complex::reciprocal(Tensor self) -> Tensor", reciprocal},
    {"complex::neg(Tensor self) -> Tensor", neg},
    {"complex::negative(Tensor self) -> Tensor", neg},
    {"complex::abs(Tensor self) -> Tensor", abs},
    {"complex::absolute(Tensor self) -> Tensor", abs},
    {"complex::angle(Tensor self) -> Tensor", angle},
    {"complex::exp(Tensor self) -> Tensor", exp},
    {"complex::log(Tensor self) -> Tensor", log},
    {"complex::sqrt(Tensor self) -> Tensor", sqrt},
    {"complex::square(Tensor self) -> Tensor", square},
    {"complex::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", pow},
    {"complex::sgn(Tensor self) -> Tensor", sgn},
    {"complex::eq.Tensor(Tensor self, Tensor other) -> Tensor", equal<false>},
    {"complex::eq.Scalar(Tensor self, Scalar other) -> Tensor", equal<false>},
    {"complex::ne.Tensor(Tensor self, Tensor other) -> Tensor", equal<true>},
    {"complex::ne.Scalar(Tensor self, Scalar other) -> Tensor", equal<true>},
    {"complex::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)", copy_in_place},
    {"complex::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)", copy_in_place},
    {"complex::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)", copy_in_place},
    {"complex::zero_(Tensor(a!) self) -> Tensor(a!)", zero_in_place},
    {"complex::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", masked_fill},
    {"complex::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", masked_fill},
    {"complex::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", where},
    {"aten::real(Tensor(a) self) -> Tensor(a)", real},
    {"aten::imag(Tensor(a) self) -> Tensor(a)", imag},
    {"aten::conj(Tensor(a) self) -> Tensor(a)", conj},
    {"aten::_conj(Tensor(a) self) -> Tensor(a)", conj},
    {"aten::conj_physical(Tensor self) -> Tensor", conj},
    {"aten::_conj_physical(Tensor self) -> Tensor", conj},
    {"aten::view_as_real(Tensor(a) self) -> Tensor(a)", view_as_real},
    {"aten::view_as_complex(Tensor(a) self) -> Tensor(a)", view_as_complex},
    {"aten::complex(Tensor real, Tensor imag) -> Tensor", complex},
    {"aten::polar(Tensor abs, Tensor angle) -> Tensor", polar},
    {"aten::angle(Tensor self) -> Tensor", real_angle},
};

}  // namespace

extern const std::span<const AtenRow> aten_complex = kRows;

}  // namespace lanthorn::script
