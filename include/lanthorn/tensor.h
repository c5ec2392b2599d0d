#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// Every element type that any format here has. Sub-byte types are stored one element a byte
/// unless a format's own text says otherwise.
enum class DType : uint8_t {
  kUndefined,
  kF32, kF64, kF16, kBF16,
  kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64,
  kBool, kC32, kC64, kC128,
  kF8E4M3FN, kF8E4M3FNUZ, kF8E5M2, kF8E5M2FNUZ, kF8E8M0FNU, kF6E2M3, kF6E3M2, kF4E2M1,
  kI4, kU4, kI2, kU2,
  kQI8, kQU8, kQI32, kQU4x2, kQU2x4,
  kBits1x8, kBits2x4, kBits4x2, kBits8, kBits16,
  kString,
};

/// PyTorch's name of the dtype without "torch.": "float32", "bfloat16", "complex64", "qint8".
std::string_view dtype_name(DType dtype);
/// The dtype of such a name; kUndefined if there is none.
DType dtype_from_name(std::string_view name);
/// Bytes of one stored element; 0 for kUndefined. A kString element is a std::string object.
size_t dtype_bytes(DType dtype);
bool is_floating(DType dtype);   // f8 to f64
bool is_integer(DType dtype);    // signed and unsigned; not bool, not quantized
bool is_complex(DType dtype);

using Shape = std::vector<int64_t>;

/// Bytes that tensors look at: a part of a mapped file or an allocation. Tensors that share one
/// Storage object are tied. The bytes live as long as the Storage.
class Storage {
 public:
  /// Bytes that `owner` keeps alive.
  static std::shared_ptr<const Storage> wrap(std::span<const std::byte> bytes,
                                             std::shared_ptr<const void> owner);
  /// Zeroed memory aligned to 64 bytes. Fails with kOutOfMemory.
  static Result<std::shared_ptr<Storage>> allocate(uint64_t bytes);

  /// Writes all bytes of a storage.
  using Fill = std::function<void(std::span<std::byte>)>;
  /// Bytes that `fill` computes, always the same: once, when somebody first asks for them.
  static std::shared_ptr<const Storage> deferred(uint64_t size, Fill fill);

  std::span<const std::byte> bytes() const { return deferred_ ? deferred_bytes() : bytes_; }
  uint64_t size() const { return bytes_.size(); }
  /// True for deferred() bytes that nobody asked for yet.
  bool is_deferred() const;
  /// Computes bytes of deferred() into `to`, size() bytes, and keeps nothing.
  void compute(std::span<std::byte> to) const;
  /// Only for memory from allocate(), before others see it.
  std::span<std::byte> mutable_bytes();
  /// Empty std::string objects, for tensors of kString. Fails with kOutOfMemory.
  static Result<std::shared_ptr<Storage>> allocate_strings(uint64_t count);
  /// True for bytes that wrap() was given, false for memory of our own.
  bool is_mapped() const { return mapped_; }

 private:
  struct Deferred;
  std::span<const std::byte> deferred_bytes() const;

  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<Deferred> deferred_;
  bool mapped_ = false;
};

/// An array of numbers that never changes: storage, byte offset, shape, strides and dtype. Copies
/// share the storage; the last one lets it go. Safe to read from many threads.
class Tensor {
 public:
  Tensor() = default;

  /// A contiguous tensor over exactly `bytes`, which `owner` keeps alive. kCorrupt if the size does
  /// not fit shape and dtype.
  static Result<Tensor> wrap(DType dtype, Shape shape, std::span<const std::byte> bytes,
                             std::shared_ptr<const void> owner);
  /// A view of `storage` with strides in elements and an offset in bytes. kCorrupt unless every
  /// element lies inside the storage.
  static Result<Tensor> view(DType dtype, Shape shape, Shape strides, uint64_t offset_bytes,
                             std::shared_ptr<const Storage> storage);
  /// A new zeroed contiguous tensor; fill it through mutable_data().
  static Result<Tensor> allocate(DType dtype, Shape shape);
  /// A new contiguous tensor with these values. T must be how `dtype` is stored (checked).
  template <class T>
  static Tensor of(DType dtype, Shape shape, std::span<const T> values);
  static Tensor scalar_f32(float value);
  static Tensor scalar_i64(int64_t value);
  static Tensor scalar_bool(bool value);
  static Tensor of_ints(std::span<const int64_t> values);  // 1-D int64
  static Tensor of_floats(std::span<const float> values);  // 1-D float32
  static Tensor of_strings(Shape shape, std::vector<std::string> values);

  bool defined() const { return dtype_ != DType::kUndefined; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  const Shape& strides() const { return strides_; }  // in elements
  size_t rank() const { return shape_.size(); }
  int64_t count() const;         // number of elements
  uint64_t byte_size() const;    // count() * dtype_bytes(): of the elements, not of the storage
  uint64_t offset_bytes() const { return offset_; }
  const std::shared_ptr<const Storage>& storage() const { return storage_; }
  bool is_contiguous() const;
  /// True while the elements are not computed (Storage::deferred).
  bool is_deferred() const { return storage_ && storage_->is_deferred(); }
  /// This tensor; while its elements are not computed, a copy for whose life only they are.
  Result<Tensor> computed() const;

  /// The elements' bytes in C order. Only for contiguous tensors (checked).
  std::span<const std::byte> bytes() const;
  const std::byte* data() const;
  /// Only for a tensor from allocate() whose storage nobody else holds (checked).
  std::byte* mutable_data();
  /// The elements as T, which must have the size of an element (checked). Contiguous only.
  template <class T>
  std::span<const T> as() const;
  template <class T>
  std::span<T> mutable_as();

  /// This tensor, or a copy of it in C order and aligned for its dtype.
  Result<Tensor> contiguous() const;
  /// The same elements under another shape of the same count. Contiguous only (checked).
  Tensor reshaped(Shape shape) const;
  /// The elements as PyTorch casts them: to nearest even; float8_e4m3fn, and it alone, saturates.
  Result<Tensor> cast(DType dtype) const;
  /// All elements as integers, if this is an integer or bool tensor.
  std::optional<std::vector<int64_t>> to_ints() const;
  /// All elements as doubles, for any real dtype.
  std::optional<std::vector<double>> to_doubles() const;

 private:
  static Tensor copied(DType dtype, Shape shape, std::span<const std::byte> bytes);

  DType dtype_ = DType::kUndefined;
  Shape shape_, strides_;
  uint64_t offset_ = 0;
  std::shared_ptr<const Storage> storage_;
  std::shared_ptr<Storage> writable_;
};

/// Strides of a contiguous tensor, in elements.
Shape contiguous_strides(std::span<const int64_t> shape);
/// "[2, 3]"
std::string shape_text(std::span<const int64_t> shape);

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Named tensors in file order: what a state_dict is.
class StateDict {
 public:
  /// kCorrupt on a name already present.
  Status add(std::string name, Tensor tensor);
  const Tensor* find(std::string_view name) const;
  std::span<const NamedTensor> entries() const { return entries_; }
  size_t size() const { return entries_.size(); }

 private:
  std::vector<NamedTensor> entries_;
  std::vector<uint32_t> by_name_;  // indices into entries_, in sorted runs
};

template <class T>
Tensor Tensor::of(DType dtype, Shape shape, std::span<const T> values) {
  return copied(dtype, std::move(shape), std::as_bytes(values));
}
template <class T>
std::span<const T> Tensor::as() const {
  return {reinterpret_cast<const T*>(data()), static_cast<size_t>(count())};
}
template <class T>
std::span<T> Tensor::mutable_as() {
  return {reinterpret_cast<T*>(mutable_data()), static_cast<size_t>(count())};
}

}  // namespace lanthorn
