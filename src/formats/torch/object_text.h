#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// The name of an object's type without its module, as Python's type(x).__name__: "int",
/// "OrderedDict", "float64", "Config".
std::string object_type(const ObjectTree& tree, ObjectId id);
/// The whole name where it is no built-in type: "collections.OrderedDict", "zoo.Config"; else
/// empty.
std::string object_class(const ObjectTree& tree, ObjectId id);

/// The object on one line, as Python's repr prints it where that can be known; tensors as
/// "tensor(float32[3, 4])", objects of unknown classes as "Config(width=9, lr=0.001)". Cut with
/// "..." at about `limit` bytes.
std::string object_text(const ObjectTree& tree, ObjectId id, size_t limit = 200);

/// True where the text says all: numbers, strings, dates, paths, enum members; false for what has
/// parts that are listed on their own.
bool is_object_leaf(const ObjectTree& tree, ObjectId id);

struct ObjectEntry {
  std::string name;  // of the way to it, as tensors are named; empty for the root
  ObjectId id = kNoObject;
};
/// Every object that is no tensor, containers before what is in them. What torch.nn.Module keeps
/// for itself is left out where it is empty. kLimit as walk_objects.
Result<std::vector<ObjectEntry>> list_objects(const ObjectTree& tree);

/// A float as Python prints it: shortest, with ".0" or an exponent.
std::string python_float_text(double value);

}  // namespace lanthorn
