#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/pickle.h"
#include "formats/torch/storage_source.h"
#include "formats/torch/tensor_rebuild.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Turns a pickle into a tree of plain data and tensors. A fixed list of classes and functions is
/// understood; everything else becomes an instance that keeps its name, arguments, state and items.
/// Items of an instance are key and value, for those that are appended the key is their index.
class ObjectBuilder {
 public:
  /// `owner` keeps the pickle's bytes; `budget` bounds the memory of the tree and of its tensors.
  ObjectBuilder(const PickleTree& tree, StorageSource& source, std::shared_ptr<const void> owner,
                uint64_t budget);

  /// kCorrupt, kLimit.
  Result<ObjectTree> build();
  /// What could not be shown as it is.
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  ObjectId object_of(PickleId id);
  std::vector<ObjectId> objects_of(const std::vector<PickleId>& ids);
  ObjectId add(Object object);
  Status convert(PickleId id, Object& object);
  Status convert_persistent(PickleId id, Object& object);
  Status convert_call(PickleId id, Object& object);
  Result<bool> convert_tensor(PickleId id, Object& object);
  bool convert_container(PickleId id, std::string_view name, Object& object);
  bool convert_plain(PickleId id, std::string_view name, Object& object);
  void convert_instance(PickleId id, Object& object);
  std::string class_name(PickleId id) const;

  const PickleTree& tree_;
  StorageSource& source_;
  std::shared_ptr<const void> owner_;
  TensorRebuilder tensors_;
  uint64_t budget_;
  ObjectTree objects_;
  std::vector<ObjectId> of_pickle_;  // by PickleId
  std::vector<PickleId> waiting_;    // have an id, but no content yet
  std::vector<std::string> notes_;
};

}  // namespace lanthorn
