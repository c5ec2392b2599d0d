#pragma once

#include <memory>

#include "ops/ml_trees_shared.h"
#include "ops/op.h"

namespace lanthorn {

/// The trees of any of the three operators, read from the node's attributes.
Result<std::shared_ptr<const Trees>> trees_of(const Node& node);
/// Those that a plan prepared, else read now.
Result<std::shared_ptr<const Trees>> prepared_trees(const RunContext& c);

}  // namespace lanthorn
