#include <algorithm>
#include <bit>

#include "lanthorn/tensor.h"

namespace lanthorn {

// by_name_ is a row of sorted runs, one for each bit of its size, the longest first: 13 names are
// runs of 8, 4 and 1. A new name is a run of 1; equal runs are merged as bits carry. That keeps
// adding and finding cheap whatever the names are, and needs no hash that a file could aim at.

Status StateDict::add(std::string name, Tensor tensor) {
  if (find(name)) {
    return Error{ErrorCode::kCorrupt, "there are two tensors of the name \"" + name + "\"", "", ""};
  }
  entries_.push_back({std::move(name), std::move(tensor)});
  by_name_.push_back(static_cast<uint32_t>(entries_.size() - 1));
  const auto less = [this](uint32_t a, uint32_t b) { return entries_[a].name < entries_[b].name; };
  for (size_t run = 1; (by_name_.size() & run) == 0; run *= 2) {
    const auto end = by_name_.end();
    const auto length = static_cast<ptrdiff_t>(run);
    std::inplace_merge(end - 2 * length, end - length, end, less);
  }
  return ok();
}

const Tensor* StateDict::find(std::string_view name) const {
  const auto less = [this](uint32_t index, std::string_view key) {
    return entries_[index].name < key;
  };
  auto begin = by_name_.begin();
  for (size_t left = by_name_.size(); left > 0;) {
    const size_t run = std::bit_floor(left);
    const auto end = begin + static_cast<ptrdiff_t>(run);
    const auto at = std::lower_bound(begin, end, name, less);
    if (at != end && entries_[*at].name == name) return &entries_[*at].tensor;
    begin = end;
    left -= run;
  }
  return nullptr;
}

}  // namespace lanthorn
