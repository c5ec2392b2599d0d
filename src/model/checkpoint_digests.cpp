#include "codec/sha256.h"
#include "formats/torch/state_names.h"
#include "model/checkpoint_parts.h"

namespace lanthorn {

Status add_digests(ObjectTree& tree) {
  LAN_TRY(const StateDict tensors, name_tensors(tree));
  const ObjectId digests = tree.add_dict();
  for (const NamedTensor& entry : tensors.entries()) {
    if (!entry.tensor.storage() || entry.tensor.dtype() == DType::kString) continue;
    LAN_TRY(const Tensor straight, entry.tensor.contiguous());
    const ObjectId key = tree.add(PlainValue(entry.name));
    const ObjectId value = tree.add(PlainValue(sha256_hex(straight.bytes())));
    tree.nodes[digests].items.push_back(key);
    tree.nodes[digests].items.push_back(value);
  }
  tree.set(tree.root, "tensor_digests", digests);
  return ok();
}

}  // namespace lanthorn
