#pragma once

#include "script/aten/emit_shared.h"

namespace lanthorn::script {

// A complex tensor is a SymTensor of a complex dtype whose value in the graph holds its two parts in a last
// dimension of size 2, which its own dims leave out.

DType real_type_of(DType complex);
DType complex_type_of(DType real);
/// A complex tensor of these parts, [.., 2].
TensorRef as_complex(Lowering& lowering, ValueId parts);
/// One part of a complex tensor, as a real tensor of its own.
ValueId part_of(Emitter& e, ValueId parts, int64_t which);
/// Any operand as parts [.., 2] of `complex`: the imaginary ones of what is real are 0.
ValueId parts_of(Emitter& e, const Value& value, DType complex);
/// Two real values as parts; they are broadcast to each other.
ValueId joined(Emitter& e, ValueId real, ValueId imaginary);
bool is_complex_tensor(const Value& value);
/// The dtype that complex arithmetic over these operands has.
DType complex_result_type(std::span<const Value> operands);

}  // namespace lanthorn::script
