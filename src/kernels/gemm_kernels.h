#pragma once

#include <cstddef>

#include "kernels/activation.h"

namespace lanthorn {

/// One matrix product or convolution C = A x B on float32, as seen by the loops of one instruction
/// set. B is packed in panels of `nr` columns: panel j holds rows 0..k-1, each `nr` values (the last
/// panel filled up with zeros), panels one after the other, aligned to 64 bytes.
///
/// A row of A has `taps` pieces of `tap_k` values, k = taps * tap_k: with `rows` null, piece t of row
/// r starts at a + r * lda + t * tap_stride; else at rows[t * rows_stride + r] + rows_offset.
/// C row r starts at c + r * ldc and has n values; the same r counts the rows of the residual.
struct GemmArgs {
  const float* a = nullptr;
  size_t lda = 0;
  size_t tap_stride = 0;
  const float* const* rows = nullptr;
  size_t rows_stride = 0;
  size_t rows_offset = 0;
  size_t taps = 1;
  size_t tap_k = 0;
  const float* b = nullptr;
  size_t nr = 0;
  size_t n = 0;
  float* c = nullptr;
  size_t ldc = 0;
  bool accumulate = false;  // adds to what C holds
  size_t k_block = 0;  // values of k per pass over C, 0: chosen by the kernel
  size_t m_block = 0;  // rows per pass over B, 0: all
  Epilogue epilogue = {};
};

/// Products of small matrices that are used once, so that nothing is packed.
/// C[i][j] = scale * sum over k of A[i][k] * B[k][j], element k, j of B at b[k * ldb + j].
struct SmallGemmArgs {
  const float* a = nullptr;
  size_t lda = 0;
  const float* b = nullptr;
  size_t ldb = 0;
  float* c = nullptr;
  size_t ldc = 0;
  size_t m = 0, n = 0, k = 0;
  float scale = 1.0f;
};

struct GemmKernels {
  /// How many columns a panel should have for a matrix of n columns.
  size_t (*panel_width)(size_t n);
  /// How many rows a full tile has with panels of `nr` columns.
  size_t (*tile_rows)(size_t nr);
  /// Panels of all widths that panel_width may answer are at most this wide.
  size_t max_panel_width;
  /// Rows [m0, m1) and panels [panel0, panel1) of C. Rows are counted from those of `args`.
  void (*gemm)(const GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1);
  /// Packs columns of panels [panel0, panel1) of B, element k, j at b[k * k_stride + j * n_stride].
  void (*pack)(const float* b, size_t k_stride, size_t n_stride, size_t k, size_t n, size_t nr,
               size_t panel0, size_t panel1, float* packed);
  void (*small_gemm)(const SmallGemmArgs& args);
  /// The same with B transposed: element k, j of B at b[j * ldb + k].
  void (*small_gemm_transposed)(const SmallGemmArgs& args);
};

}  // namespace lanthorn
