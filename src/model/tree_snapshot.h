#pragma once

#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Puts copies of the bytes into the place of all tensors of a tree, so that who owns the bytes may
/// change them. Tensors that share memory share their copy. kOutOfMemory.
Status take_snapshot(ObjectTree& tree);

/// Whether two trees that were made from the same checkpoint hold the same: the same texts and
/// numbers, and tensors equal byte by byte. The first difference as kCorrupt, with its place.
Status same_contents(const ObjectTree& wanted, const ObjectTree& found);

}  // namespace lanthorn
