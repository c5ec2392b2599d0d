#pragma once

#include "kernels/conv.h"

namespace lanthorn {

/// Everything that one call of `convolve_nhwc` knows; the algorithms behind it take it from here.
struct ConvCall {
  const KernelTable& table;
  const Workers& workers;
  const ConvSizes& shape;
  const PackedConv& packed;
  const float* input;
  float* output;
  const Epilogue& epilogue;
  float* scratch;
};

/// Rows of a depthwise kernel: their pointers lie on the stack.
constexpr size_t kMaxDepthwiseRows = 64;

void convolve_rows(const ConvCall& call);
size_t rows_scratch_floats(const ConvSizes& shape, int threads);

void convolve_indirect(const ConvCall& call);
size_t indirect_scratch_floats(const ConvSizes& shape, int threads);

void convolve_grouped(const ConvCall& call);
void pack_grouped(const KernelTable& table, const ConvSizes& shape, const float* weights,
                  PackedConv* packed);

void convolve_depthwise(const ConvCall& call);

void convolve_winograd(const ConvCall& call);
size_t winograd_scratch_floats(const KernelTable& table, const ConvSizes& shape, ConvAlgorithm algorithm,
                               int threads);
void pack_winograd(const KernelTable& table, const Workers& workers, const ConvSizes& shape,
                   const float* weights, PackedConv* packed);

}  // namespace lanthorn
