// Copies, aliases, writes, and what is only for training.
#include <algorithm>

#include "script/aten/emit_shared.h"
#include "script/complex_tensor.h"
#include "script/aten/sizes_shared.h"

namespace lanthorn::script {
namespace {

Result<Value> alias(Lowering&, const Args& args) { return args[0]; }

Result<Value> clone(Lowering& lowering, const Args& args) {
  // A new owner of the same value: graph values never change.
  Emitter e(lowering);
  if (is_complex(args.tensor(0)->dtype)) {
    const ValueId parts = e.read(args.tensor(0));
    if (e.failed()) return e.error();
    return Value(as_complex(lowering, parts));
  }
  return e.result(e.read(args.tensor(0)));
}

// A contiguous tensor is its own contiguous form; another one is copied.
Result<Value> contiguous(Lowering& lowering, const Args& args) {
  if (is_contiguous(*args.tensor(0))) return args[0];
  return clone(lowering, args);
}

// (self, src, ...)
Result<Value> copy_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId source = e.operand(args[1], self->dtype);
  if (e.failed()) return e.error();
  return lowering.write(self, source);
}

Result<Value> zero_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId zero = e.number(0, self->dtype);
  if (e.failed()) return e.error();
  return lowering.write(self, zero);
}

// The functional forms: a new tensor of self's dtype and shape.
Result<Value> filled(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  return e.result(e.expand(e.operand(args[1], self->dtype), self->dims));
}

Result<Value> zeroed(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  return e.result(e.expand(e.number(0, self->dtype), self->dims));
}

Result<Value> set_data(Lowering&, const Args& args) {
  *args.tensor(0) = SymTensor(*args.tensor(1));  // looks at what the other looks at
  return Value(None{});
}

Result<Value> set_tensor(Lowering&, const Args& args) {
  *args.tensor(0) = SymTensor(*args.tensor(1));  // looks at what the other looks at
  return args[0];
}

// The elements in mode of training (self, p, train): dropped with a note.
Result<Value> dropout(Lowering& lowering, const Args& args) {
  if (args.flag(2) && args.real(1) > 0) {
    lowering.note("a dropout is in training mode: nothing is dropped, as in evaluation mode");
  }
  return args[0];
}

Result<Value> native_dropout(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  if (!args.is_none(2) && args.flag(2) && args.real(1) > 0) {
    lowering.note("a dropout is in training mode: nothing is dropped, as in evaluation mode");
  }
  const TensorRef x = args.tensor(0);
  return e.tuple({e.read(x), e.expand(e.constant(Tensor::scalar_bool(true)), x->dims)});
}

constexpr AtenRow kRows[] = {
    {"aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", clone},
    {"aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)", contiguous},
    {"aten::detach(Tensor(a) self) -> Tensor(a)", alias},
    {"aten::detach_(Tensor(a!) self) -> Tensor(a!)", alias},
    {"aten::detach_copy(Tensor self) -> Tensor", clone},
    {"aten::alias(Tensor(a) self) -> Tensor(a)", alias},
    {"aten::alias_copy(Tensor self) -> Tensor", clone},
    {"aten::data(Tensor self) -> Tensor", alias},
    {"aten::lift(Tensor self) -> Tensor", alias},
    {"aten::lift_fresh(Tensor(a) self) -> Tensor(a)", alias},
    {"aten::lift_fresh_copy(Tensor self) -> Tensor", clone},
    {"aten::resolve_conj(Tensor(a) self) -> Tensor(a)", alias},
    {"aten::resolve_neg(Tensor(a) self) -> Tensor(a)", alias},
    {"aten::requires_grad_(Tensor(a!) self, bool requires_grad=True) -> Tensor(a!)", alias},
    {"aten::pin_memory(Tensor(a) self, Device? device=None) -> Tensor(a)", alias},
    {"aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)", copy_in_place},
    {"aten::copy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", copy_in_place},
    {"aten::copy_.int(Tensor(a!) self, int other) -> Tensor(a!)", copy_in_place},
    {"aten::copy_.float(Tensor(a!) self, float other) -> Tensor(a!)", copy_in_place},
    {"aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", filled},
    {"aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)", copy_in_place},
    {"aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)", copy_in_place},
    {"aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", filled},
    {"aten::fill.Tensor(Tensor self, Tensor value) -> Tensor", filled},
    {"aten::zero_(Tensor(a!) self) -> Tensor(a!)", zero_in_place},
    {"aten::zero(Tensor self) -> Tensor", zeroed},
    {"aten::set_data(Tensor(a!) self, Tensor new_data) -> ()", set_data},
    {"aten::set_.source_Tensor(Tensor(a!) self, Tensor source) -> Tensor(a!)", set_tensor},
    {"aten::dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)", dropout},
    {"aten::feature_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)", dropout},
    {"aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)", dropout},
    {"aten::feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor", dropout},
    {"aten::feature_alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)", dropout},
    {"aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)", native_dropout},
};

}  // namespace

extern const std::span<const AtenRow> aten_copy = kRows;

}  // namespace lanthorn::script
