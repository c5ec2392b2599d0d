#pragma once

#include "script/aten/emit_shared.h"

namespace lanthorn::script {

/// What a loss of every element comes to. 0: it stays, 1: mean, 2: sum.
Result<Value> reduced(Emitter& e, ValueId loss, const Dim& reduction);
/// The p-norm along one axis.
ValueId p_norm(Emitter& e, ValueId x, double p, int64_t axis, bool keep);

}  // namespace lanthorn::script
