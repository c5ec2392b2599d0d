#include <algorithm>

#include "lanthorn/tensor.h"

namespace lanthorn {

Status StateDict::add(std::string name, Tensor tensor) {
  const auto less = [this](uint32_t index, std::string_view key) {
    return entries_[index].name < key;
  };
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), std::string_view(name), less);
  if (at != by_name_.end() && entries_[*at].name == name) {
    return Error{ErrorCode::kCorrupt, "there are two tensors of the name \"" + name + "\"", "", ""};
  }
  by_name_.insert(at, static_cast<uint32_t>(entries_.size()));
  entries_.push_back({std::move(name), std::move(tensor)});
  return ok();
}

const Tensor* StateDict::find(std::string_view name) const {
  const auto less = [this](uint32_t index, std::string_view key) {
    return entries_[index].name < key;
  };
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name, less);
  return at != by_name_.end() && entries_[*at].name == name ? &entries_[*at].tensor : nullptr;
}

}  // namespace lanthorn
