#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/float_buffer.h"
#include "kernels/kernels.h"
#include "kernels/workers.h"

namespace lanthorn {

/// A constant right-hand matrix [k, n] in bfloat16, as Bf16GemmArgs says.
struct PackedBf16 {
  size_t k = 0, n = 0, nr = 0;
  FloatBuffer words;  // two values in each

  size_t pairs() const { return (k + 1) / 2; }
  size_t panels() const { return nr == 0 ? 0 : (n + nr - 1) / nr; }
  const uint16_t* values() const { return reinterpret_cast<const uint16_t*>(words.data()); }
};

/// A constant right-hand matrix [k, n] in signed bytes with one scale per column, symmetric.
struct PackedS8 {
  size_t k = 0, n = 0, nr = 0;
  std::vector<int8_t> bytes;
  std::vector<float> scale;        // padded to whole panels
  std::vector<int32_t> column_sum;

  size_t quads() const { return (k + 3) / 4; }
  size_t panels() const { return nr == 0 ? 0 : (n + nr - 1) / nr; }
};

/// Packs B, whose element k, j is at b[k * k_stride + j * n_stride].
PackedBf16 pack_bf16(const KernelTable& table, const float* b, size_t k, size_t n, size_t k_stride,
                     size_t n_stride);
/// The same for a matrix whose column j `read(j, to)` writes, k values.
PackedBf16 pack_bf16_columns(const KernelTable& table, size_t k, size_t n,
                             const std::function<void(size_t j, float* to)>& read);
/// The same, rounding each column to 127 / its largest magnitude.
PackedS8 pack_s8(const KernelTable& table, const float* b, size_t k, size_t n, size_t k_stride,
                 size_t n_stride);

/// Bytes of scratch memory that a product of `m` rows needs, for A in the other form.
size_t bf16_scratch_bytes(size_t m, size_t k);
size_t s8_scratch_bytes(size_t m, size_t k);

/// C[m, n] = A[m, k] x B with the epilogue. A is rounded to bfloat16, or each of its rows to unsigned
/// bytes, first. Rows of A are contiguous; `scratch` is aligned to 64 bytes.
void multiply_bf16(const KernelTable& table, const Workers& workers, const float* a, size_t m,
                   const PackedBf16& b, float* c, size_t ldc, const Epilogue& epilogue,
                   void* scratch);
void multiply_s8(const KernelTable& table, const Workers& workers, const float* a, size_t m,
                 const PackedS8& b, float* c, size_t ldc, const Epilogue& epilogue, void* scratch);

}  // namespace lanthorn
