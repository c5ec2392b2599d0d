#include "formats/safetensors/dtypes.h"

namespace lanthorn {
namespace {

constexpr SafetensorsDType kRows[] = {
    {"BOOL", DType::kBool, 8},
    {"F4", DType::kF4E2M1, 4},
    {"F6_E2M3", DType::kUndefined, 6},
    {"F6_E3M2", DType::kUndefined, 6},
    {"U8", DType::kU8, 8},
    {"I8", DType::kI8, 8},
    {"F8_E5M2", DType::kF8E5M2, 8},
    {"F8_E4M3", DType::kF8E4M3FN, 8},
    {"F8_E8M0", DType::kF8E8M0FNU, 8},
    {"F8_E4M3FNUZ", DType::kF8E4M3FNUZ, 8},
    {"F8_E5M2FNUZ", DType::kF8E5M2FNUZ, 8},
    {"I16", DType::kI16, 16},
    {"U16", DType::kU16, 16},
    {"F16", DType::kF16, 16},
    {"BF16", DType::kBF16, 16},
    {"I32", DType::kI32, 32},
    {"U32", DType::kU32, 32},
    {"F32", DType::kF32, 32},
    {"C64", DType::kC64, 64},
    {"F64", DType::kF64, 64},
    {"I64", DType::kI64, 64},
    {"U64", DType::kU64, 64},
};

}  // namespace

std::span<const SafetensorsDType> safetensors_dtypes() { return kRows; }

const SafetensorsDType* safetensors_dtype(std::string_view name) {
  for (const SafetensorsDType& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const SafetensorsDType* safetensors_dtype(DType dtype) {
  if (dtype == DType::kUndefined) return nullptr;
  for (const SafetensorsDType& row : kRows) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

}  // namespace lanthorn
