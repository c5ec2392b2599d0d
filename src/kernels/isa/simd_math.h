// Elementary functions of float vectors, internal to each file that includes this (see simd.h).
#pragma once

#include "kernels/activation.h"
#include "kernels/isa/simd.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

// exp with relative error below 2 units in the last place, from 2^n * e^r, |r| <= ln(2) / 2; the
// polynomial is Cephes' expf. Two steps of scaling reach denormals, infinity and zero.
HWY_INLINE V exp(V x) {
  const DI di;
  x = max_keep_nan(set(-104.0f), min_keep_nan(set(89.0f), x));
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const V magic = set(12582912.0f);
  const V shifted = fma(x, set(1.44269504088896341f), magic);
  const VI n = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, magic));
  const V whole = sub(shifted, magic);
  V r = fnma(whole, set(0.693359375f), x);
  r = fnma(whole, set(-2.12194440e-4f), r);
  V p = set(1.9875691500e-4f);
  p = fma(p, r, set(1.3981999507e-3f));
  p = fma(p, r, set(8.3334519073e-3f));
  p = fma(p, r, set(4.1665795894e-2f));
  p = fma(p, r, set(1.6666665459e-1f));
  p = fma(p, r, set(5.0000001201e-1f));
  p = fma(mul(r, r), p, add(r, set(1.0f)));
  const VI half = hn::ShiftRight<1>(n);
  const VI bias = hn::Set(di, 127);
  const V first = hn::BitCast(D(), hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V second = hn::BitCast(D(), hn::ShiftLeft<23>(hn::Add(hn::Sub(n, half), bias)));
  return mul(mul(p, first), second);
}

// Natural logarithm, Cephes' logf. log(0) = -inf, log(negative) = NaN.
HWY_INLINE V log(V x) {
  const DI di;
  const V smallest = set(1.17549435e-38f);
  const auto denormal = hn::Lt(x, smallest);
  V scaled = hn::IfThenElse(denormal, mul(x, set(8388608.0f)), x);
  const VI bits = hn::BitCast(di, scaled);
  V e = hn::ConvertTo(D(), hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 126)));
  e = hn::IfThenElse(denormal, sub(e, set(23.0f)), e);
  V m = hn::BitCast(D(), hn::Or(hn::And(bits, hn::Set(di, 0x007fffff)), hn::Set(di, 0x3f000000)));
  const auto low = hn::Lt(m, set(0.707106781186547524f));  // m in [sqrt(1/2), sqrt(2))
  e = hn::IfThenElse(low, sub(e, set(1.0f)), e);
  m = sub(hn::IfThenElse(low, add(m, m), m), set(1.0f));
  const V z = mul(m, m);
  V p = set(7.0376836292e-2f);
  p = fma(p, m, set(-1.1514610310e-1f));
  p = fma(p, m, set(1.1676998740e-1f));
  p = fma(p, m, set(-1.2420140846e-1f));
  p = fma(p, m, set(1.4249322787e-1f));
  p = fma(p, m, set(-1.6668057665e-1f));
  p = fma(p, m, set(2.0000714765e-1f));
  p = fma(p, m, set(-2.4999993993e-1f));
  p = fma(p, m, set(3.3333331174e-1f));
  V y = mul(mul(m, z), p);
  y = fma(e, set(-2.12194440e-4f), y);
  y = fnma(z, set(0.5f), y);
  y = fma(e, set(0.693359375f), add(m, y));
  const V infinity = set(__builtin_inff());
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, zero()), set(-__builtin_inff()), y);
  const auto bad = hn::Not(hn::Ge(x, zero()));  // negative or NaN
  return hn::IfThenElse(bad, set(__builtin_nanf("")), y);
}

// tanh as a ratio of polynomials in x^2, absolute error below 4e-7 and relative to x near zero.
HWY_INLINE V tanh(V x) {
  const V limit = set(7.90531110763549805f);
  x = max_keep_nan(set(-7.90531110763549805f), min_keep_nan(limit, x));
  const V z = mul(x, x);
  V p = set(-2.76076847742355e-16f);
  p = fma(p, z, set(2.00018790482477e-13f));
  p = fma(p, z, set(-8.60467152213735e-11f));
  p = fma(p, z, set(5.12229709037114e-08f));
  p = fma(p, z, set(1.48572235717979e-05f));
  p = fma(p, z, set(6.37261928875436e-04f));
  p = fma(p, z, set(4.89352455891786e-03f));
  V q = set(1.19825839466702e-06f);
  q = fma(q, z, set(1.18534705686654e-04f));
  q = fma(q, z, set(2.26843463243900e-03f));
  q = fma(q, z, set(4.89352518554385e-03f));
  return div(mul(x, p), q);
}

// erf as a ratio of polynomials in x^2, absolute error below 4e-7 and relative to x near zero.
HWY_INLINE V erf(V x) {
  const V limit = set(3.925724783138660f);
  x = max_keep_nan(set(-3.925724783138660f), min_keep_nan(limit, x));
  const V z = mul(x, x);
  V p = set(-2.72614225801306e-10f);
  p = fma(p, z, set(2.77068142495902e-08f));
  p = fma(p, z, set(-2.10102402082508e-06f));
  p = fma(p, z, set(-5.69250639462346e-05f));
  p = fma(p, z, set(-7.34990630326855e-04f));
  p = fma(p, z, set(-2.95459980854025e-03f));
  p = fma(p, z, set(-1.60960333262415e-02f));
  V q = set(-1.45660718464996e-05f);
  q = fma(q, z, set(-2.13374055278905e-04f));
  q = fma(q, z, set(-1.68282697438203e-03f));
  q = fma(q, z, set(-7.37332916720468e-03f));
  q = fma(q, z, set(-1.42647390514189e-02f));
  return div(mul(x, p), q);
}

HWY_INLINE V sigmoid(V x) {
  // exp(-x) overflows to infinity for very negative x, and the quotient is then 0, as it should be.
  return div(set(1.0f), add(set(1.0f), exp(hn::Neg(x))));
}

HWY_INLINE V clip(V x, V low, V high) { return min_keep_nan(high, max_keep_nan(low, x)); }

HWY_INLINE V activate(Activation activation, float alpha, float beta, V x) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kRelu: return max_keep_nan(zero(), x);
    case Activation::kClip: return clip(x, set(alpha), set(beta));
    case Activation::kLeakyRelu:
      return hn::IfThenElse(hn::Lt(x, zero()), mul(x, set(alpha)), x);
    case Activation::kSigmoid: return sigmoid(x);
    case Activation::kTanh: return tanh(x);
    case Activation::kHardSigmoid:
      return clip(fma(x, set(alpha), set(beta)), zero(), set(1.0f));
    case Activation::kHardSwish:
      return mul(x, clip(fma(x, set(1.0f / 6.0f), set(0.5f)), zero(), set(1.0f)));
    case Activation::kSilu: return mul(x, sigmoid(mul(x, set(alpha))));
    case Activation::kGelu: {
      const V half = mul(x, set(0.5f));
      return fma(half, erf(mul(x, set(0.70710678118654752f))), half);
    }
    case Activation::kGeluTanh: {
      const V half = mul(x, set(0.5f));
      const V cube = mul(mul(x, x), x);
      const V inner = mul(fma(cube, set(0.044715f), x), set(0.79788456080286536f));
      return fma(half, tanh(inner), half);
    }
  }
  return x;
}

}  // namespace
}  // namespace LAN_ISA
}  // namespace lanthorn
