#pragma once

#include <functional>
#include <optional>

#include "script/aten.h"

namespace lanthorn::script {

// Traces compute sizes as 0-d integer tensors; these keep such numbers known through arithmetic.

/// A tensor of known integers. `dims` must be known and multiply to the number of elements.
Result<TensorRef> sized_tensor(Lowering& lowering, const Dims& elements, const Dims& dims,
                               DType dtype = DType::kI64);
/// The elements of a small integer or bool tensor or of an int, if they are known.
std::optional<Dims> elements_of(Lowering& lowering, const Value& value);
/// Element by element with broadcasting; nothing unless `dtype` is an integer and both have known
/// elements.
std::optional<Result<Value>> sized_binary(Lowering& lowering, const Value& a, const Value& b, DType dtype,
                                          const std::function<Dim(const Dim&, const Dim&)>& combine);

/// The dimension that -1 stands for, in a reshape of `from` to `to` (which holds one -1 at `at`).
Dim missing_dim(const Dims& from, const Dims& to, size_t at);
/// True if PyTorch's strides of this view are those of a contiguous tensor.
bool is_contiguous(const SymTensor& tensor);
/// True if some step of a view changes the order of elements or repeats them.
bool is_reordered(const SymTensor& tensor);

}  // namespace lanthorn::script
