#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "codec/pickle.h"
#include "formats/torch/storage_source.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// A tensor as a call of one of torch's rebuild functions describes it.
struct RebuiltTensor {
  Tensor tensor;  // undefined where there is no data (meta tensors)
  bool requires_grad = false;
  std::string type;                   // the class, where it is no plain tensor; "sparse_coo", ...
  PickleId state = kNoPickle;         // what else the class keeps
  // What else makes up its values: (scheme, scale, zero point[, axis]) of a quantized tensor, the
  // indices, values and sizes of a sparse one.
  PickleId parts = kNoPickle;
};

/// Turns the calls in one pickle that make tensors into tensors (torch/_utils.py). Views share the
/// storages of the source. What needs memory of its own (byte order, conjugation, sparse layouts)
/// takes it from a budget.
class TensorRebuilder {
 public:
  TensorRebuilder(const PickleTree& tree, StorageSource& source, std::shared_ptr<const void> owner,
                  uint64_t budget)
      : tree_(tree), source_(source), owner_(std::move(owner)), budget_(budget) {}

  /// True if the call makes a tensor.
  bool makes_tensor(PickleId call) const;
  /// True if the value is a storage: a persistent id, or a nested file.
  bool is_storage(PickleId id) const;
  /// kCorrupt for arguments that no tensor can have; kLimit where the budget is spent.
  Result<RebuiltTensor> rebuild(PickleId call, int depth = 0);
  Result<StorageView> storage(PickleId id, int depth = 0);

 private:
  Error corrupt(PickleId id, std::string message) const;
  std::string_view callee(PickleId call) const;
  Result<int64_t> integer(PickleId id) const;
  Result<Shape> sizes(PickleId id) const;
  Status spend(uint64_t bytes, PickleId id);
  Result<Tensor> view(const StorageView& storage, DType dtype, Shape shape, Shape strides,
                      int64_t offset, PickleId place);
  Result<Tensor> unpack(const StorageView& storage, DType dtype, const Shape& shape,
                        PickleId place);
  Result<Tensor> resolve_bits(Tensor tensor, PickleId metadata);
  Result<RebuiltTensor> rebuild_strided(PickleId arguments, std::string_view function,
                                        PickleId call, int depth);
  Result<RebuiltTensor> rebuild_old(PickleId call, int depth);
  Result<RebuiltTensor> rebuild_sparse(PickleId call, int depth);
  Status check_quantization(PickleId id, const Shape& shape);
  Result<RebuiltTensor> argument(PickleId call, size_t index, int depth);

  const PickleTree& tree_;
  StorageSource& source_;
  std::shared_ptr<const void> owner_;  // of the pickle's bytes
  uint64_t budget_;
  // Big-endian storages, turned for one dtype.
  std::map<std::pair<const Storage*, DType>, std::shared_ptr<const Storage>> turned_;
  std::map<PickleId, StorageView> nested_;   // by the bytes they are in
  std::map<PickleId, RebuiltTensor> known_;  // a tensor that is reached twice is made once
};

}  // namespace lanthorn
