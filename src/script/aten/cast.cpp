// Conversions of dtype. Devices, layouts and memory formats have no meaning here.
#include "script/complex_tensor.h"

namespace lanthorn::script {
namespace {

/// The tensor itself where it has the dtype already and no copy is asked for.
Result<Value> converted(Lowering& lowering, const Value& self, DType dtype, bool copy) {
  const TensorRef tensor = self.tensor();
  if (tensor->dtype == dtype && !copy) return self;
  Emitter e(lowering);
  if (is_complex(dtype)) {
    const ValueId parts = parts_of(e, self, dtype);
    if (e.failed()) return e.error();
    return Value(as_complex(lowering, e.op("Identity", {parts})));
  }
  if (is_complex(tensor->dtype)) return e.result(e.cast(part_of(e, e.read(tensor), 0), dtype));
  const ValueId value = e.read(tensor);
  return e.result(tensor->dtype == dtype ? e.op("Identity", {value}) : e.cast(value, dtype));
}

template <size_t kDtype, size_t kCopy>
Result<Value> to(Lowering& lowering, const Args& args) {
  const DType dtype = args.dtype(kDtype).value_or(args.tensor(0)->dtype);
  return converted(lowering, args[0], dtype, kCopy != 0 && args.flag(kCopy));
}

// (self, other, non_blocking, copy, memory_format)
Result<Value> to_other(Lowering& lowering, const Args& args) {
  return converted(lowering, args[0], args.tensor(1)->dtype, args.flag(3));
}

Result<Value> type_as(Lowering& lowering, const Args& args) {
  return converted(lowering, args[0], args.tensor(1)->dtype, false);
}

Result<Value> unchanged(Lowering&, const Args& args) { return args[0]; }

// (self, dtype, ...): always a copy
Result<Value> to_copy(Lowering& lowering, const Args& args) {
  return converted(lowering, args[0], args.dtype(1).value_or(args.tensor(0)->dtype), true);
}

template <DType kDType>
Result<Value> cast_to(Lowering& lowering, const Args& args) {
  return converted(lowering, args[0], kDType, false);
}

constexpr AtenRow kRows[] = {
    {"aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool "
     "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
     to<2, 4>},
    {"aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
     "MemoryFormat? memory_format=None) -> Tensor(a)",
     to<1, 3>},
    {"aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None) -> Tensor(a)",
     to_other},
    {"aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None) -> Tensor(a)",
     to<1, 6>},
    {"aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, bool "
     "copy=False) -> Tensor(b|a)",
     to<2, 4>},
    {"aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool copy=False) -> "
     "Tensor(b|a)",
     to<1, 3>},
    {"aten::to.prim_other(Tensor(a) self, bool non_blocking=False, bool copy=False) -> Tensor(b|a)",
     unchanged},
    {"aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
     to_copy},
    {"aten::type_as(Tensor self, Tensor other) -> Tensor", type_as},
    {"aten::cpu(Tensor(a) self) -> Tensor(b|a)", unchanged},
    {"aten::cuda(Tensor(a) self) -> Tensor(b|a)", unchanged},
    {"aten::_cast_Float(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kF32>},
    {"aten::_cast_Double(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kF64>},
    {"aten::_cast_Half(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kF16>},
    {"aten::_cast_Long(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kI64>},
    {"aten::_cast_Int(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kI32>},
    {"aten::_cast_Short(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kI16>},
    {"aten::_cast_Char(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kI8>},
    {"aten::_cast_Byte(Tensor self, bool non_blocking=False) -> Tensor", cast_to<DType::kU8>},
};

}  // namespace

extern const std::span<const AtenRow> aten_cast = kRows;

}  // namespace lanthorn::script
