#pragma once

#include <string>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// A tensor of a tree under the name of the way to it.
struct TensorName {
  std::string name;
  ObjectId id = kNoObject;
};

/// All tensors below `root`, named by keys, indices and attribute names joined by ".". A module's
/// parameters, buffers and children have their own names, as in its state_dict. An empty name is
/// "tensor"; a name that is taken gets "#2", "#3", ... A tensor that is reached in two ways has two
/// names. kLimit where there are more than a file can mean.
Result<std::vector<TensorName>> list_tensors(const ObjectTree& tree, ObjectId root);
/// The same as a state_dict.
Result<StateDict> name_tensors(const ObjectTree& tree, ObjectId root);
/// Of the whole tree.
Result<StateDict> name_tensors(const ObjectTree& tree);

}  // namespace lanthorn
