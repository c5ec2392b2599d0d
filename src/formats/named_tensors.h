#pragma once

#include <vector>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// A StateDict of these tensors, in their order. kCorrupt on a name that comes twice.
Result<StateDict> make_state_dict(std::vector<NamedTensor> tensors);

}  // namespace lanthorn
