#include "formats/onnx/tensors.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "formats/onnx/raw_data.h"
#include "formats/onnx/types.h"

namespace lanthorn::onnx {
namespace {

// Smaller tensors are copied at once: graphs compare and fold them.
constexpr size_t kDeferredBytes = 4096;

size_t alignment(DType dtype) {
  return is_complex(dtype) ? dtype_bytes(dtype) / 2 : dtype_bytes(dtype);
}

Error wrong_size(const TensorProto& proto, uint64_t count, DType dtype, uint64_t found,
                 std::string_view unit) {
  return Error{ErrorCode::kCorrupt,
               "dims " + shape_text(proto.dims) + " of " + std::string(dtype_name(dtype)) +
                   " make " + std::to_string(count) + " elements, but there are " +
                   std::to_string(found) + " " + std::string(unit),
               "", ""};
}

// Which of the typed fields onnx.proto puts this dtype into.
const ProtoNumbers& numbers_of(const TensorProto& proto, DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kC64:
      return proto.floats;
    case DType::kF64:
    case DType::kC128:
      return proto.doubles;
    case DType::kI64:
      return proto.int64s;
    case DType::kU32:
    case DType::kU64:
      return proto.uint64s;
    default:
      return proto.int32s;
  }
}

}  // namespace

Result<Tensor> TensorReader::allocate(DType dtype, Shape shape) {
  const auto bytes = checked_product(shape, dtype_bytes(dtype));
  if (!bytes || *bytes > tensor_bytes_left_) {
    return Error{ErrorCode::kLimit, "tensors need more memory than is allowed", "", ""};
  }
  tensor_bytes_left_ -= *bytes;
  return Tensor::allocate(dtype, std::move(shape));
}

Result<Tensor> TensorReader::read(const TensorProto& proto) {
  auto tensor = [&]() -> Result<Tensor> {
    LAN_TRY(const DType dtype, dtype_of(proto.data_type));
    if (proto.dims.size() > kMaxRank) return too_many_dimensions();
    const auto count = checked_product(proto.dims, 1);
    if (!count || !checked_product(proto.dims, std::max<size_t>(dtype_bytes(dtype), 1))) {
      return Error{ErrorCode::kCorrupt, "dims " + shape_text(proto.dims) + " are impossible", "",
                   ""};
    }
    if (proto.segmented) {
      return Error{ErrorCode::kUnsupported, "tensors in segments are not supported", "", ""};
    }
    if (!proto.external) return read_here(proto, dtype, *count);
    if (dtype == DType::kString) {
      return Error{ErrorCode::kCorrupt, "strings cannot be external data", "", ""};
    }
    LAN_TRY(const Bytes bytes, external(proto, raw_bytes(dtype, *count)));
    return from_raw(proto, dtype, bytes, *count);
  }();
  if (!tensor) return std::move(tensor).error().at("tensor '" + std::string(proto.name) + "'");
  return tensor;
}

Result<Tensor> TensorReader::read_here(const TensorProto& proto, DType dtype, uint64_t count) {
  if (dtype == DType::kString) return from_strings(proto, count);
  if (proto.raw) return from_raw(proto, dtype, {*proto.raw, file_}, count);
  const ProtoNumbers& numbers = numbers_of(proto, dtype);
  const std::span<const std::byte> fixed = numbers.fixed_bytes();
  if (!fixed.empty()) return from_raw(proto, dtype, {fixed, file_}, count);
  return from_numbers(proto, dtype, count);
}

Result<Tensor> TensorReader::from_raw(const TensorProto& proto, DType dtype, const Bytes& raw,
                                      uint64_t count) {
  const unsigned per_byte = elements_per_byte(dtype);
  if (raw.bytes.size() != raw_bytes(dtype, count)) {
    return wrong_size(proto, count, dtype, raw.bytes.size(), "bytes");
  }
  if (per_byte > 1) {
    LAN_TRY(Tensor tensor, allocate(dtype, proto.dims));
    auto* out = reinterpret_cast<uint8_t*>(tensor.mutable_data());
    for (uint64_t i = 0; i < count; ++i) out[i] = unpacked(dtype, raw.bytes, i);
    return tensor;
  }
  const bool aligned = reinterpret_cast<uintptr_t>(raw.bytes.data()) % alignment(dtype) == 0;
  const bool clean = dtype != DType::kBool ||
                     std::none_of(raw.bytes.begin(), raw.bytes.end(),
                                  [](std::byte b) { return static_cast<uint8_t>(b) > 1; });
  if (aligned && clean) return Tensor::wrap(dtype, proto.dims, raw.bytes, raw.owner);
  // Protobuf aligns nothing, so most weights come here. They are copied when somebody looks, and packing
  // does so one by one.
  if (clean && raw.bytes.size() >= kDeferredBytes) {
    const auto copy = [raw](std::span<std::byte> to) { std::memcpy(to.data(), raw.bytes.data(), to.size()); };
    return Tensor::view(dtype, proto.dims, contiguous_strides(proto.dims), 0, Storage::deferred(raw.bytes.size(), copy));
  }
  LAN_TRY(Tensor tensor, allocate(dtype, proto.dims));
  std::byte* out = tensor.mutable_data();
  if (!raw.bytes.empty()) std::memcpy(out, raw.bytes.data(), raw.bytes.size());
  if (!clean) {
    for (uint64_t i = 0; i < count; ++i) out[i] = std::byte{out[i] != std::byte{0}};
  }
  return tensor;
}

Result<Tensor> TensorReader::from_numbers(const TensorProto& proto, DType dtype, uint64_t count) {
  const ProtoNumbers& numbers = numbers_of(proto, dtype);
  const unsigned per_byte = elements_per_byte(dtype);
  const uint64_t expected = is_complex(dtype) ? 2 * count
                            : per_byte > 1    ? count / per_byte + (count % per_byte != 0)
                                              : count;
  if (numbers.size() != expected) return wrong_size(proto, count, dtype, numbers.size(), "numbers");
  LAN_TRY(Tensor tensor, allocate(dtype, proto.dims));
  if (count == 0) return tensor;
  std::byte* out = tensor.mutable_data();
  if (per_byte > 1) {
    std::vector<std::byte> packed;
    packed.reserve(static_cast<size_t>(expected));
    numbers.for_each([&](uint64_t value) { packed.push_back(static_cast<std::byte>(value)); });
    for (uint64_t i = 0; i < count; ++i)
      out[i] = static_cast<std::byte>(unpacked(dtype, packed, i));
    return tensor;
  }
  const size_t width = alignment(dtype);
  numbers.for_each([&](uint64_t value) {
    if (dtype == DType::kBool) value = value != 0;
    std::memcpy(out, &value, width);  // the low bytes: little-endian, as the format itself
    out += width;
  });
  return tensor;
}

Result<Tensor> TensorReader::from_strings(const TensorProto& proto, uint64_t count) {
  if (proto.strings.size() != count) {
    return wrong_size(proto, count, DType::kString, proto.strings.size(), "strings");
  }
  uint64_t bytes = 0;
  for (const std::string_view text : proto.strings) bytes += sizeof(std::string) + text.size();
  if (bytes > memory_bytes_left_) {
    return Error{ErrorCode::kLimit, "strings need more memory than is allowed", "", ""};
  }
  memory_bytes_left_ -= bytes;
  return Tensor::of_strings(proto.dims,
                            std::vector<std::string>(proto.strings.begin(), proto.strings.end()));
}

Result<Tensor> TensorReader::read_sparse(const SparseTensorProto& proto) {
  if (!proto.values || !proto.indices) {
    return Error{ErrorCode::kCorrupt, "a sparse tensor lacks its values or indices", "", ""};
  }
  const std::string place = "sparse tensor '" + std::string(proto.values->name) + "'";
  LAN_TRY(const Tensor values, read(*proto.values));
  LAN_TRY(const Tensor indices, read(*proto.indices));
  const int64_t count = values.count();
  const auto rank = static_cast<int64_t>(proto.dims.size());
  const bool linear = indices.shape() == Shape{count};
  if (values.rank() != 1 || values.dtype() == DType::kString || indices.dtype() != DType::kI64 ||
      !(linear || indices.shape() == Shape{count, rank})) {
    return Error{ErrorCode::kCorrupt, "values and indices of a sparse tensor do not fit", place,
                 ""};
  }
  if (proto.dims.size() > kMaxRank) return too_many_dimensions().at(place);
  const auto bytes = checked_product(proto.dims, dtype_bytes(values.dtype()));
  if (!bytes || *bytes > memory_bytes_left_) {
    return Error{ErrorCode::kLimit, "a sparse tensor is too large to be made dense", place, ""};
  }
  memory_bytes_left_ -= *bytes;
  LAN_TRY(Tensor dense, Tensor::allocate(values.dtype(), proto.dims));
  const size_t width = dtype_bytes(values.dtype());
  const auto at = indices.as<int64_t>();
  std::byte* out = dense.mutable_data();
  for (int64_t i = 0; i < count; ++i) {
    int64_t position = linear ? at[static_cast<size_t>(i)] : 0;
    bool inside = position >= 0 && position < dense.count();
    for (int64_t axis = 0; axis < rank && !linear; ++axis) {
      const int64_t index = at[static_cast<size_t>(i * rank + axis)];
      const int64_t size = proto.dims[static_cast<size_t>(axis)];
      inside = inside && index >= 0 && index < size;
      if (inside) position = position * size + index;
    }
    if (!inside || dense.count() == 0) {
      return Error{ErrorCode::kCorrupt, "an index of a sparse tensor is out of range", place, ""};
    }
    std::memcpy(out + static_cast<size_t>(position) * width,
                values.data() + static_cast<size_t>(i) * width, width);
  }
  return dense;
}

}  // namespace lanthorn::onnx
