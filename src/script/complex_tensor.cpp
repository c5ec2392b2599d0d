#include "script/complex_tensor.h"

namespace lanthorn::script {

DType real_type_of(DType complex) {
  switch (complex) {
    case DType::kC32: return DType::kF16;
    case DType::kC128: return DType::kF64;
    case DType::kC64: return DType::kF32;
    default: return complex;
  }
}

DType complex_type_of(DType real) {
  switch (real) {
    case DType::kF16: return DType::kC32;
    case DType::kF64: return DType::kC128;
    default: return is_complex(real) ? real : DType::kC64;
  }
}

TensorRef as_complex(Lowering& lowering, ValueId parts) {
  TensorRef made = lowering.tensor(parts);
  made->dtype = complex_type_of(made->dtype);
  if (!made->dims.empty()) made->dims.pop_back();
  return made;
}

ValueId part_of(Emitter& e, ValueId parts, int64_t which) { return e.select(parts, -1, Dim(which)); }

ValueId joined(Emitter& e, ValueId real, ValueId imaginary) {
  const Dims a = e.dims(real), b = e.dims(imaginary);
  if (e.failed()) return kNoValue;
  if (!(a == b)) {
    const ValueId both = e.op("Shape", {e.op("Add", {real, imaginary})});
    real = e.op("Expand", {real, both});
    imaginary = e.op("Expand", {imaginary, both});
  }
  return e.concat({e.unsqueeze(real, {-1}), e.unsqueeze(imaginary, {-1})}, -1);
}

bool is_complex_tensor(const Value& value) {
  const TensorRef tensor = value.tensor();
  return tensor && is_complex(tensor->dtype);
}

ValueId parts_of(Emitter& e, const Value& value, DType complex) {
  const DType dtype = real_type_of(complex);
  if (const auto* number = value.complex()) {
    const double parts[] = {number->real(), number->imag()};
    return e.constant(Tensor::of<double>(DType::kF64, {2}, parts).cast(dtype));
  }
  if (is_complex_tensor(value)) return e.cast(e.read(value.tensor()), dtype);
  const ValueId real = e.operand(value, dtype);
  const Dims dims = e.dims(real);
  if (e.failed()) return kNoValue;
  return joined(e, real, e.expand(e.number(0, dtype), dims));
}

DType complex_result_type(std::span<const Value> operands) {
  const DType dtype = result_type(operands);
  return is_complex(dtype) ? dtype : complex_type_of(dtype);
}

}  // namespace lanthorn::script
