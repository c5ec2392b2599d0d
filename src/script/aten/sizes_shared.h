#pragma once

#include <functional>
#include <optional>

#include "script/aten.h"

namespace lanthorn::script {

// Traces compute sizes as 0-d integer tensors. Such a tensor is kept as its `elements` alone: its
// storage has no value (kNoValue) until something that is no size computation reads it.

/// A tensor of known integers that makes no node. `dims` must be known and multiply to the number of
/// elements (checked).
TensorRef sized_tensor(Dims elements, Dims dims, DType dtype = DType::kI64);
/// Gives a sized tensor its value, if it has none yet.
Status materialize(Lowering& lowering, SymTensor& tensor);
/// Lowering::read after materialize.
Result<ValueId> read_tensor(Lowering& lowering, const TensorRef& tensor);

/// The elements of an integer or bool tensor or of an int, if they are known and its storage was not
/// written since it was made.
std::optional<Dims> elements_of(const Value& value);
/// True for a tensor made by sized_tensor that was not read yet.
bool is_sized(const Value& value);
/// Element by element with broadcasting; nothing unless both have known elements, at least one of
/// them is a sized tensor, and `dtype` is an integer.
std::optional<Value> sized_binary(const Value& a, const Value& b, DType dtype,
                                  const std::function<Dim(const Dim&, const Dim&)>& combine);

/// The dimension that -1 stands for, in a reshape of `from` to `to` (which holds one -1 at `at`).
Dim missing_dim(const Dims& from, const Dims& to, size_t at);
/// True if PyTorch's strides of this view are those of a contiguous tensor.
bool is_contiguous(const SymTensor& tensor);

}  // namespace lanthorn::script
