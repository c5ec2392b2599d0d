#pragma once

#include "script/aten.h"

namespace lanthorn::script {

/// A number of the program as a double; a symbolic size is asked for its value at hand.
Result<double> real_number(Lowering& lowering, const Value& value);
/// -1, 0 or 1 for two numbers, strings, or lists and tuples of them; an error for what has no
/// order.
Result<int> compare_values(Lowering& lowering, const Value& a, const Value& b);
/// Python's ==, for all that is no tensor.
Result<bool> same_value(Lowering& lowering, const Value& a, const Value& b);
/// The text that TorchScript's str() and format() make of a value.
std::string text_of(const Value& value);

}  // namespace lanthorn::script
