// Vectors of float for the files that are compiled once per instruction set. No include guard's worth
// of sharing: everything here is internal to each of these files, because two objects that export the
// same inline function with different instructions would make the linker choose one for all machines.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

namespace lanthorn {
namespace LAN_ISA {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;
constexpr size_t kLanes = HWY_LANES(float);
// Vector registers of the instruction set.
#if HWY_ARCH_ARM_A64 || (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

HWY_INLINE V set(float x) { return hn::Set(D(), x); }
HWY_INLINE V zero() { return hn::Zero(D()); }
HWY_INLINE V load(const float* p) { return hn::LoadU(D(), p); }
HWY_INLINE void store(V v, float* p) { hn::StoreU(v, D(), p); }
HWY_INLINE V add(V a, V b) { return hn::Add(a, b); }
HWY_INLINE V sub(V a, V b) { return hn::Sub(a, b); }
HWY_INLINE V mul(V a, V b) { return hn::Mul(a, b); }
HWY_INLINE V div(V a, V b) { return hn::Div(a, b); }
HWY_INLINE V fma(V a, V b, V c) { return hn::MulAdd(a, b, c); }     // a * b + c
HWY_INLINE V fnma(V a, V b, V c) { return hn::NegMulAdd(a, b, c); }  // c - a * b

// The larger or smaller, NaN if one of them is NaN in `x`: on x86 the instruction answers its second
// operand then; elsewhere Highway's answers the number.
HWY_INLINE V max_keep_nan(V bound, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  return hn::Max(bound, x);
#else
  return hn::IfThenElse(hn::Lt(x, bound), bound, x);
#endif
}
HWY_INLINE V min_keep_nan(V bound, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  return hn::Min(bound, x);
#else
  return hn::IfThenElse(hn::Lt(bound, x), bound, x);
#endif
}

// The larger or smaller of two, NaN if either is.
HWY_INLINE V max_or_nan(V a, V b) {
  return hn::IfThenElse(hn::Eq(a, a), max_keep_nan(a, b), a);
}
HWY_INLINE V min_or_nan(V a, V b) {
  return hn::IfThenElse(hn::Eq(a, a), min_keep_nan(a, b), a);
}

// The first n <= kLanes values at p, then zeros; nothing past them is read.
HWY_INLINE V load_n(const float* p, size_t n) {
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  return hn::MaskedLoad(hn::FirstN(D(), n), D(), p);
#else
  HWY_ALIGN float buffer[kLanes] = {};
  for (size_t i = 0; i < n; ++i) buffer[i] = p[i];
  return hn::Load(D(), buffer);
#endif
}
HWY_INLINE void store_n(V v, float* p, size_t n) {
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  hn::BlendedStore(v, hn::FirstN(D(), n), D(), p);
#else
  HWY_ALIGN float buffer[kLanes];
  hn::Store(v, D(), buffer);
  for (size_t i = 0; i < n; ++i) p[i] = buffer[i];
#endif
}

HWY_INLINE V keep_n(V v, size_t n, V other) {
  return hn::IfThenElse(hn::FirstN(D(), n), v, other);
}
HWY_INLINE float sum_lanes(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }
// Of values of which none is NaN; else some value.
HWY_INLINE float max_lanes(V v) { return hn::GetLane(hn::MaxOfLanes(D(), v)); }
HWY_INLINE float min_lanes(V v) { return hn::GetLane(hn::MinOfLanes(D(), v)); }
HWY_INLINE bool any_nan(V v) { return !hn::AllTrue(D(), hn::Eq(v, v)); }

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
