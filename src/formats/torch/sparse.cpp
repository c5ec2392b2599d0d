#include "formats/torch/sparse.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace lanthorn {
namespace {

Error corrupt(std::string message) { return Error{ErrorCode::kCorrupt, std::move(message)}; }

/// Adds `count` numbers of type T; bools and what has no sum in PyTorch are replaced.
template <class T>
void add_numbers(std::byte* target, const std::byte* source, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    T a, b;
    std::memcpy(&a, target + i * sizeof(T), sizeof(T));
    std::memcpy(&b, source + i * sizeof(T), sizeof(T));
    a = static_cast<T>(a + b);
    std::memcpy(target + i * sizeof(T), &a, sizeof(T));
  }
}

void add_elements(DType dtype, std::byte* target, const std::byte* source, size_t count) {
  switch (dtype) {
    case DType::kF32:
      return add_numbers<float>(target, source, count);
    case DType::kF64:
      return add_numbers<double>(target, source, count);
    case DType::kC64:
      return add_numbers<float>(target, source, 2 * count);
    case DType::kC128:
      return add_numbers<double>(target, source, 2 * count);
    case DType::kI8:
    case DType::kU8:
      return add_numbers<uint8_t>(target, source, count);
    case DType::kI16:
    case DType::kU16:
      return add_numbers<uint16_t>(target, source, count);
    case DType::kI32:
    case DType::kU32:
      return add_numbers<uint32_t>(target, source, count);
    case DType::kI64:
    case DType::kU64:
      return add_numbers<uint64_t>(target, source, count);
    case DType::kBool:
      for (size_t i = 0; i < count; ++i) target[i] |= source[i];
      return;
    default:
      std::memcpy(target, source, count * dtype_bytes(dtype));
  }
}

/// Adds 16-bit floats by way of float, as the values are rare and the sums few.
Status add_halves(DType dtype, std::byte* target, const std::byte* source, size_t count) {
  const Shape shape = {static_cast<int64_t>(count)};
  const size_t bytes = count * 2;
  LAN_TRY(const Tensor a, Tensor::wrap(dtype, shape, {target, bytes}, nullptr));
  LAN_TRY(const Tensor b, Tensor::wrap(dtype, shape, {source, bytes}, nullptr));
  LAN_TRY(const Tensor wide_a, a.cast(DType::kF32));
  LAN_TRY(const Tensor wide_b, b.cast(DType::kF32));
  LAN_TRY(Tensor sum, Tensor::allocate(DType::kF32, shape));
  for (size_t i = 0; i < count; ++i) {
    sum.mutable_as<float>()[i] = wide_a.as<float>()[i] + wide_b.as<float>()[i];
  }
  LAN_TRY(const Tensor narrow, sum.cast(dtype));
  std::memcpy(target, narrow.data(), bytes);
  return ok();
}

Status add_run(DType dtype, std::byte* target, const std::byte* source, size_t count) {
  if (dtype == DType::kF16 || dtype == DType::kBF16)
    return add_halves(dtype, target, source, count);
  add_elements(dtype, target, source, count);
  return ok();
}

Result<Tensor> from_coo(const SparseParts& parts, const Tensor& values) {
  LAN_TRY(const Tensor indices, parts.first.contiguous());
  const Shape& shape = parts.shape;
  if (indices.dtype() != DType::kI64 || indices.rank() != 2 || values.rank() < 1) {
    return corrupt("the indices of a sparse tensor are no integer matrix");
  }
  const auto sparse = static_cast<size_t>(indices.shape()[0]);
  const int64_t entries = indices.shape()[1];
  if (sparse > shape.size() || values.shape()[0] != entries ||
      !std::equal(shape.begin() + static_cast<ptrdiff_t>(sparse), shape.end(),
                  values.shape().begin() + 1, values.shape().end())) {
    return corrupt("indices and values of a sparse tensor do not fit its shape " +
                   shape_text(shape));
  }
  LAN_TRY(Tensor dense, Tensor::allocate(values.dtype(), shape));
  if (dense.count() == 0 || entries == 0) return dense;
  const size_t unit = dtype_bytes(values.dtype());
  const auto run = static_cast<size_t>(values.count() / entries);
  const auto index = indices.as<int64_t>();
  std::byte* target = dense.mutable_data();
  for (int64_t entry = 0; entry < entries; ++entry) {
    int64_t at = 0;
    for (size_t axis = 0; axis < sparse; ++axis) {
      const int64_t place = index[axis * static_cast<size_t>(entries) + static_cast<size_t>(entry)];
      if (place < 0 || place >= shape[axis]) {
        return corrupt("index " + std::to_string(place) +
                       " of a sparse tensor is outside its shape " + shape_text(shape));
      }
      at = at * shape[axis] + place;
    }
    LAN_OK(add_run(values.dtype(), target + static_cast<size_t>(at) * run * unit,
                   values.data() + static_cast<size_t>(entry) * run * unit, run));
  }
  return dense;
}

Result<std::vector<int64_t>> read_indices(const Tensor& tensor) {
  auto values = tensor.to_ints();
  if (!values || tensor.rank() != 1)
    return corrupt("the indices of a sparse tensor are no integers");
  return *std::move(values);
}

/// csr and csc, and their blocked forms; batches are not taken.
Result<Tensor> from_compressed(const SparseParts& parts, const Tensor& values, bool by_row,
                               bool blocked) {
  const Shape& shape = parts.shape;
  if (shape.size() != 2 || values.rank() != (blocked ? 3U : 1U)) {
    return Error{ErrorCode::kUnsupported, "a sparse tensor of shape " + shape_text(shape) +
                                              " is stored in batches or with dense dimensions"};
  }
  const int64_t block_rows = blocked ? values.shape()[1] : 1,
                block_columns = blocked ? values.shape()[2] : 1;
  if (block_rows < 1 || block_columns < 1 || shape[0] % block_rows != 0 ||
      shape[1] % block_columns != 0) {
    return corrupt("the blocks of a sparse tensor do not fit its shape " + shape_text(shape));
  }
  LAN_TRY(const auto starts, read_indices(parts.first));
  LAN_TRY(const auto places, read_indices(parts.second));
  const int64_t rows = shape[0] / block_rows, columns = shape[1] / block_columns;
  const int64_t outer = by_row ? rows : columns, inner = by_row ? columns : rows;
  const auto entries = static_cast<int64_t>(places.size());
  if (static_cast<int64_t>(starts.size()) != outer + 1 || values.shape()[0] != entries ||
      starts.front() != 0 || starts.back() != entries ||
      !std::is_sorted(starts.begin(), starts.end())) {
    return corrupt("the compressed indices of a sparse tensor do not fit its shape " +
                   shape_text(shape));
  }
  LAN_TRY(Tensor dense, Tensor::allocate(values.dtype(), shape));
  if (dense.count() == 0) return dense;
  const size_t unit = dtype_bytes(values.dtype());
  std::byte* target = dense.mutable_data();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t entry = starts[static_cast<size_t>(o)]; entry < starts[static_cast<size_t>(o) + 1];
         ++entry) {
      const int64_t i = places[static_cast<size_t>(entry)];
      if (i < 0 || i >= inner) {
        return corrupt("index " + std::to_string(i) + " of a sparse tensor is outside its shape " +
                       shape_text(shape));
      }
      const int64_t row = (by_row ? o : i) * block_rows, column = (by_row ? i : o) * block_columns;
      for (int64_t r = 0; r < block_rows; ++r) {
        const int64_t to = (row + r) * shape[1] + column,
                      from = (entry * block_rows + r) * block_columns;
        LAN_OK(add_run(values.dtype(), target + static_cast<size_t>(to) * unit,
                       values.data() + static_cast<size_t>(from) * unit,
                       static_cast<size_t>(block_columns)));
      }
    }
  }
  return dense;
}

}  // namespace

Result<Tensor> densify(const SparseParts& parts) {
  LAN_TRY(const Tensor values, parts.values.contiguous());
  if (parts.layout == "sparse_coo") return from_coo(parts, values);
  const bool by_row = parts.layout == "sparse_csr" || parts.layout == "sparse_bsr";
  const bool blocked = parts.layout == "sparse_bsr" || parts.layout == "sparse_bsc";
  if (!by_row && parts.layout != "sparse_csc" && parts.layout != "sparse_bsc") {
    return Error{ErrorCode::kUnsupported, "the sparse layout '" + parts.layout + "' is not known"};
  }
  return from_compressed(parts, values, by_row, blocked);
}

}  // namespace lanthorn
