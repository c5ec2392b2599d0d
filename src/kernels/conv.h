#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/gemm.h"

namespace lanthorn {

/// A two-dimensional convolution of NHWC images. Output sizes follow from the rest, but callers know
/// them already (automatic padding, rounding up); padding after the image is what they imply.
struct ConvSizes {
  size_t batch = 1;
  size_t in_h = 0, in_w = 0, in_c = 0;
  size_t out_h = 0, out_w = 0, out_c = 0;
  size_t kernel_h = 1, kernel_w = 1;
  size_t stride_h = 1, stride_w = 1;
  size_t dilation_h = 1, dilation_w = 1;
  size_t pad_top = 0, pad_left = 0;
  size_t groups = 1;

  size_t group_in() const { return in_c / groups; }
  size_t group_out() const { return out_c / groups; }
  size_t taps() const { return kernel_h * kernel_w; }
  size_t pixels() const { return batch * out_h * out_w; }
};

enum class ConvAlgorithm : uint8_t {
  kPointwise,  // 1 x 1, stride 1: one matrix product
  kRows,       // few input channels: taps of a kernel row lie side by side in memory
  kIndirect,   // any: row pointers per tap
  kGrouped,    // groups of 4 or 8 input and as many output channels
  kDepthwise,  // one input and one output channel per group
  kWinograd2,  // F(2x2, 3x3)
  kWinograd4,  // F(4x4, 3x3)
};
const char* conv_algorithm_name(ConvAlgorithm algorithm);

/// The fastest algorithm for a shape. Winograd's errors are a few times those of the others (F4:
/// about 1e-5 of the largest output); `exact` leaves it out.
ConvAlgorithm choose_conv(const ConvSizes& shape, bool exact = false);

/// Constant weights in the form that `algorithm` of one instruction set reads.
struct PackedConv {
  ConvAlgorithm algorithm = ConvAlgorithm::kIndirect;
  std::vector<PackedMatrix> matrices;  // per group, or per Winograd element
  FloatBuffer depthwise;               // [kernel_h][kernel_w][channels]
  FloatBuffer grouped;                 // as GroupedArgs says
  FloatBuffer zeros;                   // what taps in the padding read
  FloatBuffer taps;                    // Winograd: [panel of nr][in_c][9][nr], not transformed; or none
  size_t nr = 0;                       // Winograd: columns of a panel
};

/// Packs weights [out_c, in_c / groups, kernel_h, kernel_w], which the result does not refer to.
/// Many weights of Winograd's F(4x4, 3x3) are transformed in each run: transformed, they would be four
/// times as much memory to hold and to read.
PackedConv pack_conv(const KernelTable& table, const Workers& workers, const ConvSizes& shape,
                     ConvAlgorithm algorithm, const float* weights);

/// Floats of scratch memory that `convolve_nhwc` needs on so many threads.
size_t conv_scratch_floats(const KernelTable& table, const ConvSizes& shape, ConvAlgorithm algorithm, int threads);

/// output [batch, out_h, out_w, out_c] = input [batch, in_h, in_w, in_c] * weights with the epilogue,
/// whose residual has the shape of the output and whose residual_stride is out_c. `scratch` is aligned
/// to 64 bytes. The residual may be the output; nothing else may overlap.
void convolve_nhwc(const KernelTable& table, const Workers& workers, const ConvSizes& shape,
              const PackedConv& packed, const float* input, float* output, const Epilogue& epilogue,
              float* scratch);

}  // namespace lanthorn
