#include "formats/torch/storage_table.h"

#include <algorithm>

namespace lanthorn {
namespace {

constexpr size_t kMaxNotes = 20;

bool is_packed(DType dtype) { return dtype == DType::kQU4x2 || dtype == DType::kQU2x4; }

uint64_t per_byte(DType dtype) { return dtype == DType::kQU4x2 ? 2 : 4; }

/// The size of a storage of packed values: PyTorch makes room for rows of whole bytes, though it
/// writes the values without gaps.
uint64_t packed_bytes(const Tensor& tensor) {
  const uint64_t row = tensor.rank() == 0 ? 1 : static_cast<uint64_t>(tensor.shape().back());
  const uint64_t each = per_byte(tensor.dtype());
  return row == 0 ? 0 : static_cast<uint64_t>(tensor.count()) / row * ((row + each - 1) / each);
}

Result<std::vector<std::byte>> pack(const Tensor& tensor) {
  LAN_TRY(const Tensor straight, tensor.contiguous());
  const uint64_t each = per_byte(tensor.dtype());
  std::vector<std::byte> packed(packed_bytes(tensor));
  const auto values = straight.as<std::byte>();
  for (uint64_t i = 0; i < values.size(); ++i) {
    packed[i / each] |= values[i] << static_cast<int>(8 / each * (i % each));
  }
  return packed;
}

}  // namespace

DType torch_stand_in(DType dtype) {
  switch (dtype) {
    case DType::kI4:
    case DType::kI2:
      return DType::kI8;
    case DType::kU4:
    case DType::kU2:
    case DType::kF4E2M1:
    case DType::kF6E2M3:
    case DType::kF6E3M2:
      return DType::kU8;
    default:
      return dtype;
  }
}

void StorageTable::note(std::string text) {
  if (notes_.size() < kMaxNotes) notes_.push_back(std::move(text));
}

size_t StorageTable::add(const Tensor& tensor, DType from, DType to, bool alone) {
  Record record{tensor, from, to, alone, 0, 0};
  record.unit = storage_class(to).empty() ? 1 : dtype_bytes(to);
  const uint64_t source = alone ? tensor.byte_size() : tensor.storage()->bytes().size();
  record.bytes = from == to ? source : source / dtype_bytes(from) * dtype_bytes(to);
  if (is_packed(from)) record.bytes = packed_bytes(tensor);
  records_.push_back(std::move(record));
  return records_.size() - 1;
}

Result<StorageTable::Place> StorageTable::place(const Tensor& tensor) {
  if (!tensor.defined() || tensor.dtype() == DType::kString) {
    return Error{ErrorCode::kUnsupported, "PyTorch has no tensors of text"};
  }
  const bool casts = written_dtype(tensor.dtype(), options_) != tensor.dtype();
  const DType from = casts ? tensor.dtype() : torch_stand_in(tensor.dtype());
  const DType to = written_dtype(from, options_);
  if (from != tensor.dtype()) {
    note("PyTorch has no dtype " + std::string(dtype_name(tensor.dtype())) +
         "; such tensors are written as " + std::string(dtype_name(from)));
  }
  const uint64_t unit = dtype_bytes(from);
  const bool negative = std::any_of(tensor.strides().begin(), tensor.strides().end(),
                                    [](int64_t stride) { return stride < 0; });
  const bool alone = negative || is_packed(from) || tensor.offset_bytes() % unit != 0;
  Place place;
  place.dtype = to;
  place.strides = alone ? contiguous_strides(tensor.shape()) : tensor.strides();
  if (alone) {
    place.record = add(tensor, from, to, true);
  } else {
    place.offset = static_cast<int64_t>(tensor.offset_bytes() / unit);
    const auto key = std::pair(tensor.storage().get(), from);
    const auto known = known_.find(key);
    place.record = known != known_.end() ? known->second : add(tensor, from, to, false);
    known_.emplace(key, place.record);
    const DType first = first_dtype_.emplace(tensor.storage().get(), from).first->second;
    if (first != from && !tensor.storage()->bytes().empty()) {
      note("tensors of " + std::string(dtype_name(first)) + " and " +
           std::string(dtype_name(from)) +
           " share a storage, which PyTorch cannot save; they are apart now");
    }
  }
  place.count = records_[place.record].bytes / records_[place.record].unit;
  return place;
}

Status StorageTable::write(size_t index, OutputFile& file, uint32_t* crc) const {
  const Record& record = records_[index];
  if (is_packed(record.from)) {
    LAN_TRY(const auto packed, pack(record.tensor));
    return file.write_numbers(packed, DType::kU8, DType::kU8, crc);
  }
  if (!record.alone) {
    return file.write_numbers(record.tensor.storage()->bytes(), record.from, record.to, crc);
  }
  LAN_TRY(const Tensor straight, record.tensor.contiguous());
  return file.write_numbers(straight.bytes(), record.from, record.to, crc);
}

}  // namespace lanthorn
