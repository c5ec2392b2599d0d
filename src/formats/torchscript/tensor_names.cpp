#include "formats/torchscript/tensor_names.h"

#include <string>
#include <unordered_set>

#include "script/quantized_tensor.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxVisits = 1'000'000;
constexpr int kMaxDepth = 100;

class Walker {
 public:
  Status visit(const script::Value& value, const std::string& path, int depth) {
    if (++visits_ > kMaxVisits || depth > kMaxDepth) {
      return Error{ErrorCode::kLimit,
                   "objects of the archive are nested or shared too much to be named",
                   path.substr(0, 200), ""};
    }
    if (const auto tensor = value.tensor()) {
      if (!tensor->root->loaded.defined()) return ok();
      if (tensor->root->attribute.empty()) tensor->root->attribute = path;
      if (names_.insert(path).second) LAN_OK(out_.add(path, tensor->root->loaded));
      return ok();
    }
    if (const script::Value* integers = script::is_quantized_tensor(value) ? value.object()->find("integers") : nullptr)
      return visit(*integers, path, depth + 1);
    const std::string prefix = path.empty() ? "" : path + ".";
    if (const auto object = value.object()) {
      for (const auto& [name, item] : object->attributes)
        LAN_OK(visit(item, prefix + name, depth + 1));
    } else if (const auto list = value.list()) {
      LAN_OK(items(list->items, prefix, depth));
    } else if (const auto tuple = value.tuple()) {
      LAN_OK(items(tuple->items, prefix, depth));
    } else if (const auto dict = value.dict()) {
      for (const auto& [key, item] : dict->entries) {
        const std::string name = key.text()      ? *key.text()
                                 : key.integer() ? key.integer()->text()
                                                 : "?";
        LAN_OK(visit(item, prefix + name, depth + 1));
      }
    }
    return ok();
  }
  StateDict take() { return std::move(out_); }

 private:
  Status items(const std::vector<script::Value>& items, const std::string& prefix, int depth) {
    for (size_t i = 0; i < items.size(); ++i) {
      const script::Value& item = items[i];
      if (item.integer() || item.real() || item.flag() || item.text()) continue;
      LAN_OK(visit(item, prefix + std::to_string(i), depth + 1));
    }
    return ok();
  }

  size_t visits_ = 0;
  StateDict out_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<StateDict> name_tensors_of(const script::Value& root) {
  Walker walker;
  LAN_OK(walker.visit(root, "", 0));
  return walker.take();
}

}  // namespace lanthorn
