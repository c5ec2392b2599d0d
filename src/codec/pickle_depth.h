#pragma once

#include <cstdint>

#include "codec/pickle.h"

namespace lanthorn {

/// How deep the tree nests, cycles aside: the longest way from the root down. Stops early with a
/// larger number where it exceeds `limit`. Uses no recursion, since the depth is not trusted.
uint32_t pickle_depth(const PickleTree& tree, uint32_t limit);

}  // namespace lanthorn
