#include "formats/torch/storage_source.h"

#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

Error corrupt(const PickleNode& node, std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(node.offset)};
}

Result<uint64_t> size_of(const PickleNode& node, DType dtype) {
  if (node.kind != Kind::kInt || node.integer < 0) {
    return corrupt(node, "the size of a storage is no count");
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(node.integer), dtype_bytes(dtype), &bytes) ||
      bytes > INT64_MAX) {
    return corrupt(node, "a storage of " + std::to_string(node.integer) + " elements is too large");
  }
  return bytes;
}

}  // namespace

Result<StorageId> read_storage_id(const PickleTree& tree, PickleId id) {
  const PickleNode& node = tree[id];
  const auto& parts = node.items;
  if (node.kind != Kind::kTuple || parts.size() < 5 || tree[parts[0]].kind != Kind::kString ||
      tree[parts[0]].text != "storage") {
    return corrupt(node, "a persistent id is not that of a storage");
  }
  const PickleNode& type = tree[parts[1]];
  if (type.kind != Kind::kGlobal) return corrupt(type, "the class of a storage is no class");
  const auto dtype = storage_dtype(type.text);
  if (!dtype) return corrupt(type, "'" + type.text + "' is no class of storages that is known");
  StorageId storage;
  storage.dtype = *dtype;
  const PickleNode& key = tree[parts[2]];
  if (key.kind == Kind::kString) {
    storage.key = key.text;
  } else if (key.kind == Kind::kInt) {
    storage.key = std::to_string(key.integer);
  } else {
    return corrupt(key, "the key of a storage is no string");
  }
  if (tree[parts[3]].kind == Kind::kString) storage.location = tree[parts[3]].text;
  LAN_TRY(storage.bytes, size_of(tree[parts[4]], *dtype));
  if (parts.size() < 6 || tree[parts[5]].kind == Kind::kNone) return storage;
  const PickleNode& view = tree[parts[5]];
  if (view.kind != Kind::kTuple || view.items.size() != 3) {
    return corrupt(view, "the view of a storage is not a tuple of three");
  }
  const PickleNode& view_key = tree[view.items[0]];
  storage.view_key = view_key.kind == Kind::kInt ? std::to_string(view_key.integer) : view_key.text;
  LAN_TRY(storage.view_offset, size_of(tree[view.items[1]], *dtype));
  LAN_TRY(storage.view_bytes, size_of(tree[view.items[2]], *dtype));
  storage.is_view = true;
  return storage;
}

}  // namespace lanthorn
