#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

struct Row {
  std::string_view name;  // c10::ScalarType
  DType dtype;
  std::string_view storage = {};  // the class that Python has for it
};

constexpr Row kRows[] = {
    {"Byte", DType::kU8, "ByteStorage"},
    {"Char", DType::kI8, "CharStorage"},
    {"Short", DType::kI16, "ShortStorage"},
    {"Int", DType::kI32, "IntStorage"},
    {"Long", DType::kI64, "LongStorage"},
    {"Half", DType::kF16, "HalfStorage"},
    {"Float", DType::kF32, "FloatStorage"},
    {"Double", DType::kF64, "DoubleStorage"},
    {"ComplexHalf", DType::kC32},
    {"ComplexFloat", DType::kC64, "ComplexFloatStorage"},
    {"ComplexDouble", DType::kC128, "ComplexDoubleStorage"},
    {"Bool", DType::kBool, "BoolStorage"},
    {"QInt8", DType::kQI8, "QInt8Storage"},
    {"QUInt8", DType::kQU8, "QUInt8Storage"},
    {"QInt32", DType::kQI32, "QInt32Storage"},
    {"BFloat16", DType::kBF16, "BFloat16Storage"},
    {"QUInt4x2", DType::kQU4x2, "QUInt4x2Storage"},
    {"QUInt2x4", DType::kQU2x4, "QUInt2x4Storage"},
    {"Bits1x8", DType::kBits1x8},
    {"Bits2x4", DType::kBits2x4},
    {"Bits4x2", DType::kBits4x2},
    {"Bits8", DType::kBits8},
    {"Bits16", DType::kBits16},
    {"Float8_e5m2", DType::kF8E5M2},
    {"Float8_e4m3fn", DType::kF8E4M3FN},
    {"Float8_e5m2fnuz", DType::kF8E5M2FNUZ},
    {"Float8_e4m3fnuz", DType::kF8E4M3FNUZ},
    {"Float8_e8m0fnu", DType::kF8E8M0FNU},
    {"UInt16", DType::kU16},
    {"UInt32", DType::kU32},
    {"UInt64", DType::kU64},
    {"Untyped", DType::kU8},
    {"_Untyped", DType::kU8},
};

std::optional<DType> of_scalar_type(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::optional<DType> storage_dtype(std::string_view class_name) {
  std::string_view name = last_part(class_name);
  constexpr std::string_view kEnd = "Storage";
  if (!class_name.starts_with("torch.") || !name.ends_with(kEnd)) return std::nullopt;
  name.remove_suffix(kEnd.size());
  return of_scalar_type(name);
}

std::string_view storage_class(DType dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return row.storage;
  }
  return {};
}

std::optional<DType> torch_dtype(std::string_view global) {
  constexpr std::string_view kStart = "torch.";
  if (!global.starts_with(kStart)) return std::nullopt;
  global.remove_prefix(kStart.size());
  // Other names that PyTorch has for the same, and packed types, whose bytes are kept as they are.
  constexpr Row kOthers[] = {{"float", DType::kF32},  {"double", DType::kF64},
                             {"half", DType::kF16},   {"long", DType::kI64},
                             {"int", DType::kI32},    {"short", DType::kI16},
                             {"cfloat", DType::kC64}, {"cdouble", DType::kC128},
                             {"chalf", DType::kC32},  {"float4_e2m1fn_x2", DType::kBits8}};
  for (const Row& row : kOthers) {
    if (row.name == global) return row.dtype;
  }
  const DType dtype = dtype_from_name(global);
  if (dtype == DType::kUndefined || dtype == DType::kString) return std::nullopt;
  return dtype;
}

std::optional<DType> tensor_class_dtype(std::string_view class_name) {
  std::string_view name = last_part(class_name);
  constexpr std::string_view kEnd = "Tensor";
  if (!class_name.starts_with("torch.") || !name.ends_with(kEnd)) return std::nullopt;
  name.remove_suffix(kEnd.size());
  return of_scalar_type(name);
}

}  // namespace lanthorn
