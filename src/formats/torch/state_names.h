#pragma once

#include <string>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// All tensors of a tree under the names of the way to them: keys, indices and attribute names
/// joined by ".". A module's parameters, buffers and children have their own names, as in its
/// state_dict. An empty name is "tensor"; a name that is taken gets "#2", "#3", ... A tensor that
/// is reached in two ways has two names. kLimit where there are more than a file can mean.
Result<StateDict> name_tensors(const ObjectTree& tree);
/// The same for a part of the tree, as if `root` were all of it.
Result<StateDict> name_tensors(const ObjectTree& tree, ObjectId root);

}  // namespace lanthorn
