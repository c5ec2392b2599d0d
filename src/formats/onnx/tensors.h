#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "codec/mapped_file.h"
#include "formats/onnx/model.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn::onnx {

/// Turns TensorProtos of one file into tensors. Data that lies aligned in the file, or in a file
/// beside it, stays mapped; all else is copied and counted against the limit on tensor bytes.
class TensorReader {
 public:
  TensorReader(std::shared_ptr<const MappedFile> file, const ReadLimits& limits)
      : file_(std::move(file)),
        tensor_bytes_left_(limits.max_tensor_bytes),
        memory_bytes_left_(limits.max_memory_bytes) {}

  /// kCorrupt where data and dims disagree; kNotFound for an external file that is not there.
  Result<Tensor> read(const TensorProto& proto);
  /// The dense tensor that a sparse one stands for.
  Result<Tensor> read_sparse(const SparseTensorProto& proto);

 private:
  struct Bytes {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };
  Result<Tensor> read_here(const TensorProto& proto, DType dtype, uint64_t count);
  Result<Tensor> from_raw(const TensorProto& proto, DType dtype, const Bytes& raw, uint64_t count);
  Result<Tensor> from_numbers(const TensorProto& proto, DType dtype, uint64_t count);
  Result<Tensor> from_strings(const TensorProto& proto, uint64_t count);
  /// `expected` bytes where the proto does not say how many.
  Result<Bytes> external(const TensorProto& proto, uint64_t expected);
  Result<std::shared_ptr<const MappedFile>> beside(std::string_view location);
  Result<Tensor> allocate(DType dtype, Shape shape);

  std::shared_ptr<const MappedFile> file_;
  uint64_t tensor_bytes_left_ = 0, memory_bytes_left_ = 0;
  std::map<std::string, std::shared_ptr<const MappedFile>, std::less<>> files_;
};

}  // namespace lanthorn::onnx
