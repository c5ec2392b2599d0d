#pragma once

#include <optional>

#include "lanthorn/checkpoint.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// The optimizer's state_dict at a node; nothing where it has another shape or holds what
/// OptimizerState has no place for.
std::optional<OptimizerState> read_optimizer(const ObjectTree& tree, ObjectId id);
/// Adds an optimizer's state_dict to a tree.
ObjectId add_optimizer(const OptimizerState& state, ObjectTree& tree);

/// Sets "tensor_digests" at the top of a tree: the SHA-256 of every tensor, by its name in the
/// file.
Status add_digests(ObjectTree& tree);

}  // namespace lanthorn
