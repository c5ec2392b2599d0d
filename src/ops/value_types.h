#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What is known of a value that is of one type or the other. An error where no value can be both.
Result<ValueType> merged_type(const ValueType& a, const ValueType& b);

ValueType sequence_of(ValueType element);
ValueType optional_of(ValueType element);
/// The type inside of a sequence or optional; unknown for others and where nothing is told.
ValueType element_of(const ValueType& outer);
/// kUnknown.
ValueType unknown_type();

/// The part of a tensor at `index` of an axis, without the axis. Any dtype.
Result<Tensor> slice_of(const Tensor& tensor, size_t axis, int64_t index);
/// Tensors of one dtype joined along an axis that they have; their other sizes must agree. kLimit
/// where the result takes more bytes than `left`, from which it takes them.
Result<Tensor> joined(const std::vector<Tensor>& parts, size_t axis, uint64_t& left);
/// Tensors of one shape as slices along a new axis.
Result<Tensor> stacked(const std::vector<Tensor>& parts, size_t axis, uint64_t& left);

}  // namespace lanthorn
