#include "lanthorn/object.h"

namespace lanthorn {

ObjectId ObjectTree::find(ObjectId dict, std::string_view key) const {
  if (dict >= nodes.size() || nodes[dict].kind != Object::Kind::kDict) return kNoObject;
  const std::vector<ObjectId>& items = nodes[dict].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const Object& name = nodes[items[i]];
    if (name.kind == Object::Kind::kString && name.text == key) return items[i + 1];
  }
  return kNoObject;
}

}  // namespace lanthorn
