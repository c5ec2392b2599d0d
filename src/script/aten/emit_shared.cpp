#include "script/aten/emit_shared.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace lanthorn::script {

void Emitter::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

Error Emitter::error() const {
  LAN_CHECK(error_.has_value());
  return *error_;
}

ValueId Emitter::take(Result<ValueId> value) {
  if (error_) return kNoValue;
  if (!value) {
    error_ = value.error();
    return kNoValue;
  }
  return *value;
}

ValueId Emitter::read(const TensorRef& tensor) {
  if (error_ || !tensor) return kNoValue;
  return take(lowering_.read(tensor));
}

ValueId Emitter::read(const TensorRef& tensor, DType dtype) { return cast(read(tensor), dtype); }

ValueId Emitter::operand(const Value& value, DType dtype) {
  if (error_) return kNoValue;
  if (const TensorRef tensor = value.tensor()) return cast(read(tensor), dtype);
  return take(script::operand(lowering_, value, dtype));
}

ValueId Emitter::op(std::string name, std::vector<ValueId> inputs, Attributes attributes) {
  if (error_) return kNoValue;
  return take(lowering_.emit(std::move(name), std::move(inputs), std::move(attributes)));
}

std::vector<ValueId> Emitter::ops(std::string name, std::vector<ValueId> inputs, size_t outputs,
                                  Attributes attributes) {
  if (!error_) {
    auto made = lowering_.emit_many(std::move(name), std::move(inputs), outputs, std::move(attributes));
    if (made) return *std::move(made);
    error_ = made.error();
  }
  return std::vector<ValueId>(outputs, kNoValue);
}

ValueId Emitter::cast(ValueId value, DType dtype) {
  if (error_ || value == kNoValue) return kNoValue;
  return take(script::cast(lowering_, value, dtype));
}

ValueId Emitter::constant(Result<Tensor> tensor) {
  if (error_) return kNoValue;
  if (!tensor) {
    error_ = tensor.error();
    return kNoValue;
  }
  return lowering_.constant(*std::move(tensor));
}

ValueId Emitter::number(double value, DType dtype) {
  return constant(Tensor::of<double>(DType::kF64, {}, std::span(&value, 1)).cast(dtype));
}

ValueId Emitter::integer(int64_t value, DType dtype) {
  return constant(Tensor::scalar_i64(value).cast(dtype));
}

ValueId Emitter::highest(DType dtype) {
  // A double has not all digits of the largest int64.
  return dtype == DType::kI64 ? integer(INT64_MAX, dtype) : number(highest_of(dtype), dtype);
}

ValueId Emitter::lowest(DType dtype) {
  return dtype == DType::kI64 ? integer(INT64_MIN, dtype) : number(lowest_of(dtype), dtype);
}

ValueId Emitter::ints(std::vector<int64_t> values) { return constant(Tensor::of_ints(values)); }

ValueId Emitter::filled(Shape shape, double value, DType dtype) {
  if (error_) return kNoValue;
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  const std::vector<double> values(static_cast<size_t>(count), value);
  return constant(Tensor::of<double>(DType::kF64, std::move(shape), values).cast(dtype));
}

ValueId Emitter::shape(const Dims& dims) {
  if (error_) return kNoValue;
  return take(lowering_.shape_value(dims));
}

ValueId Emitter::reshape(ValueId value, const Dims& dims) {
  if (error_) return kNoValue;
  auto target = lowering_.reshape_value(dims);
  // A known 0 means "no elements" in PyTorch but "copy" in Reshape unless allowzero is set.
  const bool zero = std::any_of(dims.begin(), dims.end(), [](const Dim& d) { return d.is(0); });
  return op("Reshape", {value, take(std::move(target))},
            zero ? Attributes{{"allowzero", int64_t{1}}} : Attributes{});
}

ValueId Emitter::expand(ValueId value, const Dims& dims) { return op("Expand", {value, shape(dims)}); }

ValueId Emitter::transpose(ValueId value, std::vector<int64_t> permutation) {
  return op("Transpose", {value}, {{"perm", std::move(permutation)}});
}

ValueId Emitter::unsqueeze(ValueId value, std::vector<int64_t> axes) {
  return op("Unsqueeze", {value, ints(std::move(axes))});
}

ValueId Emitter::squeeze(ValueId value, std::vector<int64_t> axes) {
  return op("Squeeze", {value, ints(std::move(axes))});
}

ValueId Emitter::slice(ValueId value, int64_t axis, const Dim& start, const Dim& end, int64_t step) {
  return op("Slice", {value, shape({start}), shape({end}), ints({axis}), ints({step})});
}

ValueId Emitter::select(ValueId value, int64_t axis, const Dim& index) {
  const ValueId at = index.is_known() ? integer(index.value(), DType::kI64)
                                      : squeeze(shape({index}), {0});
  return op("Gather", {value, at}, {{"axis", axis}});
}

ValueId Emitter::concat(std::vector<ValueId> values, int64_t axis) {
  if (values.size() == 1) return values[0];
  return op("Concat", std::move(values), {{"axis", axis}});
}

std::vector<ValueId> Emitter::split(ValueId value, int64_t axis, const Dims& sizes) {
  return ops("Split", {value, shape(sizes)}, sizes.size(), {{"axis", axis}});
}

ValueId Emitter::reduce(std::string name, ValueId value, std::vector<int64_t> axes, bool keep) {
  std::vector<ValueId> inputs = {value};
  if (!axes.empty()) inputs.push_back(ints(std::move(axes)));
  return op(std::move(name), std::move(inputs), {{"keepdims", int64_t{keep}}});
}

DType Emitter::dtype(ValueId value) const {
  return error_ || value == kNoValue ? DType::kUndefined : lowering_.type(value).dtype;
}

Dims Emitter::dims(ValueId value) const {
  return error_ || value == kNoValue ? Dims{} : lowering_.type(value).dims;
}

TensorRef Emitter::tensor(ValueId value) { return error_ ? nullptr : lowering_.tensor(value); }

Result<Value> Emitter::result(ValueId value) {
  if (error_) return *error_;
  return Value(lowering_.tensor(value));
}

Result<Value> Emitter::result(Result<TensorRef> tensor) {
  if (error_) return *error_;
  if (!tensor) return std::move(tensor).error();
  return Value(*std::move(tensor));
}

Result<Value> Emitter::tuple(const std::vector<ValueId>& values) {
  if (error_) return *error_;
  std::vector<Value> items;
  for (const ValueId value : values) {
    items.push_back(value == kNoValue ? Value(None{}) : Value(lowering_.tensor(value)));
  }
  return make_tuple(std::move(items));
}

Result<Value> Emitter::list(const std::vector<ValueId>& values) {
  if (error_) return *error_;
  std::vector<Value> items;
  for (const ValueId value : values) items.push_back(Value(lowering_.tensor(value)));
  return make_list(std::move(items), "Tensor");
}

Value tensor_list(const std::vector<TensorRef>& tensors) {
  std::vector<Value> items;
  for (const TensorRef& tensor : tensors) items.push_back(Value(tensor));
  return make_list(std::move(items), "Tensor");
}

Result<int64_t> axis_of(Lowering& lowering, const Dim& axis, size_t rank) {
  LAN_TRY(const int64_t number, lowering.concrete(axis));
  const int64_t count = std::max<int64_t>(static_cast<int64_t>(rank), 1);
  if (number < -count || number >= count) {
    return lowering.error(ErrorCode::kInvalidInput,
                          "dimension " + std::to_string(number) + " of a tensor of rank " +
                              std::to_string(rank) + "; it must be in [" + std::to_string(-count) +
                              ", " + std::to_string(count - 1) + "]");
  }
  return number < 0 ? number + count : number;
}

Result<std::vector<int64_t>> axes_of(Lowering& lowering, const Dims& axes, size_t rank) {
  std::vector<int64_t> result;
  for (const Dim& axis : axes) {
    LAN_TRY(const int64_t at, axis_of(lowering, axis, rank));
    if (std::find(result.begin(), result.end(), at) != result.end()) {
      return lowering.error(ErrorCode::kInvalidInput,
                            "dimension " + std::to_string(at) + " is listed twice");
    }
    result.push_back(at);
  }
  return result;
}

Result<std::vector<int64_t>> spatial(Lowering& lowering, const Dims& values, size_t count) {
  LAN_TRY(std::vector<int64_t> numbers, lowering.concrete(values));
  if (numbers.size() == 1) numbers.resize(count, numbers[0]);
  if (numbers.size() != count) {
    return lowering.error(ErrorCode::kInvalidInput, "a list of " + std::to_string(numbers.size()) +
                                                        " numbers for " + std::to_string(count) +
                                                        " spatial dimensions");
  }
  return numbers;
}

std::vector<int64_t> all_axes(size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  return axes;
}

std::optional<double> number_of(const Value& value) {
  if (const bool* flag = value.flag()) return *flag ? 1.0 : 0.0;
  if (const double* real = value.real()) return *real;
  if (const Dim* integer = value.integer()) {
    if (integer->is_known()) return static_cast<double>(integer->value());
  }
  return std::nullopt;
}

DType float_type(DType dtype) {
  return is_floating(dtype) || is_complex(dtype) ? dtype : DType::kF32;
}

double highest_of(DType dtype) {
  switch (dtype) {
    case DType::kF64: return std::numeric_limits<double>::max();
    case DType::kF16: return 65504.0;
    case DType::kBF16: return 3.3895313892515355e38;
    case DType::kI8: return std::numeric_limits<int8_t>::max();
    case DType::kU8: return std::numeric_limits<uint8_t>::max();
    case DType::kI16: return std::numeric_limits<int16_t>::max();
    case DType::kI32: return std::numeric_limits<int32_t>::max();
    case DType::kI64: return static_cast<double>(std::numeric_limits<int64_t>::max());
    default: return std::numeric_limits<float>::max();
  }
}

double lowest_of(DType dtype) {
  switch (dtype) {
    case DType::kU8:
    case DType::kBool: return 0;
    case DType::kI8:
    case DType::kI16:
    case DType::kI32:
    case DType::kI64: return -highest_of(dtype) - 1;
    default: return -highest_of(dtype);
  }
}

double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::kF64: return std::numeric_limits<double>::epsilon();
    case DType::kF16: return 0.0009765625;
    case DType::kBF16: return 0.0078125;
    default: return std::numeric_limits<float>::epsilon();
  }
}

}  // namespace lanthorn::script
