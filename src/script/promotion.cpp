// Dtypes: PyTorch's numbers for them, and what operands of different ones become.
#include <algorithm>
#include <array>

#include "graph/onnx_dtype.h"
#include "script/aten.h"

namespace lanthorn::script {
namespace {

// c10::ScalarType, in order.
constexpr std::array<DType, 30> kScalarTypes = {
    DType::kU8,         DType::kI8,         DType::kI16,    DType::kI32,     DType::kI64,
    DType::kF16,        DType::kF32,        DType::kF64,    DType::kC32,     DType::kC64,
    DType::kC128,       DType::kBool,       DType::kQI8,    DType::kQU8,     DType::kQI32,
    DType::kBF16,       DType::kQU4x2,      DType::kQU2x4,  DType::kBits1x8, DType::kBits2x4,
    DType::kBits4x2,    DType::kBits8,      DType::kBits16, DType::kF8E5M2,  DType::kF8E4M3FN,
    DType::kF8E5M2FNUZ, DType::kF8E4M3FNUZ, DType::kU16,    DType::kU32,     DType::kU64};

int float_rank(DType dtype) {
  switch (dtype) {
    case DType::kF16:
    case DType::kC32:
      return 1;
    case DType::kBF16:
      return 2;
    case DType::kF32:
    case DType::kC64:
      return 3;
    case DType::kF64:
    case DType::kC128:
      return 4;
    default:
      return 0;
  }
}

bool is_unsigned(DType dtype) {
  return dtype == DType::kU8 || dtype == DType::kU16 || dtype == DType::kU32 ||
         dtype == DType::kU64;
}

DType promote(DType a, DType b) {
  if (a == DType::kUndefined || a == b) return b;
  if (b == DType::kUndefined) return a;
  if (is_complex(a) || is_complex(b)) {
    const int rank = std::max(float_rank(a), float_rank(b));
    return rank >= 4 ? DType::kC128 : rank >= 2 ? DType::kC64 : DType::kC32;
  }
  if (is_floating(a) && is_floating(b)) {
    const int low = std::min(float_rank(a), float_rank(b));
    const int high = std::max(float_rank(a), float_rank(b));
    if (low == 1 && high == 2) return DType::kF32;  // float16 and bfloat16 hold neither each other
    return float_rank(a) == high ? a : b;
  }
  if (is_floating(a)) return a;
  if (is_floating(b)) return b;
  if (a == DType::kBool) return b;
  if (b == DType::kBool) return a;
  if (is_unsigned(a) == is_unsigned(b)) return dtype_bytes(a) >= dtype_bytes(b) ? a : b;
  const DType with_sign = is_unsigned(a) ? b : a;
  const DType without = is_unsigned(a) ? a : b;
  if (dtype_bytes(with_sign) > dtype_bytes(without)) return with_sign;
  switch (dtype_bytes(without)) {
    case 1:
      return DType::kI16;
    case 2:
      return DType::kI32;
    default:
      return DType::kI64;
  }
}

DType combine(DType higher, DType lower) {
  if (is_complex(higher)) return higher;
  if (is_floating(higher)) return is_complex(lower) ? promote(higher, DType::kC32) : higher;
  if (higher == DType::kBool || is_floating(lower) || is_complex(lower))
    return promote(higher, lower);
  return higher != DType::kUndefined ? higher : lower;
}

}  // namespace

std::optional<DType> dtype_of_scalar_type(int64_t code) {
  if (code == 44) return DType::kF8E8M0FNU;
  if (code < 0 || code >= static_cast<int64_t>(kScalarTypes.size())) return std::nullopt;
  return kScalarTypes[static_cast<size_t>(code)];
}

int64_t scalar_type_of(DType dtype) {
  for (size_t i = 0; i < kScalarTypes.size(); ++i) {
    if (kScalarTypes[i] == dtype) return static_cast<int64_t>(i);
  }
  return dtype == DType::kF8E8M0FNU ? 44 : -1;
}

DType result_type(std::span<const Value> operands) {
  DType dimensioned = DType::kUndefined;
  DType zero_dim = DType::kUndefined;
  DType wrapped = DType::kUndefined;
  for (const Value& value : operands) {
    if (const TensorRef tensor = value.tensor()) {
      DType dtype = tensor->dtype;
      if (tensor->wrapped_number) {
        if (is_complex(dtype)) dtype = DType::kC64;
        if (is_floating(dtype)) dtype = DType::kF32;
        wrapped = promote(wrapped, dtype);
      } else if (tensor->dims.empty()) {
        zero_dim = promote(zero_dim, dtype);
      } else {
        dimensioned = promote(dimensioned, dtype);
      }
    } else if (value.flag()) {
      wrapped = promote(wrapped, DType::kBool);
    } else if (value.integer()) {
      wrapped = promote(wrapped, DType::kI64);
    } else if (value.real()) {
      wrapped = promote(wrapped, DType::kF32);
    } else if (value.complex()) {
      wrapped = promote(wrapped, DType::kC64);
    }
  }
  return combine(dimensioned, combine(zero_dim, wrapped));
}

Result<ValueId> cast(Lowering& lowering, ValueId value, DType dtype) {
  if (lowering.type(value).dtype == dtype) return value;
  const int64_t code = onnx_number(dtype);
  if (code == 0) {
    return lowering.error(ErrorCode::kUnsupported, "a cast to " + std::string(dtype_name(dtype)) +
                                                       " cannot be said in a graph");
  }
  return lowering.emit("Cast", {value}, {{"to", code}});
}

Result<ValueId> operand(Lowering& lowering, const Value& value, DType dtype) {
  if (const TensorRef tensor = value.tensor()) {
    LAN_TRY(const ValueId id, lowering.read(tensor));
    return cast(lowering, id, dtype);
  }
  if (const Dim* integer = value.integer()) {
    if (!integer->is_known()) {
      LAN_TRY(const ValueId list, lowering.shape_value(std::span(integer, 1)));
      LAN_TRY(const ValueId scalar, lowering.emit("Squeeze", {list}));
      return cast(lowering, scalar, dtype);
    }
    LAN_TRY(Tensor number, Tensor::scalar_i64(integer->value()).cast(dtype));
    return lowering.constant(std::move(number));
  }
  if (const bool* flag = value.flag()) {
    LAN_TRY(Tensor number, Tensor::scalar_bool(*flag).cast(dtype));
    return lowering.constant(std::move(number));
  }
  if (const double* real = value.real()) {
    LAN_TRY(Tensor number,
            Tensor::of<double>(DType::kF64, {}, std::span<const double>(real, 1)).cast(dtype));
    return lowering.constant(std::move(number));
  }
  return lowering.error(ErrorCode::kUnsupported,
                        "a " + kind_of(value) + " cannot be an operand of a tensor operator");
}

}  // namespace lanthorn::script
