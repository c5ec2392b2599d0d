#include "formats/named_tensors.h"

namespace lanthorn {

Result<StateDict> make_state_dict(std::vector<NamedTensor> tensors) {
  StateDict state;
  for (NamedTensor& named : tensors) {
    LAN_OK(state.add(std::move(named.name), std::move(named.tensor)));
  }
  return state;
}

}  // namespace lanthorn
