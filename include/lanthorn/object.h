#pragma once

#include <cstdint>
#include <deque>
#include <string>
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
  bool flag = false;              // kBool
  int64_t integer = 0;            // kInt
  double real = 0, imaginary = 0; // kFloat, kComplex
  std::string text;               // string, bytes, decimal digits of kBigInt, "module.name" of
                                  // kGlobal and kInstance, name of kDevice and kDType;
                                  // the class of a kDict or kTensor that is not a plain one
  std::vector<ObjectId> items;    // elements; for kDict and dict items of instances: key, value, ...
  ObjectId arguments = kNoObject; // kInstance: what the constructor would have got (a tuple);
                                  // kTensor: (scheme, scale, zero point[, axis]) of a quantized one,
                                  // indices, values and sizes of a sparse one
  ObjectId state = kNoObject;     // kInstance, subclasses: what BUILD would have set
  Tensor tensor;                  // kTensor
  bool requires_grad = false;     // kTensor
};

/// A tree (it may share nodes and have cycles) of plain data with tensors as leaves.
struct ObjectTree {
  std::deque<Object> nodes;
  ObjectId root = kNoObject;

  const Object& operator[](ObjectId id) const { return nodes[id]; }
  /// The value of a string key of a dict; kNoObject if there is none.
  ObjectId find(ObjectId dict, std::string_view key) const;
};

}  // namespace lanthorn
