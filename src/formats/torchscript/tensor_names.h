#pragma once

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"
#include "script/value.h"

namespace lanthorn {

/// Names every tensor below `root` by its dotted path, "layer1.0.conv1.weight", as a state_dict
/// does: parameters, buffers and other attributes, those in lists by index, in dicts by key. The
/// first path of a storage becomes its name in the program. kLimit for objects that are shared or
/// nested without end.
Result<StateDict> name_tensors_of(const script::Value& root);

}  // namespace lanthorn
