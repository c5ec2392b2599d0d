#pragma once

#include <string>
#include <vector>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {

// A quantized tensor is no tensor to the rows of the tables but an object that holds the numbers it stands for, as a
// float tensor, and how they are rounded. So an operator that does not know of quantization is told apart from one
// that does.

/// (integer - zero_point) * scale; one scale for all, or one for each index of `axis`.
struct Rounding {
  DType dtype = DType::kQU8;
  std::vector<double> scales, zero_points;
  int64_t axis = -1;  // -1: one for all
};

bool is_quantized_tensor(const Value& value);
/// Of numbers that are rounded already.
Value make_quantized(TensorRef numbers, const Rounding& rounding);
/// Of the integers of a loaded program.
Value loaded_quantized(TensorRef integers, const Rounding& rounding);
Rounding rounding_of(const Value& quantized);
/// The numbers that it stands for; views of them share its memory.
Result<TensorRef> numbers_of(Lowering& lowering, const Value& quantized);
/// The integers themselves.
ValueId integers_of(Emitter& e, const Value& quantized);
/// Numbers rounded to what the integers can stand for.
ValueId rounded(Emitter& e, ValueId numbers, const Rounding& rounding);

}  // namespace lanthorn::script
