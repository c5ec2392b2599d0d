#include "formats/torch/legacy.h"

#include <algorithm>

#include "codec/byte_reader.h"
#include "formats/torch/globals.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr int64_t kProtocol = 1001;
constexpr int kMaxNesting = 4;

Error corrupt(std::string message, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(offset)};
}

/// Reads one pickle and moves behind it.
Result<PickleTree> next_pickle(std::span<const std::byte> bytes, uint64_t& position,
                               const PickleLimits& limits, std::string_view what) {
  auto tree = read_pickle(bytes.subspan(position), limits, position);
  if (!tree) return std::move(tree).error().at(what);
  position += tree->bytes_read;
  mark_harmless_uses(*tree);
  return tree;
}

/// The ids of all storages that the object names, by key.
Result<std::map<std::string, StorageId>> list_storages(const PickleTree& tree) {
  std::map<std::string, StorageId> ids;
  for (const PickleNode& node : tree.nodes) {
    if (node.kind != Kind::kPersistent) continue;
    const PickleNode& parts = tree[node.items[0]];
    const bool module = parts.kind == Kind::kTuple && !parts.items.empty() &&
                        tree[parts.items[0]].kind == Kind::kString &&
                        tree[parts.items[0]].text == "module";
    if (module) continue;
    LAN_TRY(StorageId id, read_storage_id(tree, node.items[0]));
    const auto [known, added] = ids.emplace(id.key, id);
    if (!added && (known->second.bytes != id.bytes || known->second.dtype != id.dtype)) {
      return corrupt("storage '" + id.key + "' has two sizes or types", node.offset);
    }
  }
  return ids;
}

}  // namespace

PickleLimits pickle_limits(const ReadLimits& limits) {
  PickleLimits pickle;
  pickle.max_bytes = limits.max_memory_bytes / 8 * 5;
  return pickle;
}

bool looks_like_legacy(std::span<const std::byte> bytes) {
  const auto start = bytes.first(std::min<size_t>(bytes.size(), 64));
  const auto tree = read_pickle(start, {.max_nodes = 16, .max_bytes = 1 << 16});
  return tree && (*tree)[tree->root].kind == Kind::kBigInt && (*tree)[tree->root].text == kMagic;
}

Result<StorageView> StreamStorages::find(const StorageId& id) {
  const auto root = known_.find(id.key);
  if (root == known_.end()) {
    return Error{ErrorCode::kCorrupt, "the file has no storage '" + id.key + "'"};
  }
  StorageView view = root->second;
  view.dtype = id.dtype;
  if (!id.is_view) return view;
  if (id.view_offset > view.bytes || id.view_bytes > view.bytes - id.view_offset) {
    return Error{ErrorCode::kCorrupt, "a view of storage '" + id.key + "' passes its end"};
  }
  view.offset += id.view_offset;
  view.bytes = id.view_bytes;
  return view;
}

Status StreamStorages::add(std::string key, StorageView view) {
  std::string place = "storage '" + key + "'";
  if (known_.emplace(std::move(key), std::move(view)).second) return ok();
  return Error{ErrorCode::kCorrupt, "the file has a storage twice", std::move(place)};
}

Result<LegacyFile> read_legacy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               const PickleLimits& limits) {
  LegacyFile file;
  uint64_t position = 0;
  const auto keep_globals = [&](const PickleTree& tree) {
    file.globals.insert(file.globals.end(), tree.globals.begin(), tree.globals.end());
  };
  LAN_TRY(const PickleTree magic, next_pickle(bytes, position, limits, "magic number"));
  if (magic[magic.root].kind != Kind::kBigInt || magic[magic.root].text != kMagic) {
    return corrupt("the stream does not begin with PyTorch's magic number", 0);
  }
  keep_globals(magic);
  const uint64_t version_offset = position;
  LAN_TRY(const PickleTree version, next_pickle(bytes, position, limits, "version"));
  if (version[version.root].kind != Kind::kInt)
    return corrupt("the version is no number", version_offset);
  if (version[version.root].integer != kProtocol) {
    return Error{ErrorCode::kUnsupported, "the stream has version " +
                                              std::to_string(version[version.root].integer) +
                                              "; only " + std::to_string(kProtocol) + " is known"};
  }
  keep_globals(version);
  LAN_TRY(const PickleTree machine,
          next_pickle(bytes, position, limits, "description of the machine"));
  keep_globals(machine);
  file.object_offset = position;
  LAN_TRY(file.object, next_pickle(bytes, position, limits, "object"));
  keep_globals(file.object);
  const uint64_t keys_offset = position;
  LAN_TRY(const PickleTree keys, next_pickle(bytes, position, limits, "storage keys"));
  keep_globals(keys);
  const PickleNode& list = keys[keys.root];
  if (list.kind != Kind::kList) return corrupt("the keys of the storages are no list", keys_offset);
  LAN_TRY(const auto ids, list_storages(file.object));
  ByteReader reader(bytes.subspan(position), position);
  for (const PickleId item : list.items) {
    const PickleNode& key = keys[item];
    const std::string name = key.kind == Kind::kInt ? std::to_string(key.integer) : key.text;
    const auto id = ids.find(name);
    if (id == ids.end())
      return corrupt("storage '" + name + "' belongs to no tensor", reader.offset());
    LAN_TRY(const auto count, reader.number<int64_t>());
    const size_t unit = dtype_bytes(id->second.dtype);
    if (count < 0 || id->second.bytes / unit != static_cast<uint64_t>(count)) {
      return corrupt("storage '" + name + "' has " + std::to_string(count) +
                         " elements in place of " + std::to_string(id->second.bytes / unit),
                     reader.offset() - 8);
    }
    auto content = reader.take(id->second.bytes);
    if (!content)
      return std::move(content)
          .error()
          .at("storage '" + name + "'")
          .advise("The file is probably cut short; fetch it again.");
    LAN_OK(file.storages.add(
        name, {Storage::wrap(*content, owner), 0, content->size(), id->second.dtype, false}));
  }
  file.bytes_read = reader.offset();
  return file;
}

Result<StorageView> read_nested_storage(std::span<const std::byte> bytes,
                                        std::shared_ptr<const void> owner, int depth,
                                        uint64_t budget) {
  if (depth > kMaxNesting) return corrupt("files are nested in each other too deep", 0);
  PickleLimits limits;
  limits.max_bytes = std::min<uint64_t>(limits.max_bytes, budget);
  LAN_TRY(LegacyFile file, read_legacy(bytes, std::move(owner), limits));
  const PickleNode& root = file.object[file.object.root];
  if (root.kind != Kind::kPersistent)
    return corrupt("the nested file holds no storage", file.object_offset);
  LAN_TRY(const StorageId id, read_storage_id(file.object, root.items[0]));
  return file.storages.find(id);
}

}  // namespace lanthorn
