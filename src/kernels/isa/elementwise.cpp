#include "kernels/array_kernels.h"
#include "kernels/isa/simd_math.h"

namespace lanthorn {
namespace LAN_ISA {
namespace {

// Applies `function` to all vectors; the last one may be short.
template <class Function>
HWY_INLINE void map(const float* x, float* y, size_t n, const Function& function) {
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const V a = function(load(x + i)), b = function(load(x + i + kLanes));
    store(a, y + i);
    store(b, y + i + kLanes);
  }
  for (; i < n; i += kLanes) {
    const size_t left = n - i < kLanes ? n - i : kLanes;
    store_n(function(load_n(x + i, left)), y + i, left);
  }
}

void activate_all(Activation activation, float alpha, float beta, const float* x, float* y,
                  size_t n) {
  // A constant activation lets the compiler keep the function's constants in registers.
#define LAN_ACTIVATE(name)                                                              \
  case Activation::name:                                                                \
    map(x, y, n, [=](V v) HWY_ATTR { return activate(Activation::name, alpha, beta, v); }); \
    break;
  switch (activation) {
    LAN_ACTIVATE(kNone)
    LAN_ACTIVATE(kRelu)
    LAN_ACTIVATE(kClip)
    LAN_ACTIVATE(kLeakyRelu)
    LAN_ACTIVATE(kSigmoid)
    LAN_ACTIVATE(kTanh)
    LAN_ACTIVATE(kHardSigmoid)
    LAN_ACTIVATE(kHardSwish)
    LAN_ACTIVATE(kSilu)
    LAN_ACTIVATE(kGelu)
    LAN_ACTIVATE(kGeluTanh)
  }
#undef LAN_ACTIVATE
}

// Highway's own for single values are functions that several objects would export.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE V round_down(V v) { return set(__builtin_floorf(hn::GetLane(v))); }
HWY_INLINE V round_up(V v) { return set(__builtin_ceilf(hn::GetLane(v))); }
#else
HWY_INLINE V round_down(V v) { return hn::Floor(v); }
HWY_INLINE V round_up(V v) { return hn::Ceil(v); }
#endif

void unary(Unary op, const float* x, float* y, size_t n) {
  switch (op) {
    case Unary::kAbs: return map(x, y, n, [](V v) { return hn::Abs(v); });
    case Unary::kNeg: return map(x, y, n, [](V v) { return hn::Neg(v); });
    case Unary::kExp: return map(x, y, n, [](V v) { return exp(v); });
    case Unary::kLog: return map(x, y, n, [](V v) { return log(v); });
    case Unary::kSqrt: return map(x, y, n, [](V v) { return hn::Sqrt(v); });
    case Unary::kReciprocal: return map(x, y, n, [](V v) { return div(set(1.0f), v); });
    case Unary::kErf: return map(x, y, n, [](V v) { return erf(v); });
    case Unary::kFloor: return map(x, y, n, [](V v) { return round_down(v); });
    case Unary::kCeil: return map(x, y, n, [](V v) { return round_up(v); });
    case Unary::kSquare: return map(x, y, n, [](V v) { return mul(v, v); });
  }
}

struct Add {
  HWY_INLINE V operator()(V a, V b) const { return add(a, b); }
};
struct Sub {
  HWY_INLINE V operator()(V a, V b) const { return sub(a, b); }
};
struct Mul {
  HWY_INLINE V operator()(V a, V b) const { return mul(a, b); }
};
struct Div {
  HWY_INLINE V operator()(V a, V b) const { return div(a, b); }
};
struct Max {
  HWY_INLINE V operator()(V a, V b) const { return max_or_nan(a, b); }
};
struct Min {
  HWY_INLINE V operator()(V a, V b) const { return min_or_nan(a, b); }
};

template <class Function>
HWY_INLINE void zip(const float* a, const float* b, float* y, size_t n, const Function& function) {
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const V first = function(load(a + i), load(b + i));
    const V second = function(load(a + i + kLanes), load(b + i + kLanes));
    store(first, y + i);
    store(second, y + i + kLanes);
  }
  for (; i < n; i += kLanes) {
    const size_t left = n - i < kLanes ? n - i : kLanes;
    store_n(function(load_n(a + i, left), load_n(b + i, left)), y + i, left);
  }
}

void binary(Binary op, const float* a, const float* b, float* y, size_t n) {
  switch (op) {
    case Binary::kAdd: return zip(a, b, y, n, Add());
    case Binary::kSub: return zip(a, b, y, n, Sub());
    case Binary::kMul: return zip(a, b, y, n, Mul());
    case Binary::kDiv: return zip(a, b, y, n, Div());
    case Binary::kMax: return zip(a, b, y, n, Max());
    case Binary::kMin: return zip(a, b, y, n, Min());
  }
}

template <class Function>
HWY_INLINE void with_scalar(const float* x, float scalar, bool swapped, float* y, size_t n,
                            const Function& function) {
  const V s = set(scalar);
  if (swapped) {
    map(x, y, n, [&](V v) { return function(s, v); });
  } else {
    map(x, y, n, [&](V v) { return function(v, s); });
  }
}

void binary_scalar(Binary op, const float* x, float scalar, bool swapped, float* y, size_t n) {
  switch (op) {
    case Binary::kAdd: return with_scalar(x, scalar, swapped, y, n, Add());
    case Binary::kSub: return with_scalar(x, scalar, swapped, y, n, Sub());
    case Binary::kMul: return with_scalar(x, scalar, swapped, y, n, Mul());
    case Binary::kDiv: return with_scalar(x, scalar, swapped, y, n, Div());
    case Binary::kMax: return with_scalar(x, scalar, swapped, y, n, Max());
    case Binary::kMin: return with_scalar(x, scalar, swapped, y, n, Min());
  }
}

void affine(const float* x, const float* scale, const float* shift, float* y, size_t rows,
            size_t n) {
  for (size_t r = 0; r < rows; ++r, x += n, y += n) {
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      store(fma(load(x + i), load(scale + i), load(shift + i)), y + i);
    }
    if (i < n) {
      const size_t left = n - i;
      store_n(fma(load_n(x + i, left), load_n(scale + i, left), load_n(shift + i, left)), y + i,
              left);
    }
  }
}

}  // namespace

extern const ElementwiseKernels elementwise_kernels;
const ElementwiseKernels elementwise_kernels = {
    .activate = activate_all,
    .unary = unary,
    .binary = binary,
    .binary_scalar = binary_scalar,
    .affine = affine,
};

}  // namespace LAN_ISA
}  // namespace lanthorn
