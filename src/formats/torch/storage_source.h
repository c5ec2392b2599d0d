#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "codec/pickle.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What the persistent id of a storage says: ('storage', class, key, location, numel[, view]).
struct StorageId {
  std::string key;
  DType dtype = DType::kUndefined;  // kU8 for an untyped storage
  uint64_t bytes = 0;
  std::string location;  // "cpu", "cuda:0", "meta"
  // The legacy stream only: this storage is a part of another one.
  std::string view_key;
  uint64_t view_offset = 0;  // in bytes
  uint64_t view_bytes = 0;
  bool is_view = false;
};

/// Reads the persistent id of a storage. kCorrupt for what is none.
Result<StorageId> read_storage_id(const PickleTree& tree, PickleId id);

/// Where a storage lies: a part of a Storage that all its tensors share.
struct StorageView {
  std::shared_ptr<const Storage> storage;
  uint64_t offset = 0, bytes = 0;
  DType dtype = DType::kUndefined;
  bool big_endian = false;  // tensors of it are to be turned by dtype
};

/// What the persistent ids of one pickle stand for.
class StorageSource {
 public:
  virtual ~StorageSource() = default;
  /// kCorrupt if there is no such storage or it is smaller than the id says.
  virtual Result<StorageView> find(const StorageId& id) = 0;
  /// The tensor of that id, where ids name tensors (torch 0.1); null where they do not.
  virtual const Tensor* find_tensor(std::string_view) const { return nullptr; }
};

}  // namespace lanthorn
