#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/output_file.h"
#include "formats/torch/scalar_type.h"
#include "formats/write.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What PyTorch has in place of a dtype that it has none for, with the same bytes (int4: int8); the
/// dtype itself for others.
DType torch_stand_in(DType dtype);

/// The storages that the tensors of a file need, in the order of their first use. Tensors that share
/// a Storage share a record, which holds all of it, as torch.save does: ties, strides and offsets
/// stay. A Storage that is looked at by two dtypes gets a record for each.
class StorageTable {
 public:
  explicit StorageTable(const WriteOptions& options) : options_(options) {}

  /// Where a tensor lies.
  struct Place {
    size_t record = 0;
    DType dtype = DType::kUndefined;  // as PyTorch reads it
    int64_t offset = 0;               // in elements
    Shape strides;
    uint64_t count = 0;  // of the record: elements, bytes where it has no storage class
  };
  /// kUnsupported for text, which PyTorch has no tensors of.
  Result<Place> place(const Tensor& tensor);

  size_t size() const { return records_.size(); }
  /// Of the record's payload.
  uint64_t bytes(size_t record) const { return records_[record].bytes; }
  /// Bytes of one element of the record, as the legacy stream counts.
  uint64_t unit(size_t record) const { return records_[record].unit; }
  /// Writes the record's payload, and adds it to `crc`.
  Status write(size_t record, OutputFile& file, uint32_t* crc) const;
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  struct Record {
    Tensor tensor;            // one of those that share it
    DType from, to;           // what the numbers are, and become
    bool alone = false;       // only the tensor's elements, in C order
    uint64_t bytes = 0, unit = 0;
  };
  size_t add(const Tensor& tensor, DType from, DType to, bool alone);
  void note(std::string text);

  const WriteOptions& options_;
  std::vector<Record> records_;
  std::map<std::pair<const Storage*, DType>, size_t> known_;
  std::map<const Storage*, DType> first_dtype_;
  std::vector<std::string> notes_;
};

}  // namespace lanthorn
