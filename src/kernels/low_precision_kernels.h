#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/activation.h"

namespace lanthorn {

/// C[m, n] = A x B with both in bfloat16 and sums in float32. A row has `k_pairs` pairs of values.
/// B is packed in panels of `nr` columns: [panel][pair][column][2], the last panel filled up with
/// zeros.
struct Bf16GemmArgs {
  const uint16_t* a = nullptr;
  size_t lda = 0;  // values
  const uint16_t* b = nullptr;
  size_t k_pairs = 0;
  size_t nr = 0, n = 0;
  float* c = nullptr;
  size_t ldc = 0;
  Epilogue epilogue = {};
};

/// C[m, n] = row_scale * column_scale * ((A - zero_point) x B) with unsigned bytes in A and signed ones
/// in B, exact but for the last step. B is packed [panel][k / 4][column][4].
struct U8S8GemmArgs {
  const uint8_t* a = nullptr;
  size_t lda = 0;
  const int8_t* b = nullptr;
  size_t k_quads = 0;
  size_t nr = 0, n = 0;
  const float* row_scale = nullptr;
  const int32_t* row_zero = nullptr;      // zero points of A's rows
  const float* column_scale = nullptr;    // padded to whole panels, as is
  const int32_t* column_sum = nullptr;    // the sums of B's columns
  float* c = nullptr;
  size_t ldc = 0;
  Epilogue epilogue = {};
};

/// Products in fewer bits. Where an instruction set has no instruction for a step, the same step is
/// done with several, so results differ between levels by rounding at most (u8 x s8: not at all).
struct LowPrecisionKernels {
  size_t panel_width;
  size_t tile_rows;
  bool native_bf16, native_u8s8;  // with instructions made for it
  /// Rounds to nearest even; NaN stays NaN.
  void (*to_bf16)(const float* x, uint16_t* y, size_t n);
  void (*gemm_bf16)(const Bf16GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1);
  void (*gemm_u8s8)(const U8S8GemmArgs& args, size_t m0, size_t m1, size_t panel0, size_t panel1);
  /// Quantizes rows of k values to unsigned bytes: x = scale * (q - zero). Rows of q have k_padded
  /// bytes; those past k are the zero point, which stands for 0.
  void (*quantize_rows)(const float* x, size_t rows, size_t k, size_t k_padded, uint8_t* q,
                        float* scale, int32_t* zero);
};

}  // namespace lanthorn
