#pragma once

#include "script/aten.h"

namespace lanthorn::script {

/// The elements of a value: of a constant, or, where the program is interpreted, of the run at hand.
/// Null where neither tells; whoever asks then knows that the program depends on the data.
Result<const Tensor*> observed(Lowering& lowering, ValueId value);

}  // namespace lanthorn::script
