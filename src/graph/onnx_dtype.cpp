#include "graph/onnx_dtype.h"

#include <iterator>

namespace lanthorn {
namespace {

// By number.
constexpr DType kDTypes[] = {
    DType::kUndefined,  DType::kF32,  DType::kU8,       DType::kI8,         DType::kU16,
    DType::kI16,        DType::kI32,  DType::kI64,      DType::kString,     DType::kBool,
    DType::kF16,        DType::kF64,  DType::kU32,      DType::kU64,        DType::kC64,
    DType::kC128,       DType::kBF16, DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2,
    DType::kF8E5M2FNUZ, DType::kU4,   DType::kI4,       DType::kF4E2M1,     DType::kF8E8M0FNU,
    DType::kU2,         DType::kI2,   DType::kF6E2M3,   DType::kF6E3M2,
};

}  // namespace

DType dtype_from_onnx(int64_t number) {
  return number >= 0 && number < static_cast<int64_t>(std::size(kDTypes)) ? kDTypes[number]
                                                                          : DType::kUndefined;
}

int64_t onnx_number(DType dtype) {
  for (size_t i = 1; i < std::size(kDTypes); ++i) {
    if (kDTypes[i] == dtype) return static_cast<int64_t>(i);
  }
  return 0;
}

}  // namespace lanthorn
