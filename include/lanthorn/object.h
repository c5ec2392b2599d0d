#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// A node of an ObjectTree, by position; the tree owns all of them.
using ObjectId = uint32_t;
constexpr ObjectId kNoObject = UINT32_MAX;

/// One node of what a checkpoint holds. Nothing in it was executed: a class that is not plain data
/// is an instance that keeps its name, arguments and state.
struct Object {
  enum class Kind : uint8_t {
    kNone, kBool, kInt, kBigInt, kFloat, kComplex, kString, kBytes,
    kList, kTuple, kSet, kFrozenSet, kDict, kTensor, kSize, kDevice, kDType, kGlobal, kInstance,
  };
  Kind kind = Kind::kNone;
  bool flag = false;              // kBool; kBytes: it is a bytearray
  int64_t integer = 0;            // kInt
  double real = 0, imaginary = 0; // kFloat, kComplex
  std::string text;               // string, bytes, decimal digits of kBigInt, "module.name" of
                                  // kGlobal and kInstance, name of kDevice and kDType;
                                  // the class of a kDict, kTensor, number that is no plain one
  std::vector<ObjectId> items;    // elements; for kDict and dict items of instances: key, value, ...
  ObjectId arguments = kNoObject; // kInstance: what the constructor would have got (a tuple);
                                  // kTensor: (scheme, scale, zero point[, axis]) of a quantized one,
                                  // indices, values and sizes of a sparse one
  ObjectId state = kNoObject;     // kInstance, subclasses: what BUILD would have set
  Tensor tensor;                  // kTensor
  bool requires_grad = false;     // kTensor
};

/// A plain value of Python: None, bool, int, float or str.
using PlainValue = std::variant<std::monostate, bool, int64_t, double, std::string>;
using PlainEntry = std::pair<std::string, PlainValue>;

/// A tree (it may share nodes and have cycles) of plain data with tensors as leaves.
struct ObjectTree {
  std::deque<Object> nodes;
  ObjectId root = kNoObject;

  /// A tree whose root is a dict of plain values: {{"lr", 0.1}, {"name", "tiny"}}.
  static ObjectTree dict_of(std::span<const PlainEntry> entries);

  const Object& operator[](ObjectId id) const { return nodes[id]; }
  bool empty() const { return root == kNoObject; }
  /// The value of a string key of a dict; kNoObject if there is none, or for no dict.
  ObjectId find(ObjectId dict, std::string_view key) const;
  /// The value of an integer key.
  ObjectId find(ObjectId dict, int64_t key) const;
  /// The plain value of a node; monostate (None) for what is none.
  PlainValue plain(ObjectId id) const;

  // Making trees. Each appends a node and gives its id; the root is set by the caller.
  ObjectId add(Object node);
  ObjectId add(const PlainValue& value);
  ObjectId add_tensor(Tensor tensor);
  ObjectId add_list(std::vector<ObjectId> items, Object::Kind kind = Object::Kind::kList);
  /// An empty dict of a class: "" for Python's own, "collections.OrderedDict".
  ObjectId add_dict(std::string class_name = "");
  /// Sets a string or integer key of a dict; one that is there gets the new value in its place.
  void set(ObjectId dict, std::string_view key, ObjectId value);
  void set(ObjectId dict, int64_t key, ObjectId value);
  /// Copies what can be reached from a node of another tree; what is shared there is shared here.
  ObjectId graft(const ObjectTree& from, ObjectId id);
};

}  // namespace lanthorn
