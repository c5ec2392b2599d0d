#include "formats/torchscript/tensor_names.h"

#include "script/class_table.h"
#include "script/quantized_tensor.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxVisits = 1'000'000;
constexpr int kMaxDepth = 100;

/// The parts of a value that may hold tensors, with their names.
std::vector<std::pair<std::string, const script::Value*>> parts_of(const script::Value& value) {
  std::vector<std::pair<std::string, const script::Value*>> parts;
  const auto add_items = [&](const std::vector<script::Value>& items) {
    for (size_t i = 0; i < items.size(); ++i) {
      const script::Value& item = items[i];
      if (item.integer() || item.real() || item.flag() || item.text()) continue;
      parts.emplace_back(std::to_string(i), &item);
    }
  };
  if (const auto object = value.object()) {
    // A torchbind object has nothing but what its class would be given.
    const bool packed = object->type && object->type->kind == script::ClassType::Kind::kOpaque;
    for (const auto& [name, item] : object->attributes) {
      parts.emplace_back(packed && name == "__state__" ? "" : name, &item);
    }
  } else if (const auto list = value.list()) {
    add_items(list->items);
  } else if (const auto tuple = value.tuple()) {
    add_items(tuple->items);
  } else if (const auto dict = value.dict()) {
    for (const auto& [key, item] : dict->entries) {
      parts.emplace_back(key.text()      ? *key.text()
                         : key.integer() ? key.integer()->text()
                                         : "?",
                         &item);
    }
  }
  return parts;
}

}  // namespace

Status TensorNames::add(const script::Value& value, const std::string& path,
                        const RootQuantizers& quantizers) {
  return visit(value, path, quantizers, 0);
}

Status TensorNames::visit(const script::Value& value, const std::string& path,
                          const RootQuantizers& quantizers, int depth) {
  if (++visits_ > kMaxVisits || depth > kMaxDepth) {
    return Error{ErrorCode::kLimit,
                 "objects of the archive are nested or shared too much to be named",
                 path.substr(0, 200), ""};
  }
  if (const auto tensor = value.tensor()) {
    if (!tensor->root->loaded.defined()) return ok();
    if (tensor->root->attribute.empty()) tensor->root->attribute = path;
    if (!names_.insert(path).second) return ok();
    const auto quantizer = quantizers.find(tensor->root.get());
    if (quantizer != quantizers.end()) out_.quantizers.emplace(path, quantizer->second);
    return out_.tensors.add(path, tensor->root->loaded);
  }
  if (const script::Value* integers = script::is_quantized_tensor(value) ? value.object()->find("integers") : nullptr) {
    return visit(*integers, path, quantizers, depth + 1);
  }
  for (const auto& [name, part] : parts_of(value)) {
    const std::string dot = path.empty() || name.empty() ? "" : ".";
    LAN_OK(visit(*part, path + dot + name, quantizers, depth + 1));
  }
  return ok();
}

}  // namespace lanthorn
