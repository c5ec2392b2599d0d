#include "model/tree_snapshot.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "formats/torch/object_text.h"
#include "formats/torch/state_names.h"
#include "tensor/extent.h"

namespace lanthorn {
namespace {

/// The part of a storage that tensors look at.
struct Part {
  uint64_t begin = UINT64_MAX, end = 0;
  std::shared_ptr<Storage> copy;
};

bool holds_bytes(const Object& object) {
  return object.kind == Object::Kind::kTensor && object.tensor.defined() &&
         object.tensor.storage() && object.tensor.dtype() != DType::kString &&
         object.tensor.count() > 0;
}

Status differs(std::string message, const std::string& name) {
  return Error{ErrorCode::kCorrupt, std::move(message), name, ""};
}

}  // namespace

Status take_snapshot(ObjectTree& tree) {
  std::unordered_map<const Storage*, Part> parts;
  for (const Object& object : tree.nodes) {
    if (!holds_bytes(object)) continue;
    Part& part = parts[object.tensor.storage().get()];
    const auto [begin, end] = byte_extent(object.tensor);
    part.begin = std::min(part.begin, begin);
    part.end = std::max(part.end, end);
  }
  for (Object& object : tree.nodes) {
    if (!holds_bytes(object)) continue;
    const Tensor& tensor = object.tensor;
    Part& part = parts[tensor.storage().get()];
    if (!part.copy) {
      LAN_TRY(part.copy, Storage::allocate(part.end - part.begin));
      std::memcpy(part.copy->mutable_bytes().data(), tensor.storage()->bytes().data() + part.begin,
                  part.end - part.begin);
    }
    LAN_TRY(object.tensor, Tensor::view(tensor.dtype(), tensor.shape(), tensor.strides(),
                                        tensor.offset_bytes() - part.begin, part.copy));
  }
  return ok();
}

Status same_contents(const ObjectTree& wanted, const ObjectTree& found) {
  LAN_TRY(const StateDict in_wanted, name_tensors(wanted));
  LAN_TRY(const StateDict in_found, name_tensors(found));
  for (const NamedTensor& entry : in_wanted.entries()) {
    const Tensor* const tensor = in_found.find(entry.name);
    if (!tensor || tensor->dtype() != entry.tensor.dtype() ||
        tensor->shape() != entry.tensor.shape()) {
      return differs("the tensor was not written as it is", entry.name);
    }
    if (entry.tensor.count() == 0 || !entry.tensor.storage()) continue;
    LAN_TRY(const Tensor a, entry.tensor.contiguous());
    LAN_TRY(const Tensor b, tensor->contiguous());
    if (!std::ranges::equal(a.bytes(), b.bytes())) {
      return differs("the tensor's numbers are others on the disk", entry.name);
    }
  }
  LAN_TRY(const std::vector<ObjectEntry> objects, list_objects(wanted));
  LAN_TRY(const std::vector<ObjectEntry> others, list_objects(found));
  const size_t shared = std::min(objects.size(), others.size());
  constexpr size_t kMostBytes = 1 << 20;
  for (size_t i = 0; i < shared; ++i) {
    const bool leaf = is_object_leaf(wanted, objects[i].id);
    if (objects[i].name != others[i].name || leaf != is_object_leaf(found, others[i].id) ||
        (leaf && object_text(wanted, objects[i].id, kMostBytes) !=
                     object_text(found, others[i].id, kMostBytes))) {
      return differs("the value is another on the disk", objects[i].name);
    }
  }
  if (objects.size() != others.size()) return differs("values are missing on the disk", "");
  return ok();
}

}  // namespace lanthorn
