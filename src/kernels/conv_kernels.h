#pragma once

#include <cstddef>

#include "kernels/activation.h"

namespace lanthorn {

/// One piece of a depthwise convolution: one output row of one image, in NHWC.
struct DepthwiseRow {
  const float* const* input_rows = nullptr;  // kernel_h pointers to input rows; null: all padding
  const float* weights = nullptr;            // [kernel_h][kernel_w][channels]
  const float* bias = nullptr;               // [channels], or null
  const float* residual = nullptr;           // like `output`, or null
  float* output = nullptr;                   // [out_w][channels]
  size_t channels = 0;
  size_t in_w = 0, out_w = 0;
  size_t kernel_h = 0, kernel_w = 0, stride_w = 1, dilation_w = 1, pad_left = 0;
  Activation activation = Activation::kNone;
  float alpha = 0.0f, beta = 0.0f;
};

/// A convolution whose groups have 4 or 8 input and as many output channels, over row pointers: tap t
/// of output pixel i reads its channels at rows[t * rows_stride + i]. Weights are packed
/// [channels / lanes][tap][channel of the group][lanes]; channels are a multiple of 16.
struct GroupedArgs {
  const float* const* rows = nullptr;
  size_t rows_stride = 0;
  size_t taps = 0;
  size_t group = 4;
  size_t channels = 0;
  const float* weights = nullptr;
  float* c = nullptr;  // [pixels][channels]
  Epilogue epilogue = {};
};

/// Pieces of the Winograd convolution F(m x m, 3 x 3), with tiles of m + 2 values a side; m is 2 or 4.
/// The formulas are those of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks".
struct ConvKernels {
  size_t lanes;  // floats in a vector
  /// Output channels [channel0, channel1), multiples of 16, of `pixels` pixels.
  void (*grouped)(const GroupedArgs& args, size_t pixels, size_t channel0, size_t channel1);
  void (*depthwise_row)(const DepthwiseRow& row);
  /// One input tile, `source` points at its (m + 2)^2 pixels of `channels` values each, row by row.
  /// Element e of the transformed tile goes to target + e * target_stride.
  void (*winograd_input)(int m, const float* const* source, size_t channels, float* target,
                         size_t target_stride);
  /// One output tile of m * m pixels from (m + 2)^2 elements at source + e * source_stride. Pixels
  /// with a null target are left out; so is the residual where it is null. False if a value that
  /// was stored is not finite before the activation.
  bool (*winograd_output)(int m, const float* source, size_t source_stride, size_t channels,
                          float* const* target, const float* const* residual,
                          const Epilogue& epilogue);
  /// Weights of a Winograd product. Value j of tap t of input channel i is at taps[(i * 9 + t) * nr + j];
  /// element e of the transformed ones goes to target[e * target_stride + i * nr + j]. nr is a multiple
  /// of `lanes`.
  void (*winograd_weights)(int m, const float* taps, size_t channels, size_t nr, float* target,
                           size_t target_stride);
  /// values[i] = activation(values[i] + bias[i] + residual[i]); a null residual adds nothing, and
  /// the epilogue's own is not read.
  void (*finish_row)(float* values, size_t n, const float* residual, const Epilogue& epilogue);
};

}  // namespace lanthorn
