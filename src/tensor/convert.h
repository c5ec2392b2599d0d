#pragma once

#include <cstddef>
#include <cstdint>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// Any of the 8-, 6- and 4-bit floats to float, exact.
float small_float_to_f32(DType dtype, uint8_t bits);

/// How a float that has no exact small form is rounded; only float8_e8m0fnu has a choice.
enum class SmallRounding : uint8_t { kNearest, kUp, kDown };

/// Float to an 8-, 6- or 4-bit float, to nearest even. Beyond the largest number: that number if
/// `saturate`, else infinity or NaN, whichever the type has (6 and 4 bits always saturate, and NaN becomes -0).
uint8_t f32_to_small_float(DType dtype, float value, bool saturate,
                           SmallRounding rounding = SmallRounding::kNearest);

struct ConvertOptions {
  bool saturate = false;  // of 8-bit floats
  SmallRounding rounding = SmallRounding::kNearest;
};

/// How PyTorch casts to a dtype: float8_e4m3fn, and it alone, saturates (2.13).
constexpr ConvertOptions torch_rounding(DType to) {
  return {.saturate = to == DType::kF8E4M3FN, .rounding = SmallRounding::kNearest};
}

/// True where `convert` can go from one to the other: numbers and bools, complex too.
bool can_convert(DType from, DType to);

/// Converts `count` elements as PyTorch casts: to floats rounding to nearest even (16-bit floats by
/// way of float), to integers toward zero, integers by taking the low bits, to bool by != 0,
/// complex to real by its real part. Floats beyond an integer's range give what x86-64's conversion
/// gives. Only where can_convert (checked). The arrays may be unaligned and must not overlap.
void convert(DType from, const void* source, DType to, void* target, size_t count,
             ConvertOptions options = {});

}  // namespace lanthorn
