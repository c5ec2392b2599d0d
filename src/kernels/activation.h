#pragma once

#include <cstddef>
#include <cstdint>

namespace lanthorn {

/// Functions of one value that kernels can apply as they store. `alpha` and `beta` are the
/// operator's own attributes. All propagate NaN.
enum class Activation : uint8_t {
  kNone,
  kRelu,         // max(x, 0)
  kClip,         // min(max(x, alpha), beta)
  kLeakyRelu,    // x < 0 ? alpha * x : x
  kSigmoid,      // 1 / (1 + exp(-x))
  kTanh,
  kHardSigmoid,  // min(max(alpha * x + beta, 0), 1)
  kHardSwish,    // x * min(max(x / 6 + 1/2, 0), 1)
  kSilu,         // x / (1 + exp(-alpha * x)); alpha is 1 for SiLU, 1.702 for the quick GELU
  kGelu,         // x / 2 * (1 + erf(x / sqrt(2)))
  kGeluTanh,     // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
};

/// What is done to a matrix of results as it is stored: + bias, + residual, activation; in that
/// order. Null pointers leave a step out.
struct Epilogue {
  const float* bias = nullptr;      // one value per column
  const float* residual = nullptr;  // row r, column c at residual[r * residual_stride + c]
  size_t residual_stride = 0;
  Activation activation = Activation::kNone;
  float alpha = 0.0f;
  float beta = 0.0f;
};

}  // namespace lanthorn
