#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace lanthorn {

/// The dimensions of a product as NumPy's matmul has it: leading axes broadcast, a vector at the
/// left is a row, at the right a column, and its axis is left out of the result.
Result<Dims> infer_matmul(const Dims& a, const Dims& b);

/// A product in a run: for each of `batches` the positions of its matrices. Matrices are [rows,
/// depth] and [depth, columns].
struct MatMulShape {
  int64_t rows = 1, depth = 0, columns = 1;
  std::vector<int64_t> a_offsets, b_offsets;  // in elements, one a batch
};
MatMulShape matmul_shape(std::span<const int64_t> a, std::span<const int64_t> b);

/// y += a * b for every batch; y has the matrices one after the other.
template <class Acc>
void multiply(const MatMulShape& s, const Acc* a, const Acc* b, Acc* y) {
  for (size_t batch = 0; batch < s.a_offsets.size(); ++batch) {
    const Acc* left = a + s.a_offsets[batch];
    const Acc* right = b + s.b_offsets[batch];
    for (int64_t i = 0; i < s.rows; ++i, y += s.columns) {
      for (int64_t k = 0; k < s.depth; ++k) {
        const Acc factor = left[i * s.depth + k];
        const Acc* row = right + k * s.columns;
        for (int64_t j = 0; j < s.columns; ++j) y[j] += factor * row[j];
      }
    }
  }
}

}  // namespace lanthorn
