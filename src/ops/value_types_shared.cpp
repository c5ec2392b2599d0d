#include "base/check.h"
#include "ops/numbers_shared.h"
#include "ops/output_memory_shared.h"
#include "ops/value_types.h"
#include "tensor/copy.h"

namespace lanthorn {

ValueType unknown_type() { return ValueType{.kind = ValueType::Kind::kUnknown}; }

ValueType sequence_of(ValueType element) {
  ValueType type{.kind = ValueType::Kind::kSequence};
  type.element = std::make_shared<const ValueType>(std::move(element));
  return type;
}

ValueType optional_of(ValueType element) {
  ValueType type{.kind = ValueType::Kind::kOptional};
  type.element = std::make_shared<const ValueType>(std::move(element));
  return type;
}

ValueType element_of(const ValueType& outer) {
  return outer.element ? *outer.element : unknown_type();
}

Result<ValueType> merged_type(const ValueType& a, const ValueType& b) {
  using enum ValueType::Kind;
  if (a.kind == kUnknown) return b;
  if (b.kind == kUnknown) return a;
  if (a.kind == kOptional && b.kind != kOptional) {
    LAN_TRY(ValueType element, merged_type(element_of(a), b));
    return optional_of(std::move(element));
  }
  if (b.kind == kOptional && a.kind != kOptional) return merged_type(b, a);
  if (a.kind != b.kind ||
      (a.dtype != b.dtype && a.dtype != DType::kUndefined && b.dtype != DType::kUndefined)) {
    return shape_error("a value is " + type_text(a) + " here and " + type_text(b) + " there");
  }
  ValueType type = a;
  if (type.dtype == DType::kUndefined) type.dtype = b.dtype;
  if (a.kind != kTensor) {
    LAN_TRY(ValueType element, merged_type(element_of(a), element_of(b)));
    type.element = std::make_shared<const ValueType>(std::move(element));
    return type;
  }
  if (!a.ranked || !b.ranked || a.dims.size() != b.dims.size()) {
    return ValueType::unranked(type.dtype);
  }
  for (size_t i = 0; i < a.dims.size(); ++i) {
    if (!(a.dims[i] == b.dims[i])) type.dims[i] = Dim::unknown();
  }
  return type;
}

Result<Tensor> slice_of(const Tensor& tensor, size_t axis, int64_t index) {
  LAN_CHECK(axis < tensor.rank() && index >= 0 && index < tensor.shape()[axis]);
  Shape shape = tensor.shape(), strides = tensor.strides();
  const int64_t step = strides[axis];
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  const uint64_t offset =
      tensor.offset_bytes() + static_cast<uint64_t>(index * step) * dtype_bytes(tensor.dtype());
  LAN_TRY(const Tensor view, Tensor::view(tensor.dtype(), std::move(shape), std::move(strides),
                                          offset, tensor.storage()));
  return view.contiguous();
}

Result<Tensor> joined(const std::vector<Tensor>& parts, size_t axis, uint64_t& left) {
  if (parts.empty()) return shape_error("there is nothing to join");
  Shape shape = parts[0].shape();
  if (axis >= shape.size()) return shape_error("the parts have too few dimensions");
  shape[axis] = 0;
  for (const Tensor& part : parts) {
    bool fits = part.dtype() == parts[0].dtype() && part.rank() == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i) {
      fits = i == axis || part.shape()[i] == shape[i];
    }
    if (!fits) {
      return shape_error("a part of shape " + shape_text(part.shape()) + " does not fit " +
                         shape_text(parts[0].shape()));
    }
    shape[axis] += part.shape()[axis];
  }
  LAN_TRY(Tensor whole, allocate_output(parts[0].dtype(), shape, left));
  const Shape strides = contiguous_strides(shape);
  std::byte* to = whole.mutable_data();
  int64_t at = 0;
  for (const Tensor& part : parts) {
    LAN_TRY(const Tensor dense, part.contiguous());
    if (dense.count() > 0) {
      copy_strided(dense.dtype(), dense.shape(), dense.data(), dense.strides(),
                   element_at(dense.dtype(), to, at * strides[axis]), strides);
    }
    at += part.shape()[axis];
  }
  return whole;
}

Result<Tensor> stacked(const std::vector<Tensor>& parts, size_t axis, uint64_t& left) {
  std::vector<Tensor> slices;
  for (const Tensor& part : parts) {
    if (axis > part.rank()) return shape_error("the parts have too few dimensions");
    Shape shape = part.shape();
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    LAN_TRY(const Tensor dense, part.contiguous());
    slices.push_back(dense.reshaped(std::move(shape)));
  }
  return joined(slices, axis, left);
}

}  // namespace lanthorn
