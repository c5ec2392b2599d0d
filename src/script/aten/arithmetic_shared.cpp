#include "script/aten/arithmetic_shared.h"

namespace lanthorn::script {

ValueId truncate(Emitter& e, ValueId x) {
  const ValueId negative = e.op("Less", {x, e.number(0, e.dtype(x))});
  return e.op("Where", {negative, e.op("Ceil", {x}), e.op("Floor", {x})});
}

ValueId floor_quotient(Emitter& e, ValueId a, ValueId b) {
  const DType dtype = e.dtype(a);
  // The floor of the rounded quotient can be one too high (1.0 // 0.1), so the rest (with the sign of
  // b) is taken off first; what is left divides without rest.
  const ValueId exact = e.op("Div", {e.op("Sub", {a, e.op("Mod", {a, b})}), b});
  if (!is_floating(dtype)) return exact;
  const ValueId zero = e.number(0, dtype), one = e.number(1, dtype);
  const ValueId floor = e.op("Floor", {exact});
  const ValueId high = e.op("Greater", {e.op("Sub", {exact, floor}), e.number(0.5, dtype)});
  const ValueId rounded = e.op("Where", {high, e.op("Add", {floor, one}), floor});
  return e.op("Where", {e.op("Equal", {b, zero}), e.op("Div", {a, b}), rounded});
}

ValueId python_remainder(Emitter& e, ValueId a, ValueId b) { return e.op("Mod", {a, b}); }

}  // namespace lanthorn::script
