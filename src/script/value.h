#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/dim.h"
#include "graph/graph.h"
#include "lanthorn/tensor.h"

namespace lanthorn::script {

struct SymTensor;
struct List;
struct Tuple;
struct Dict;
struct Object;
class ClassType;
struct Function;
class Lowering;
class Args;

using TensorRef = std::shared_ptr<SymTensor>;

struct None {
  friend bool operator==(None, None) { return true; }
};
struct Device {
  std::string name;  // "cpu", "cuda:0": kept, never obeyed
};
/// What an unsupported operator would have given: evaluation goes on with it only to find the rest.
struct Unknown {};
/// A function of the archive's code as a value (`_0 = __torch__.torch.nn.functional.relu`), or a
/// method bound to its object.
struct Callable {
  std::shared_ptr<const Function> function;
  std::shared_ptr<Object> self;  // of a bound method
};

/// A value of a running program. Numbers, strings, lists, dicts, objects are known; an int is a
/// Dim, so that sizes stay symbolic; tensors are symbolic. Lists, dicts and objects are shared and
/// mutable as in Python.
class Value {
 public:
  Value() = default;
  Value(None) {}                                              // NOLINT(google-explicit-constructor)
  Value(Dim number) : state_(std::move(number)) {}            // NOLINT(google-explicit-constructor)
  Value(TensorRef tensor) : state_(std::move(tensor)) {}      // NOLINT(google-explicit-constructor)
  Value(std::string text) : state_(std::move(text)) {}        // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<List> v) : state_(std::move(v)) {}    // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<Tuple> v) : state_(std::move(v)) {}   // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<Dict> v) : state_(std::move(v)) {}    // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<Object> v) : state_(std::move(v)) {}  // NOLINT(google-explicit-constructor)
  Value(Device v) : state_(std::move(v)) {}                   // NOLINT(google-explicit-constructor)
  Value(Callable v) : state_(std::move(v)) {}                 // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<const ClassType> v)  // NOLINT(google-explicit-constructor)
      : state_(std::move(v)) {}
  Value(Unknown v) : state_(v) {}  // NOLINT(google-explicit-constructor)
  static Value of_bool(bool v) {
    Value r;
    r.state_ = v;
    return r;
  }
  static Value of_double(double v) {
    Value r;
    r.state_ = v;
    return r;
  }
  static Value of_complex(std::complex<double> v) {
    Value r;
    r.state_ = v;
    return r;
  }

  bool is_none() const { return std::holds_alternative<None>(state_); }
  const bool* flag() const { return std::get_if<bool>(&state_); }
  const Dim* integer() const { return std::get_if<Dim>(&state_); }
  const double* real() const { return std::get_if<double>(&state_); }
  const std::complex<double>* complex() const { return std::get_if<std::complex<double>>(&state_); }
  const std::string* text() const { return std::get_if<std::string>(&state_); }
  TensorRef tensor() const;            // null if it is none
  std::shared_ptr<List> list() const;  // null if it is none, as below
  std::shared_ptr<Tuple> tuple() const;
  std::shared_ptr<Dict> dict() const;
  std::shared_ptr<Object> object() const;
  const Device* device() const { return std::get_if<Device>(&state_); }
  const Callable* callable() const { return std::get_if<Callable>(&state_); }
  std::shared_ptr<const ClassType> class_type() const;
  bool is_unknown() const { return std::holds_alternative<Unknown>(state_); }

 private:
  std::variant<None, bool, Dim, double, std::complex<double>, std::string, TensorRef,
               std::shared_ptr<List>, std::shared_ptr<Tuple>, std::shared_ptr<Dict>,
               std::shared_ptr<Object>, Device, Callable, std::shared_ptr<const ClassType>, Unknown>
      state_;
};

struct List {
  std::vector<Value> items;
  std::string element_type;  // "int", "Tensor", ...: decides overloads of empty lists; may be empty
};
struct Tuple {
  std::vector<Value> items;
  std::vector<std::string> names;  // of a NamedTuple
};
struct Dict {
  std::vector<std::pair<Value, Value>> entries;  // in order of insertion
  std::string key_type, value_type;              // may be empty
};
/// An instance of a class of the archive: module, plain class, enum member, or an opaque torchbind
/// object.
struct Object {
  std::shared_ptr<const ClassType> type;
  std::vector<std::pair<std::string, Value>> attributes;
  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};

/// How a view is made from its base; each step can be undone for writing through it.
struct ViewStep {
  enum class Kind : uint8_t { kPermute, kReshape, kSlice, kSelect, kExpand };
  Kind kind = Kind::kReshape;
  std::vector<int64_t> permutation;  // kPermute
  Dims dims;         // kReshape, kExpand: the new dims (squeeze, unsqueeze, view, flatten)
  int64_t axis = 0;  // kSlice, kSelect
  Dim start, end, step = Dim(1);  // kSlice: clamped, start <= end; kSelect: start, not negative
};

/// Memory that tensors of a program share. A write replaces `current` and advances `version`.
struct StorageRoot {
  ValueId current = kNoValue;
  Tensor loaded;  // of a loaded program: becomes a constant of the graph when first read
  uint64_t version = 0;
  std::string attribute;  // path of the parameter or buffer it came from: "conv1.weight"
};

/// A tensor of a running program: the value of its storage, or a view made from another tensor by
/// one step. `dtype` and `dims` are its own. Made by Lowering only.
struct SymTensor {
  std::shared_ptr<StorageRoot> root;
  TensorRef base;  // of a view; null for one that is all of its storage
  ViewStep step;   // how the view is made from `base`
  DType dtype = DType::kF32;
  Dims dims;
  bool wrapped_number = false;  // a Python scalar, or a 0-dim CONSTANTS.cN: weak in promotion
  uint64_t cached_version = 0;
  ValueId cached = kNoValue;  // the view's value at cached_version
};

/// What kind of value it is, as TorchScript names types: "Tensor", "int", "List[int]", ...
std::string kind_of(const Value& value);
Value make_list(std::vector<Value> items, std::string element_type = "");
Value make_tuple(std::vector<Value> items);
Value make_ints(std::span<const Dim> dims);
/// Whether two known values are equal, as Python's ==; nothing where a tensor or a symbolic size
/// would have to be compared.
std::optional<bool> equal_values(const Value& a, const Value& b);

}  // namespace lanthorn::script
