#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Is told of every object that can be reached, containers before what is in them.
class ObjectVisitor {
 public:
  virtual ~ObjectVisitor() = default;
  /// `name`: keys, indices and attribute names on the way from the root, joined by "."; empty for
  /// the root. False: what is in the object is not wanted.
  virtual Result<bool> visit(const std::string& name, ObjectId id) = 0;
};

/// Walks a tree in order. A module's parameters, buffers and children have their own names, as in
/// its state_dict. An object that is reached in two ways is visited twice; a cycle ends where it
/// closes. kLimit where there are more ways than a file can mean.
Status walk_objects(const ObjectTree& tree, ObjectId root, ObjectVisitor& visitor);

/// True for the state of a torch.nn.Module: it has dicts of _parameters, _buffers and _modules.
bool is_module_state(const ObjectTree& tree, ObjectId state);

/// A key of a dict as a name has it: text, 0, True, (1, a).
std::string object_key_text(const ObjectTree& tree, ObjectId id);

/// The path that the parts of a pathlib object make, as str() gives it: "/runs/3".
std::string path_text(const ObjectTree& tree, const std::vector<ObjectId>& parts);

}  // namespace lanthorn
