// 8-, 6- and 4-bit floats: OCP 8-bit Floating Point Specification (OFP8), OCP Microscaling Formats
// (MX) and, for the "fnuz" types, https://onnx.ai/onnx/technical/float8.html.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

enum class Special : uint8_t { kNanOnly, kUnsignedZero, kInfinity, kNone };

struct Layout {
  int mantissa_bits;
  int exponent_bits;
  int bias;
  Special special;
  float largest;
};

Layout layout_of(DType dtype) {
  switch (dtype) {
    case DType::kF8E4M3FN:
      return {3, 4, 7, Special::kNanOnly, 448.0f};
    case DType::kF8E4M3FNUZ:
      return {3, 4, 8, Special::kUnsignedZero, 240.0f};
    case DType::kF8E5M2:
      return {2, 5, 15, Special::kInfinity, 57344.0f};
    case DType::kF8E5M2FNUZ:
      return {2, 5, 16, Special::kUnsignedZero, 57344.0f};
    case DType::kF6E2M3:
      return {3, 2, 1, Special::kNone, 7.5f};
    case DType::kF6E3M2:
      return {2, 3, 3, Special::kNone, 28.0f};
    default:
      LAN_CHECK(dtype == DType::kF4E2M1);
      return {1, 2, 1, Special::kNone, 6.0f};
  }
}

uint8_t e8m0_from_f32(float value, bool saturate, SmallRounding rounding) {
  const uint32_t bits = std::bit_cast<uint32_t>(value) & 0x7fffffffu;
  uint32_t exponent = bits >> 23;
  const uint32_t mantissa = bits & 0x7fffffu;
  if (exponent == 0xff) return mantissa == 0 && saturate ? 0xfe : 0xff;
  bool up = false;
  if (rounding == SmallRounding::kUp) up = mantissa > 0;
  if (rounding == SmallRounding::kNearest)
    up = mantissa >= 0x400000u && (exponent > 0 || mantissa > 0x400000u);
  exponent += up ? 1 : 0;
  if (exponent == 0xff) return saturate ? 0xfe : 0xff;
  return static_cast<uint8_t>(exponent);
}

uint8_t nan_bits(const Layout& layout, uint8_t sign) {
  switch (layout.special) {
    case Special::kUnsignedZero:
      return 0x80;
    case Special::kInfinity:
      return static_cast<uint8_t>(sign | 0x7e);
    case Special::kNanOnly:
      return static_cast<uint8_t>(sign | 0x7f);
    case Special::kNone:
      break;
  }
  return static_cast<uint8_t>(1 << (layout.mantissa_bits + layout.exponent_bits));  // -0
}

}  // namespace

float small_float_to_f32(DType dtype, uint8_t bits) {
  if (dtype == DType::kF8E8M0FNU) {
    return bits == 0xff ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, bits - 127);
  }
  const Layout layout = layout_of(dtype);
  const int magnitude_bits = layout.mantissa_bits + layout.exponent_bits;
  const int magnitude = bits & ((1 << magnitude_bits) - 1);
  const bool negative = (bits >> magnitude_bits & 1) != 0;
  if (layout.special == Special::kUnsignedZero && negative && magnitude == 0) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  if (layout.special == Special::kNanOnly && magnitude == 0x7f) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  if (layout.special == Special::kInfinity && magnitude >= 0x7c) {
    if (magnitude > 0x7c) return std::numeric_limits<float>::quiet_NaN();
    return negative ? -std::numeric_limits<float>::infinity()
                    : std::numeric_limits<float>::infinity();
  }
  const int exponent = magnitude >> layout.mantissa_bits;
  const int mantissa = magnitude & ((1 << layout.mantissa_bits) - 1);
  const float value =
      exponent == 0
          ? std::ldexp(static_cast<float>(mantissa), 1 - layout.bias - layout.mantissa_bits)
          : std::ldexp(static_cast<float>(mantissa + (1 << layout.mantissa_bits)),
                       exponent - layout.bias - layout.mantissa_bits);
  return negative ? -value : value;
}

uint8_t f32_to_small_float(DType dtype, float value, bool saturate, SmallRounding rounding) {
  if (dtype == DType::kF8E8M0FNU) return e8m0_from_f32(value, saturate, rounding);
  const Layout layout = layout_of(dtype);
  const int magnitude_bits = layout.mantissa_bits + layout.exponent_bits;
  const auto sign = static_cast<uint8_t>(std::signbit(value) ? 1 << magnitude_bits : 0);
  if (std::isnan(value)) return nan_bits(layout, sign);

  const float magnitude = std::fabs(value);
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = f * 2^exponent with 0.5 <= f < 1
  const int lowest = 1 - layout.bias;
  const int unit_exponent = std::max(exponent - 1, lowest) - layout.mantissa_bits;
  const bool finite = !std::isinf(magnitude);
  // nearbyint rounds to even in the default rounding mode, which nothing here changes.
  const float rounded =
      finite ? std::ldexp(std::nearbyint(std::ldexp(magnitude, -unit_exponent)), unit_exponent)
             : magnitude;
  if (rounded > layout.largest) {
    if (!saturate && layout.special != Special::kNone) {
      return layout.special == Special::kInfinity ? static_cast<uint8_t>(sign | 0x7c)
                                                  : nan_bits(layout, sign);
    }
    return f32_to_small_float(dtype, std::copysign(layout.largest, value), true);
  }
  if (rounded == 0) return layout.special == Special::kUnsignedZero ? 0 : sign;
  std::frexp(rounded, &exponent);
  const int biased = exponent - 1 + layout.bias;
  const int scale =
      biased <= 0 ? lowest - layout.mantissa_bits : exponent - 1 - layout.mantissa_bits;
  const int significand = static_cast<int>(std::ldexp(rounded, -scale));
  const int bits =
      biased <= 0 ? significand
                  : (biased << layout.mantissa_bits) + significand - (1 << layout.mantissa_bits);
  return static_cast<uint8_t>(sign | bits);
}

}  // namespace lanthorn
