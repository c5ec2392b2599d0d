#pragma once

#include <optional>

#include "script/operators.h"
#include "script/quantized_tensor.h"

namespace lanthorn::script {

/// Floats rounded to 8 bits (7 where the range is reduced) by their own extremes, as dynamic quantization does.
ValueId rounded_by_range(Emitter& e, ValueId x, bool reduced);

/// quantized_lstm (or quantized_gru) of integer weights over a whole batch, step by step, as the hidden state is
/// rounded anew in each; nothing for other forms, which the float operators stand for.
Result<std::optional<Value>> dynamic_recurrent(Lowering& lowering, const CallArguments& arguments, bool lstm);

}  // namespace lanthorn::script
