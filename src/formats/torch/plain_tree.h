#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

struct PlainTree {
  ObjectTree tree;
  uint64_t tensors = 0;
  std::vector<std::string> notes;  // what was changed, for people
};

/// The tree as plain data that `torch.load(weights_only=True)` takes: dicts, lists, numbers, text and
/// tensors stay as they are. A module becomes its state_dict (persistent buffers only), another
/// object a dict of its attributes or what it was made of, an array of NumPy a tensor. Calls that
/// would run code are dropped; the tensors that they were given stay. kLimit where it is nested too deep.
Result<PlainTree> make_plain(const ObjectTree& tree);

}  // namespace lanthorn
