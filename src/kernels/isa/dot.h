// Dot products of bytes and of bfloat16 within 32-bit lanes: the instruction where the level has it,
// else several that come to the same. Internal to each file that includes this (see simd.h).
#pragma once

#include <cstdint>
#if defined(__AVX512VNNI__) || defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "kernels/isa/simd.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

#if defined(__AVX512VNNI__) && HWY_TARGET <= HWY_AVX3
constexpr bool kNativeU8S8 = true;
// GCC 12 spills accumulators of type __m512i around this instruction, but not ones of int.
using Sums = int __attribute__((vector_size(64)));
HWY_INLINE Sums zero_sums() { return Sums{}; }
// Adds to each 32-bit lane the four products of its unsigned bytes of `a` and signed ones of `b`.
HWY_INLINE Sums dot_u8s8(Sums sums, VI a, VI b) {
  return reinterpret_cast<Sums>(
      _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sums), a.raw, b.raw));
}
HWY_INLINE VI vector_of(Sums sums) { return VI{reinterpret_cast<__m512i>(sums)}; }
#else
constexpr bool kNativeU8S8 = false;
using Sums = VI;
HWY_INLINE Sums zero_sums() { return hn::Zero(DI()); }
HWY_INLINE Sums dot_u8s8(Sums sums, VI a, VI b) {
  const VI low_byte = hn::Set(DI(), 0xff);
  const VI a0 = hn::And(a, low_byte), a1 = hn::And(hn::ShiftRight<8>(a), low_byte);
  const VI a2 = hn::And(hn::ShiftRight<16>(a), low_byte);
  const VI a3 = hn::And(hn::ShiftRight<24>(a), low_byte);
  const VI b0 = hn::ShiftRight<24>(hn::ShiftLeft<24>(b));
  const VI b1 = hn::ShiftRight<24>(hn::ShiftLeft<16>(b));
  const VI b2 = hn::ShiftRight<24>(hn::ShiftLeft<8>(b));
  const VI b3 = hn::ShiftRight<24>(b);
  const VI low = hn::Add(hn::Mul(a0, b0), hn::Mul(a1, b1));
  const VI high = hn::Add(hn::Mul(a2, b2), hn::Mul(a3, b3));
  return hn::Add(sums, hn::Add(low, high));
}
HWY_INLINE VI vector_of(Sums sums) { return sums; }
#endif

#if defined(__AVX512BF16__) && HWY_TARGET <= HWY_AVX3
constexpr bool kNativeBf16 = true;
// Adds to each lane the two products of its bfloat16 halves.
HWY_INLINE V dot_bf16(V sums, VI a, VI b) {
  return V{_mm512_dpbf16_ps(sums.raw, (__m512bh)a.raw, (__m512bh)b.raw)};
}
#else
constexpr bool kNativeBf16 = false;
HWY_INLINE V dot_bf16(V sums, VI a, VI b) {
  // A bfloat16 is the upper half of a float.
  const VI upper = hn::Set(DI(), static_cast<int32_t>(0xffff0000u));
  const V a_odd = hn::BitCast(D(), hn::And(a, upper)), b_odd = hn::BitCast(D(), hn::And(b, upper));
  const V a_even = hn::BitCast(D(), hn::ShiftLeft<16>(a));
  const V b_even = hn::BitCast(D(), hn::ShiftLeft<16>(b));
  return fma(a_odd, b_odd, fma(a_even, b_even, sums));
}
#endif

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
