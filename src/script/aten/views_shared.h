#pragma once

#include "script/aten/emit_shared.h"
#include "script/aten/sizes_shared.h"

namespace lanthorn::script {

Result<TensorRef> reshape_view(Lowering& lowering, const TensorRef& base, Dims dims);
Result<TensorRef> permute_view(Lowering& lowering, const TensorRef& base, std::vector<int64_t> permutation);
/// Dims of the same or a higher rank; nothing happens where they are the base's.
Result<TensorRef> expand_view(Lowering& lowering, const TensorRef& base, Dims dims);
Result<TensorRef> select_view(Lowering& lowering, const TensorRef& base, int64_t axis, const Dim& index);
/// Python's slice with start and end counted from the front or, negative, from the end, and clamped.
Result<TensorRef> slice_view(Lowering& lowering, const TensorRef& base, int64_t axis, const Dim& start,
                             const Dim& end, int64_t step = 1);
Result<TensorRef> unsqueeze_view(Lowering& lowering, const TensorRef& base, int64_t axis);
/// A copy that owns its value.
Result<TensorRef> copied(Lowering& lowering, const TensorRef& base);

/// Dims with one -1 worked out for a tensor of `from`. kInvalidInput for two of them.
Result<Dims> resolved(Lowering& lowering, const Dims& from, Dims to);
/// The dims that broadcasting gives; kInvalidInput where they do not fit.
Result<Dims> broadcast_dims(Lowering& lowering, const Dims& a, const Dims& b);

}  // namespace lanthorn::script
