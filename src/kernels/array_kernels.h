#pragma once

#include <cstddef>

#include "kernels/activation.h"

namespace lanthorn {

/// Functions of one value beside the activations.
enum class Unary : uint8_t {
  kAbs, kNeg, kExp, kLog, kSqrt, kReciprocal, kErf, kFloor, kCeil, kSquare,
};

/// Functions of two values. kMax and kMin are NaN where either is.
enum class Binary : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin };

/// What a reduction does with the values it meets.
enum class Reduction : uint8_t { kSum, kMean, kMax, kMin, kSumSquare };

/// Functions of arrays, value by value. `y` may be one of the inputs.
struct ElementwiseKernels {
  void (*activate)(Activation activation, float alpha, float beta, const float* x, float* y,
                   size_t n);
  void (*unary)(Unary op, const float* x, float* y, size_t n);
  void (*binary)(Binary op, const float* a, const float* b, float* y, size_t n);
  /// One of the two is a single number: b, or with `swapped` a.
  void (*binary_scalar)(Binary op, const float* x, float scalar, bool swapped, float* y, size_t n);
  /// y[r][c] = x[r][c] * scale[c] + shift[c]
  void (*affine)(const float* x, const float* scale, const float* shift, float* y, size_t rows,
                 size_t n);
};

/// Functions of rows of arrays: x is [rows][n], contiguous. `y` may be `x` where it has its shape.
struct RowKernels {
  /// exp(x - max) / sum; with `log`, its logarithm.
  void (*softmax)(const float* x, float* y, size_t rows, size_t n, bool log);
  /// The same down the columns of one [n][inner] array. `scratch` has 2 * inner floats.
  void (*softmax_columns)(const float* x, float* y, size_t n, size_t inner, bool log,
                          float* scratch);
  /// (x - mean) / sqrt(variance + epsilon) * scale + shift, with x + residual for x where there is a
  /// residual; `sum` gets that if it is not null. `shift` may be null, and so may `mean` and
  /// `inverse_deviation`, which get one value a row.
  struct LayerNorm {
    const float* x;
    const float* residual;
    const float* scale;
    const float* shift;
    float epsilon;
    float* y;
    float* sum;
    float* mean;
    float* inverse_deviation;
  };
  void (*layer_norm)(const LayerNorm& args, size_t rows, size_t n);
  /// x / sqrt(mean of squares + epsilon) * scale
  void (*rms_norm)(const float* x, const float* scale, float epsilon, float* y, size_t rows,
                   size_t n);
  /// y[r] from row r. n is at least 1.
  void (*reduce_rows)(Reduction op, const float* x, float* y, size_t rows, size_t n);
  /// y[i] from x[k][i] for all k < n, of one [n][inner] array. n is at least 1.
  void (*reduce_columns)(Reduction op, const float* x, float* y, size_t n, size_t inner);
  /// y[c] = the largest of taps[t][c], NaN if one is; `count` is at least 1.
  void (*max_of_taps)(const float* const* taps, size_t count, float* y, size_t channels);
  /// y[c] = scale * the sum of taps[t][c]
  void (*sum_of_taps)(const float* const* taps, size_t count, float scale, float* y,
                      size_t channels);
  /// y[j * y_stride + i] = x[i * x_stride + j] for i < rows, j < columns.
  void (*transpose)(const float* x, size_t x_stride, size_t rows, size_t columns, float* y,
                    size_t y_stride);
};

}  // namespace lanthorn
