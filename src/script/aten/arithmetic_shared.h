#pragma once

#include "script/aten/emit_shared.h"

namespace lanthorn::script {

// Pieces of composites that several families use. Operands have one dtype.

/// Rounds toward zero.
ValueId truncate(Emitter& e, ValueId x);
/// Rounds the quotient toward minus infinity, as PyTorch's floor_divide does (integers and floats).
ValueId floor_quotient(Emitter& e, ValueId a, ValueId b);
/// a - b * floor(a / b), with the sign of b.
ValueId python_remainder(Emitter& e, ValueId a, ValueId b);

}  // namespace lanthorn::script
