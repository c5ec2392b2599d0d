#pragma once

#include "kernels/conv.h"
#include "kernels/low_precision.h"

namespace lanthorn {

/// True for convolutions that are one matrix product over gathered pixels: a single group with some
/// input channels.
bool conv_bf16_applies(const ConvSizes& shape);

/// Packs weights [out_c, in_c, kernel_h, kernel_w] of one group as a matrix [taps * in_c, out_c].
PackedBf16 pack_conv_bf16(const KernelTable& table, const ConvSizes& shape, const float* weights);

/// Bytes of scratch memory that `convolve_bf16` needs on so many threads.
size_t conv_bf16_scratch_bytes(const ConvSizes& shape, int threads);

/// As convolve_nhwc, with input and weights rounded to bfloat16 and sums in float32.
void convolve_bf16(const KernelTable& table, const Workers& workers, const ConvSizes& shape, const PackedBf16& packed,
                   const float* input, float* output, const Epilogue& epilogue, void* scratch);

}  // namespace lanthorn
