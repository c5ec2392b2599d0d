#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "script/operators.h"
#include "script/quantized_tensor.h"

namespace lanthorn::script {

/// Runs another operator of the program's language.
using CallOperator = std::function<Result<Value>(std::string, CallArguments)>;

/// Operators of quantized::, prepacked:: and those that make quantized tensors; nothing for other names. What they
/// compute is what PyTorch's integer kernels compute, up to a rounding: the operator of floats on the numbers that the
/// integers stand for, rounded to the result's integers.
Result<std::optional<Value>> run_quantized_operator(std::string_view name, const CallArguments& arguments,
                                                    Lowering& lowering, const CallOperator& call);
/// Whether the above knows the name.
bool is_quantized_operator(std::string_view name);

/// The argument of a position or name; None where it is not given.
Value argument_at(const CallArguments& arguments, size_t position, std::string_view name);
/// A number or a constant tensor of numbers.
Result<std::vector<double>> known_numbers(Lowering& lowering, const Value& value);

}  // namespace lanthorn::script
