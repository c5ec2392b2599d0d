#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "script/operators.h"
#include "script/quantized_tensor.h"

namespace lanthorn::script {

// Weights as the quantized and the prepacked operators want them: objects of classes written in C++. In a file they are
// the tuples that these classes' __getstate__ gave; a prepacking operator of the program makes the same here.

struct PackedWeights {
  Value weight;  // a quantized tensor or a plain one
  Value bias;    // a tensor or None
  Dims stride, padding, dilation, output_padding;
  Dim groups = Dim(1);
  bool transposed = false;
  Value low, high;  // bounds of the result; None where there are none
};

/// What an object holds; kUnsupported for a class or a state that is not known.
Result<PackedWeights> unpacked(Lowering& lowering, const Value& packed);
Value packed(const PackedWeights& weights, std::string_view class_name);
/// The weights of the layers of a recurrent network, [w_ih, w_hh, b_ih, b_hh] for each, as PyTorch lists them.
Result<std::vector<PackedWeights>> unpacked_cell(Lowering& lowering, const Value& cell);

}  // namespace lanthorn::script
