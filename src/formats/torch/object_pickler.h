#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/pickle_writer.h"
#include "formats/torch/storage_table.h"
#include "formats/torch/write.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Pickles a tree as torch.save does: protocol 2, the storages of tensors as persistent ids. The tree
/// must be plain (plain_tree.h); what no `weights_only` loader takes is kUnsupported.
class ObjectPickler {
 public:
  ObjectPickler(const ObjectTree& tree, StorageTable& storages, TorchForm form)
      : tree_(tree), storages_(storages), form_(form), memo_(tree.nodes.size(), kNoMemo) {}

  /// The pickle of the whole tree. kLimit where it is nested too deep.
  Result<std::string> pickle();

 private:
  static constexpr uint32_t kNoMemo = UINT32_MAX;

  Status save(ObjectId id);
  Status save_new(ObjectId id);
  Status save_list(ObjectId id);
  Status save_tuple(ObjectId id);
  Status save_dict(ObjectId id);
  Status save_set(ObjectId id);
  Status save_items(const std::vector<ObjectId>& items);
  Status save_entries(const std::vector<ObjectId>& entries, bool of_plain_dict);
  Status save_entry(const std::vector<ObjectId>& entries, size_t index);
  void save_bytes(ObjectId id);
  void save_device(ObjectId id);
  Status save_size(ObjectId id);
  Status save_tensor(ObjectId id);
  Status save_strided(const Object& object);
  Status save_quantized(const Object& object);
  Status save_sparse(const Object& object);
  void save_storage(const StorageTable::Place& place);
  void save_sizes(const Shape& sizes);
  void save_hooks();
  void save_name(std::string_view dotted);
  void remember(ObjectId id) { memo_[id] = writer_.put(); }

  const ObjectTree& tree_;
  StorageTable& storages_;
  TorchForm form_;
  PickleWriter writer_;
  std::vector<uint32_t> memo_;          // by ObjectId
  std::vector<uint32_t> storage_keys_;  // the memo of each record's key
  int depth_ = 0;
};

/// The key of a storage record: "0", "1", ...
inline std::string storage_key(size_t record) { return std::to_string(record); }

}  // namespace lanthorn
