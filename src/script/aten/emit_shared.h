#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "script/aten.h"

namespace lanthorn::script {

/// Makes nodes one after another for a composite operator. After the first error every call does
/// nothing and gives kNoValue (types: undefined, no dims); the final `result` returns that error.
class Emitter {
 public:
  explicit Emitter(Lowering& lowering) : lowering_(lowering) {}
  Lowering& lowering() { return lowering_; }
  bool failed() const { return error_.has_value(); }
  /// Keeps the first error.
  void fail(Error error);
  /// The error that stopped this; only when failed() (checked).
  Error error() const;

  /// The tensor's current value; kNoValue for null. With a dtype: cast to it.
  ValueId read(const TensorRef& tensor);
  ValueId read(const TensorRef& tensor, DType dtype);
  /// A number or tensor as a value of `dtype`.
  ValueId operand(const Value& value, DType dtype);
  ValueId op(std::string name, std::vector<ValueId> inputs, Attributes attributes = {});
  std::vector<ValueId> ops(std::string name, std::vector<ValueId> inputs, size_t outputs,
                           Attributes attributes = {});
  ValueId cast(ValueId value, DType dtype);

  /// Constants: 0-d of a number, 1-D int64.
  ValueId number(double value, DType dtype);
  ValueId integer(int64_t value, DType dtype);
  ValueId ints(std::vector<int64_t> values);
  /// The largest or lowest finite number of a dtype, 0-d.
  ValueId highest(DType dtype);
  ValueId lowest(DType dtype);
  ValueId constant(Result<Tensor> tensor);
  /// A constant of this shape with all elements `value`.
  ValueId filled(Shape shape, double value, DType dtype);
  /// The dims as a 1-D int64 value.
  ValueId shape(const Dims& dims);

  ValueId reshape(ValueId value, const Dims& dims);
  ValueId expand(ValueId value, const Dims& dims);
  ValueId transpose(ValueId value, std::vector<int64_t> permutation);
  ValueId unsqueeze(ValueId value, std::vector<int64_t> axes);
  ValueId squeeze(ValueId value, std::vector<int64_t> axes);
  ValueId slice(ValueId value, int64_t axis, const Dim& start, const Dim& end, int64_t step = 1);
  /// A 0-d index along an axis: the axis goes.
  ValueId select(ValueId value, int64_t axis, const Dim& index);
  ValueId concat(std::vector<ValueId> values, int64_t axis);
  std::vector<ValueId> split(ValueId value, int64_t axis, const Dims& sizes);
  /// ReduceSum, ReduceMean, ... over axes (empty: all).
  ValueId reduce(std::string name, ValueId value, std::vector<int64_t> axes, bool keep);

  DType dtype(ValueId value) const;
  Dims dims(ValueId value) const;
  int64_t rank(ValueId value) const { return static_cast<int64_t>(dims(value).size()); }

  TensorRef tensor(ValueId value);
  Result<Value> result(ValueId value);
  Result<Value> result(Result<TensorRef> tensor);
  Result<Value> tuple(const std::vector<ValueId>& values);
  Result<Value> list(const std::vector<ValueId>& values);

 private:
  ValueId take(Result<ValueId> value);

  Lowering& lowering_;
  std::optional<Error> error_;
};

Value tensor_list(const std::vector<TensorRef>& tensors);

/// `axis` counted from the front: -rank <= axis < rank (a 0-d tensor counts as one axis).
Result<int64_t> axis_of(Lowering& lowering, const Dim& axis, size_t rank);
/// The same for each; no duplicates. Empty stays empty.
Result<std::vector<int64_t>> axes_of(Lowering& lowering, const Dims& axes, size_t rank);
/// Known integers, a single one repeated `count` times. kUnsupported for another number of them.
Result<std::vector<int64_t>> spatial(Lowering& lowering, const Dims& values, size_t count);
std::vector<int64_t> all_axes(size_t rank);

/// The known number behind a scalar argument, else nothing.
std::optional<double> number_of(const Value& value);
/// int and bool become float32, as in PyTorch's float operators.
DType float_type(DType dtype);
/// The largest and lowest finite numbers of a dtype, and the step above 1.
double highest_of(DType dtype);
double lowest_of(DType dtype);
double epsilon_of(DType dtype);

}  // namespace lanthorn::script
