#include "lanthorn/tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/checked.h"
#include "tensor/convert.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Error corrupt(std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "", ""};
}

size_t alignment_of(DType dtype) {
  switch (dtype) {
    case DType::kString:
      return alignof(std::string);
    case DType::kC128:
      return alignof(double);
    case DType::kC64:
      return alignof(float);
    case DType::kC32:
      return alignof(uint16_t);
    default:
      return dtype_bytes(dtype);
  }
}

Result<uint64_t> size_in_bytes(DType dtype, std::span<const int64_t> shape) {
  const std::optional<uint64_t> bytes = checked_product(shape, dtype_bytes(dtype));
  if (!bytes) return corrupt("the shape " + shape_text(shape) + " has no size that can be held");
  return *bytes;
}

}  // namespace

Shape contiguous_strides(std::span<const int64_t> shape) {
  Shape strides(shape.size());
  uint64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(std::max<int64_t>(shape[i], 1));
  }
  return strides;
}

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Result<Tensor> Tensor::wrap(DType dtype, Shape shape, std::span<const std::byte> bytes,
                            std::shared_ptr<const void> owner) {
  LAN_CHECK(dtype != DType::kUndefined && dtype != DType::kString);
  LAN_TRY(const uint64_t size, size_in_bytes(dtype, shape));
  if (size != bytes.size()) {
    return corrupt(std::string(dtype_name(dtype)) + shape_text(shape) + " takes " +
                   std::to_string(size) + " bytes, but there are " + std::to_string(bytes.size()));
  }
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.strides_ = contiguous_strides(shape);
  tensor.shape_ = std::move(shape);
  tensor.storage_ = Storage::wrap(bytes, std::move(owner));
  return tensor;
}

Result<Tensor> Tensor::view(DType dtype, Shape shape, Shape strides, uint64_t offset_bytes,
                            std::shared_ptr<const Storage> storage) {
  LAN_CHECK(dtype != DType::kUndefined && storage);
  if (strides.size() != shape.size()) {
    return corrupt(std::to_string(shape.size()) + " dimensions, but " +
                   std::to_string(strides.size()) + " strides");
  }
  LAN_TRY(const uint64_t size, size_in_bytes(dtype, shape));
  __extension__ typedef __int128 Wide;
  Wide first = 0, last = 0;  // the lowest and highest element, in elements
  for (size_t i = 0; i < shape.size() && size > 0; ++i) {
    const Wide reach = static_cast<Wide>(shape[i] - 1) * strides[i];
    (reach < 0 ? first : last) += reach;
  }
  const auto unit = static_cast<Wide>(dtype_bytes(dtype));
  const Wide begin = static_cast<Wide>(offset_bytes) + first * unit;
  const Wide end = size > 0 ? static_cast<Wide>(offset_bytes) + (last + 1) * unit
                            : static_cast<Wide>(offset_bytes);
  if (begin < 0 || end > static_cast<Wide>(storage->size())) {
    return corrupt(std::string(dtype_name(dtype)) + shape_text(shape) + " with strides " +
                   shape_text(strides) + " at byte " + std::to_string(offset_bytes) +
                   " does not lie inside a storage of " + std::to_string(storage->size()) +
                   " bytes");
  }
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.strides_ = std::move(strides);
  tensor.offset_ = offset_bytes;
  tensor.storage_ = std::move(storage);
  return tensor;
}

Result<Tensor> Tensor::allocate(DType dtype, Shape shape) {
  LAN_CHECK(dtype != DType::kUndefined);
  LAN_TRY(const uint64_t size, size_in_bytes(dtype, shape));
  Tensor tensor;
  if (dtype == DType::kString) {
    LAN_TRY(tensor.writable_, Storage::allocate_strings(size / sizeof(std::string)));
  } else {
    LAN_TRY(tensor.writable_, Storage::allocate(size));
  }
  tensor.dtype_ = dtype;
  tensor.strides_ = contiguous_strides(shape);
  tensor.shape_ = std::move(shape);
  tensor.storage_ = tensor.writable_;
  return tensor;
}

Tensor Tensor::copied(DType dtype, Shape shape, std::span<const std::byte> bytes) {
  LAN_CHECK(dtype != DType::kString);
  Result<Tensor> made = allocate(dtype, std::move(shape));
  LAN_CHECK(made.ok() && made->byte_size() == bytes.size());
  if (!bytes.empty()) std::memcpy(made->mutable_data(), bytes.data(), bytes.size());
  return *std::move(made);
}

Tensor Tensor::scalar_f32(float value) { return of<float>(DType::kF32, {}, {&value, 1}); }
Tensor Tensor::scalar_i64(int64_t value) { return of<int64_t>(DType::kI64, {}, {&value, 1}); }
Tensor Tensor::scalar_bool(bool value) { return of<bool>(DType::kBool, {}, {&value, 1}); }
Tensor Tensor::of_ints(std::span<const int64_t> values) {
  return of<int64_t>(DType::kI64, {static_cast<int64_t>(values.size())}, values);
}
Tensor Tensor::of_floats(std::span<const float> values) {
  return of<float>(DType::kF32, {static_cast<int64_t>(values.size())}, values);
}

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> values) {
  Result<Tensor> made = allocate(DType::kString, std::move(shape));
  LAN_CHECK(made.ok() && made->count() == static_cast<int64_t>(values.size()));
  std::move(values.begin(), values.end(), made->mutable_as<std::string>().begin());
  return *std::move(made);
}

int64_t Tensor::count() const {
  int64_t count = 1;
  for (const int64_t dim : shape_) count *= dim;
  return count;
}

uint64_t Tensor::byte_size() const { return static_cast<uint64_t>(count()) * dtype_bytes(dtype_); }

bool Tensor::is_contiguous() const {
  int64_t stride = 1;
  if (count() == 0) return true;
  for (size_t i = shape_.size(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != stride) return false;
    stride *= shape_[i];
  }
  return true;
}

std::span<const std::byte> Tensor::bytes() const { return {data(), byte_size()}; }

const std::byte* Tensor::data() const {
  LAN_CHECK(defined() && is_contiguous());
  return storage_->bytes().data() + offset_;
}

std::byte* Tensor::mutable_data() {
  // Two owners: storage_ and writable_ of this tensor.
  LAN_CHECK(writable_ && writable_.use_count() == 2);
  return writable_->mutable_bytes().data() + offset_;
}

Result<Tensor> Tensor::contiguous() const {
  LAN_CHECK(defined());
  if (is_deferred() && is_contiguous() && offset_ == 0) return *this;  // aligned, and not to be computed for this
  const std::byte* first = storage_->bytes().data() + offset_;
  const bool aligned = reinterpret_cast<uintptr_t>(first) % alignment_of(dtype_) == 0;
  if (is_contiguous() && aligned) return *this;
  LAN_TRY(Tensor copy, allocate(dtype_, shape_));
  copy_strided(dtype_, shape_, first, strides_, copy.mutable_data(), copy.strides());
  return copy;
}

Result<Tensor> Tensor::computed() const {
  if (!is_deferred() || !is_contiguous() || offset_ != 0 || byte_size() != storage_->size()) return *this;
  LAN_TRY(Tensor copy, allocate(dtype_, shape_));
  storage_->compute(copy.writable_->mutable_bytes());
  return copy;
}

Tensor Tensor::reshaped(Shape shape) const {
  LAN_CHECK(is_contiguous());
  Tensor tensor = *this;
  tensor.writable_ = nullptr;
  tensor.strides_ = contiguous_strides(shape);
  tensor.shape_ = std::move(shape);
  LAN_CHECK(tensor.count() == count());
  return tensor;
}

Result<Tensor> Tensor::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  if (!can_convert(dtype_, dtype)) {
    return Error{ErrorCode::kUnsupported,
                 "cannot convert " + std::string(dtype_name(dtype_)) + " to " +
                     std::string(dtype_name(dtype)),
                 "", ""};
  }
  LAN_TRY(const Tensor source, contiguous());
  LAN_TRY(Tensor target, allocate(dtype, shape_));
  convert(dtype_, source.data(), dtype, target.mutable_data(), static_cast<size_t>(count()),
          torch_rounding(dtype));
  return target;
}

std::optional<std::vector<int64_t>> Tensor::to_ints() const {
  if (!is_integer(dtype_) && dtype_ != DType::kBool) return std::nullopt;
  const Result<Tensor> plain = contiguous();
  if (!plain) return std::nullopt;
  std::vector<int64_t> values(static_cast<size_t>(count()));
  convert(dtype_, plain->data(), DType::kI64, values.data(), values.size());
  return values;
}

std::optional<std::vector<double>> Tensor::to_doubles() const {
  if (!is_integer(dtype_) && !is_floating(dtype_) && dtype_ != DType::kBool) return std::nullopt;
  const Result<Tensor> plain = contiguous();
  if (!plain) return std::nullopt;
  std::vector<double> values(static_cast<size_t>(count()));
  convert(dtype_, plain->data(), DType::kF64, values.data(), values.size());
  return values;
}

}  // namespace lanthorn
