#pragma once

#include <cstddef>

#include "kernels/float_buffer.h"
#include "kernels/kernels.h"
#include "kernels/workers.h"

namespace lanthorn {

/// A constant right-hand matrix [k, n] in the form that one instruction set's kernels read.
struct PackedMatrix {
  size_t k = 0, n = 0, nr = 0;
  FloatBuffer data;

  size_t panels() const { return nr == 0 ? 0 : (n + nr - 1) / nr; }
};

/// Packs B, whose element k, j is at b[k * k_stride + j * n_stride].
PackedMatrix pack_matrix(const KernelTable& table, const Workers& workers, const float* b, size_t k,
                         size_t n, size_t k_stride, size_t n_stride);

/// C[m, n] = A[m, k] x B with the epilogue; rows of A and C start every `lda` and `ldc` values.
/// The arrays must not overlap, but the residual may be C.
void multiply(const KernelTable& table, const Workers& workers, const float* a, size_t lda, size_t m,
              const PackedMatrix& b, float* c, size_t ldc, const Epilogue& epilogue);

/// The same for whatever `args` describes, `m` rows of it; sizes of blocks that are 0 are chosen.
void multiply(const KernelTable& table, const Workers& workers, GemmArgs args, size_t m);

/// How the tiles of a product are given out to threads: `rows` rows and `panels` panels a piece.
struct GemmSplit {
  size_t rows = 0, panels = 0;
};
GemmSplit split_gemm(size_t m, size_t k, size_t panels, size_t nr, size_t tile_rows, size_t threads);

/// Several independent products of unpacked matrices, each as SmallGemmArgs says.
/// Matrix i is at a + i * a_step and so on.
struct BatchedGemm {
  SmallGemmArgs one = {};
  size_t batch = 1;
  size_t a_step = 0, b_step = 0, c_step = 0;
  bool b_transposed = false;
};
void multiply_batched(const KernelTable& table, const Workers& workers, const BatchedGemm& product);

}  // namespace lanthorn
