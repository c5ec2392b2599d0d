#include "formats/named_tensors.h"

#include <algorithm>

namespace lanthorn {

Result<StateDict> make_state_dict(std::vector<NamedTensor> tensors) {
  constexpr size_t kMany = 50'000;
  if (tensors.size() > kMany) {
    std::sort(tensors.begin(), tensors.end(),
              [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
  }
  StateDict state;
  for (NamedTensor& named : tensors) {
    LAN_OK(state.add(std::move(named.name), std::move(named.tensor)));
  }
  return state;
}

}  // namespace lanthorn
