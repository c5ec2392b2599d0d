#include "formats/torch/tar.h"

#include "codec/byte_reader.h"
#include "codec/tar.h"
#include "formats/torch/globals.h"
#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

constexpr size_t kMaxRank = 64;

using Member = TarMember;

Error corrupt(std::string message, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(offset)};
}

/// The files of a tar archive, in order.
Result<std::vector<Member>> list_members(std::span<const std::byte> bytes) {
  TarListing listing = list_tar(bytes);
  if (listing.error) return *std::move(listing.error);
  std::erase_if(listing.members, [](const Member& member) { return member.type != '0'; });
  return std::move(listing.members);
}

const Member* find(const std::vector<Member>& members, std::string_view name) {
  for (const Member& member : members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

/// Reads a member that is pickles and raw numbers in turn.
class MemberReader {
 public:
  MemberReader(const Member& member, const PickleLimits& limits, std::vector<PickleGlobal>& globals)
      : member_(member), limits_(limits), globals_(globals), reader_(member.bytes, member.offset) {}

  Result<PickleTree> pickle() {
    LAN_TRY(PickleTree tree,
            read_pickle(member_.bytes.subspan(reader_.position()), limits_, reader_.offset()));
    mark_harmless_uses(tree);
    globals_.insert(globals_.end(), tree.globals.begin(), tree.globals.end());
    LAN_OK(reader_.skip(tree.bytes_read));
    return tree;
  }
  Result<uint64_t> count() {
    LAN_TRY(const PickleTree tree, pickle());
    const PickleNode& root = tree[tree.root];
    if (root.kind != Kind::kInt || root.integer < 0 ||
        static_cast<uint64_t>(root.integer) > member_.bytes.size()) {
      return corrupt("the number of entries is no count", member_.offset);
    }
    return static_cast<uint64_t>(root.integer);
  }
  ByteReader& bytes() { return reader_; }

 private:
  const Member& member_;
  const PickleLimits& limits_;
  std::vector<PickleGlobal>& globals_;
  ByteReader reader_;
};

/// The keys of `names` in a tuple of a pickle, as text.
Result<std::string> key_text(const PickleTree& tree, PickleId id) {
  const PickleNode& node = tree[id];
  if (node.kind == Kind::kString) return node.text;
  if (node.kind == Kind::kInt) return std::to_string(node.integer);
  if (node.kind == Kind::kBigInt) return node.text;
  return corrupt("a key is neither a string nor a number", node.offset);
}

Result<const PickleNode*> tuple_of(const PickleTree& tree, size_t count) {
  const PickleNode& root = tree[tree.root];
  if (root.kind == Kind::kTuple && root.items.size() == count) return &root;
  return corrupt("an entry is not a tuple of " + std::to_string(count), root.offset);
}

Status read_storages(const Member& member, const PickleLimits& limits,
                     const std::shared_ptr<const void>& owner, TarFile& file) {
  MemberReader reader(member, limits, file.globals);
  LAN_TRY(const uint64_t count, reader.count());
  for (uint64_t i = 0; i < count; ++i) {
    LAN_TRY(const PickleTree entry, reader.pickle());
    LAN_TRY(const PickleNode* parts, tuple_of(entry, 3));
    LAN_TRY(std::string key, key_text(entry, parts->items[0]));
    const auto dtype = storage_dtype(entry[parts->items[2]].text);
    if (!dtype) return corrupt("the class of a storage is not known", reader.bytes().offset());
    LAN_TRY(const auto elements, reader.bytes().number<int64_t>());
    uint64_t size = 0;
    if (elements < 0 ||
        __builtin_mul_overflow(static_cast<uint64_t>(elements), dtype_bytes(*dtype), &size)) {
      return corrupt("the size of a storage is no count", reader.bytes().offset());
    }
    LAN_TRY(const auto content, reader.bytes().take(size));
    file.tensors.storages[std::move(key)] = {Storage::wrap(content, owner), 0, size, *dtype, false};
  }
  if (reader.bytes().at_end()) return ok();
  LAN_TRY(const PickleTree views, reader.pickle());
  for (const PickleId item : views[views.root].items) {
    const auto& parts = views[item].items;
    if (parts.size() != 4)
      return corrupt("a view of a storage is not a tuple of four", views[item].offset);
    LAN_TRY(std::string key, key_text(views, parts[0]));
    LAN_TRY(const std::string root_key, key_text(views, parts[1]));
    const auto root = file.tensors.storages.find(root_key);
    if (root == file.tensors.storages.end())
      return corrupt("a view is of no storage", views[item].offset);
    StorageView view = root->second;
    const uint64_t unit = dtype_bytes(view.dtype);
    const int64_t offset = views[parts[2]].integer, elements = views[parts[3]].integer;
    if (offset < 0 || elements < 0 || static_cast<uint64_t>(offset) > view.bytes / unit ||
        static_cast<uint64_t>(elements) > view.bytes / unit - static_cast<uint64_t>(offset)) {
      return corrupt("a view passes the end of its storage", views[item].offset);
    }
    view.offset += static_cast<uint64_t>(offset) * unit;
    view.bytes = static_cast<uint64_t>(elements) * unit;
    file.tensors.storages[std::move(key)] = std::move(view);
  }
  return ok();
}

Status read_tensors(const Member& member, const PickleLimits& limits, TarFile& file) {
  MemberReader reader(member, limits, file.globals);
  LAN_TRY(const uint64_t count, reader.count());
  for (uint64_t i = 0; i < count; ++i) {
    LAN_TRY(const PickleTree entry, reader.pickle());
    LAN_TRY(const PickleNode* parts, tuple_of(entry, 3));
    LAN_TRY(std::string key, key_text(entry, parts->items[0]));
    LAN_TRY(const std::string storage_key, key_text(entry, parts->items[1]));
    LAN_TRY(const auto rank, reader.bytes().number<int32_t>());
    LAN_OK(reader.bytes().skip(4));
    if (rank < 0 || static_cast<size_t>(rank) > kMaxRank) {
      return corrupt("a tensor has " + std::to_string(rank) + " dimensions",
                     reader.bytes().offset());
    }
    Shape shape(static_cast<size_t>(rank)), strides(static_cast<size_t>(rank));
    for (Shape* numbers : {&shape, &strides}) {
      for (int64_t& number : *numbers) {
        LAN_TRY(number, reader.bytes().number<int64_t>());
        if (number < 0)
          return corrupt("a size or stride of a tensor is negative", reader.bytes().offset());
      }
    }
    LAN_TRY(const auto offset, reader.bytes().number<int64_t>());
    const auto storage = file.tensors.storages.find(storage_key);
    if (storage == file.tensors.storages.end()) {
      return corrupt("the file has no storage '" + storage_key + "'", reader.bytes().offset());
    }
    const StorageView& view = storage->second;
    const uint64_t unit = dtype_bytes(view.dtype);
    if (offset < 0 || static_cast<uint64_t>(offset) > view.bytes / unit) {
      return corrupt("a tensor begins outside its storage", reader.bytes().offset());
    }
    auto tensor = Tensor::view(view.dtype, std::move(shape), std::move(strides),
                               view.offset + static_cast<uint64_t>(offset) * unit, view.storage);
    if (!tensor)
      return std::move(tensor).error().at("byte " + std::to_string(reader.bytes().offset()));
    file.tensors.tensors[std::move(key)] = *std::move(tensor);
  }
  return ok();
}

}  // namespace

Result<StorageView> TarTensors::find(const StorageId& id) {
  const auto found = storages.find(id.key);
  if (found != storages.end()) return found->second;
  return Error{ErrorCode::kCorrupt, "the file has no storage '" + id.key + "'"};
}

const Tensor* TarTensors::find_tensor(std::string_view key) const {
  const auto found = tensors.find(key);
  return found == tensors.end() ? nullptr : &found->second;
}

bool looks_like_torch_tar(std::span<const std::byte> bytes) {
  if (!looks_like_tar(bytes)) return false;
  const auto members = list_members(bytes);
  // A broken archive of that kind still begins with one of its members.
  if (!members) {
    const std::string_view name = as_text(bytes.first(100)), first = name.substr(0, name.find('\0'));
    return first == "sys_info" || first == "pickle" || first == "tensors" || first == "storages";
  }
  return find(*members, "pickle") != nullptr && find(*members, "storages") != nullptr;
}

Result<TarFile> read_torch_tar(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               const PickleLimits& limits) {
  LAN_TRY(const auto members, list_members(bytes));
  TarFile file;
  for (const std::string_view name : {"sys_info", "storages", "tensors", "pickle"}) {
    const Member* member = find(members, name);
    if (member == nullptr) {
      return Error{ErrorCode::kCorrupt,
                   "the tar archive has no member '" + std::string(name) + "'"};
    }
    Status status = ok();
    if (name == "storages") {
      status = read_storages(*member, limits, owner, file);
    } else if (name == "tensors") {
      status = read_tensors(*member, limits, file);
    } else {
      MemberReader reader(*member, limits, file.globals);
      auto tree = reader.pickle();
      if (!tree) return std::move(tree).error().at("member '" + std::string(name) + "'");
      if (name == "pickle") {
        file.object = *std::move(tree);
        file.pickle = member->bytes;
      }
    }
    if (!status) return std::move(status).error().at("member '" + std::string(name) + "'");
  }
  return file;
}

}  // namespace lanthorn
