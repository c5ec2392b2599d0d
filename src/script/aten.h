#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"
#include "script/value.h"

namespace lanthorn::script {

class Lowering;

/// The arguments of one call, matched to a schema: in its order, defaults filled in, converted
/// (an int to a float or to a list where the schema says so). Positions are the schema's.
class Args {
 public:
  Args(std::vector<Value> values)  // NOLINT(google-explicit-constructor)
      : values_(std::move(values)) {}
  size_t size() const { return values_.size(); }
  const Value& operator[](size_t i) const { return values_[i]; }
  bool is_none(size_t i) const { return values_[i].is_none(); }
  /// These ask for what the schema promised (checked).
  TensorRef tensor(size_t i) const;
  TensorRef optional_tensor(size_t i) const;  // null for None
  const Dim& integer(size_t i) const;
  double real(size_t i) const;
  bool flag(size_t i) const;
  const std::string& text(size_t i) const;
  std::vector<TensorRef> tensors(size_t i) const;           // Tensor[]
  std::vector<TensorRef> optional_tensors(size_t i) const;  // Tensor?[]: null for None
  Dims ints(size_t i) const;                                // int[] and SymInt[]
  std::optional<Dims> optional_ints(size_t i) const;
  std::vector<double> reals(size_t i) const;
  /// int? dtype arguments; PyTorch's ScalarType codes (0 uint8 ... 6 float32, 11 bool, 15
  /// bfloat16).
  std::optional<DType> dtype(size_t i) const;
  std::shared_ptr<List> list(size_t i) const;

 private:
  std::vector<Value> values_;
};

/// One overload: its schema as PyTorch writes it, "aten::add.Tensor(Tensor self, Tensor other, *,
/// Scalar alpha=1) -> Tensor", and what it does. In-place forms ("aten::add_.Tensor(Tensor(a!)
/// self, ...)") are found by themselves where the functional row exists: the result is cast to
/// self's dtype and written through the view.
struct AtenRow {
  std::string_view schema;
  Result<Value> (*lower)(Lowering&, const Args&);
};

/// Written by cmake/tables.cmake from src/script/aten/*.cpp: each defines aten_<file>.
std::span<const std::span<const AtenRow>* const> aten_families();

/// PyTorch's ScalarType code and back; nothing for a code that there is not.
std::optional<DType> dtype_of_scalar_type(int64_t code);
int64_t scalar_type_of(DType dtype);

/// What lowering an operator may do: make nodes in the graph, read and write tensors, ask about
/// sizes. Every node made is inferred at once, so values have dtype, rank and (symbolic) dims; a
/// node whose inputs are all small known constants is folded.
class Lowering {
 public:
  virtual ~Lowering() = default;

  // ---- values of the graph
  /// The current value of a tensor (its view re-applied where its storage was written since).
  virtual Result<ValueId> read(const TensorRef& tensor) = 0;
  /// Appends a node with one output / with several.
  virtual Result<ValueId> emit(std::string op, std::vector<ValueId> inputs,
                               Attributes attributes = {}, std::string domain = "") = 0;
  virtual Result<std::vector<ValueId>> emit_many(std::string op, std::vector<ValueId> inputs,
                                                 size_t outputs, Attributes attributes = {},
                                                 std::string domain = "") = 0;
  virtual ValueId constant(Tensor tensor) = 0;
  virtual const ValueType& type(ValueId value) const = 0;
  /// The constant behind a value, if it is one.
  virtual const Tensor* known(ValueId value) const = 0;
  /// A 1-D int64 value with these elements (a constant if all are known).
  virtual Result<ValueId> shape_value(std::span<const Dim> dims) = 0;
  /// The same for Reshape's target: at most one unknown element becomes -1.
  virtual Result<ValueId> reshape_value(std::span<const Dim> dims) = 0;

  // ---- tensors
  /// A new tensor that owns `value`.
  virtual TensorRef tensor(ValueId value) = 0;
  /// The elements of a small integer or bool tensor where they are known, in C order, perhaps as
  /// expressions over the inputs' sizes.
  virtual std::optional<Dims> elements(const TensorRef& tensor) = 0;
  /// A tensor of known elements.
  virtual TensorRef literal(Tensor tensor, bool wrapped_number = false) = 0;
  /// A view of `base`: shares its storage; writes go through.
  virtual Result<TensorRef> view(const TensorRef& base, ViewStep step) = 0;
  /// Writes: the elements of `target` become those of `value` (cast and broadcast to it first).
  virtual Result<Value> write(const TensorRef& target, ValueId value) = 0;

  // ---- numbers
  /// The known value of an integer. An expression is replaced by its value for the input shapes at
  /// hand, and its symbols become part of the signature.
  virtual Result<int64_t> concrete(const Dim& dim) = 0;
  virtual Result<std::vector<int64_t>> concrete(std::span<const Dim> dims) = 0;
  /// Whether a == b / a < b, by form where that tells, else by value as in concrete().
  virtual Result<bool> equal(const Dim& a, const Dim& b) = 0;
  virtual Result<bool> less(const Dim& a, const Dim& b) = 0;
  /// An integer that only running tells, from a 0-d or one-element integer tensor; an error where
  /// there is no telling.
  virtual Result<Dim> integer_of(const TensorRef& tensor) = 0;

  /// Something that a user should know (a dropped Dropout in training mode).
  virtual void note(std::string text) = 0;
  /// An error at the source line at hand.
  virtual Error error(ErrorCode code, std::string message) const = 0;
};

/// PyTorch's promotion: bool < int < float < complex; dimensioned > 0-dim > wrapped numbers.
/// `operands` may hold tensors, numbers and bools.
DType result_type(std::span<const Value> operands);
/// A value as a graph value of `dtype`: reads and casts tensors, makes 0-d constants of numbers.
Result<ValueId> operand(Lowering& lowering, const Value& value, DType dtype);
/// A Cast, unless the value has the dtype.
Result<ValueId> cast(Lowering& lowering, ValueId value, DType dtype);

}  // namespace lanthorn::script
