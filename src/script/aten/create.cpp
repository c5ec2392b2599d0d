// New tensors: filled ones, ranges, and tensors of numbers.
#include <algorithm>
#include <cmath>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

/// What a literal or a range may have at most, in elements.
constexpr int64_t kLongestLiteral = int64_t{1} << 20;

/// A tensor of these dims with all elements `value` (0-d, of the dtype wanted).
ValueId filled_with(Emitter& e, ValueId value, const Dims& dims) {
  if (e.failed()) return kNoValue;
  const Tensor* known = e.lowering().known(value);
  if (!known) return e.expand(value, dims);
  auto plain = known->contiguous();
  if (!plain) {
    e.fail(plain.error());
    return kNoValue;
  }
  return e.op("ConstantOfShape", {e.shape(dims)}, {{"value", plain->reshaped({1})}});
}

Result<Value> filled(Lowering& lowering, const Dims& dims, const Value& number, DType dtype) {
  Emitter e(lowering);
  return e.result(filled_with(e, e.operand(number, dtype), dims));
}

/// The dtype that a number has of itself.
DType type_of(const Value& number) {
  if (number.flag()) return DType::kBool;
  if (number.integer()) return DType::kI64;
  if (const TensorRef tensor = number.tensor()) return tensor->dtype;
  return DType::kF32;
}

// (size, dtype, ...)
template <int kNumber>
Result<Value> filled_by(Lowering& lowering, const Args& args) {
  return filled(lowering, args.ints(0), Value(Dim(kNumber)), args.dtype(1).value_or(DType::kF32));
}

// (self, size, dtype, ...)
template <int kNumber>
Result<Value> new_filled_by(Lowering& lowering, const Args& args) {
  return filled(lowering, args.ints(1), Value(Dim(kNumber)), args.dtype(2).value_or(args.tensor(0)->dtype));
}

// (self, dtype, ...)
template <int kNumber>
Result<Value> filled_like(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  return filled(lowering, x->dims, Value(Dim(kNumber)), args.dtype(1).value_or(x->dtype));
}

// (size, stride, dtype, ...)
Result<Value> empty_strided(Lowering& lowering, const Args& args) {
  return filled(lowering, args.ints(0), Value(Dim(0)), args.dtype(2).value_or(DType::kF32));
}

// (size, fill_value, dtype, ...)
Result<Value> full(Lowering& lowering, const Args& args) {
  return filled(lowering, args.ints(0), args[1], args.dtype(2).value_or(type_of(args[1])));
}

// (self, size, fill_value, dtype, ...)
Result<Value> new_full(Lowering& lowering, const Args& args) {
  return filled(lowering, args.ints(1), args[2], args.dtype(3).value_or(args.tensor(0)->dtype));
}

// (self, fill_value, dtype, ...)
Result<Value> full_like(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  return filled(lowering, x->dims, args[1], args.dtype(2).value_or(x->dtype));
}

Result<Value> literal(Lowering& lowering, const Shape& shape, const std::vector<double>& numbers, DType dtype) {
  LAN_TRY(Tensor tensor, Tensor::of<double>(DType::kF64, shape, numbers).cast(dtype));
  return Value(lowering.literal(std::move(tensor)));
}

Result<Value> range(Lowering& lowering, const Value& start, const Value& end, const Value& step,
                    std::optional<DType> asked) {
  const bool whole = start.integer() && end.integer() && step.integer();
  const DType dtype = asked.value_or(whole ? DType::kI64 : DType::kF32);
  const auto first = number_of(start), last = number_of(end), by = number_of(step);
  if (first && last && by) {
    if (*by == 0) return lowering.error(ErrorCode::kInvalidInput, "arange with the step 0");
    const double count = std::max(0.0, std::ceil((*last - *first) / *by));
    if (!(count <= static_cast<double>(kLongestLiteral))) {
      return lowering.error(ErrorCode::kLimit, "arange of more than " + std::to_string(kLongestLiteral) + " numbers");
    }
    std::vector<double> numbers(static_cast<size_t>(count));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = *first + static_cast<double>(i) * *by;
    const Shape shape = {static_cast<int64_t>(numbers.size())};
    return literal(lowering, shape, numbers, dtype);
  }
  // Integers of sizes: made in int64, where nothing rounds.
  const DType inner = whole ? DType::kI64 : dtype;
  Emitter e(lowering);
  const ValueId made = e.op("Range", {e.operand(start, inner), e.operand(end, inner), e.operand(step, inner)});
  return e.result(e.cast(made, dtype));
}

Result<Value> arange(Lowering& lowering, const Args& args) {
  return range(lowering, Value(Dim(0)), args[0], Value(Dim(1)), args.dtype(1));
}
Result<Value> arange_start(Lowering& lowering, const Args& args) {
  return range(lowering, args[0], args[1], Value(Dim(1)), args.dtype(2));
}
Result<Value> arange_step(Lowering& lowering, const Args& args) {
  return range(lowering, args[0], args[1], args[2], args.dtype(3));
}

struct Steps {
  double start, end;
  int64_t count;
};

Result<Steps> steps_of(Lowering& lowering, const Args& args) {
  const auto start = number_of(args[0]), end = number_of(args[1]);
  LAN_TRY(const int64_t count, lowering.concrete(args.integer(2)));
  if (!start || !end || count < 0 || count > kLongestLiteral) {
    return lowering.error(ErrorCode::kUnsupported, "evenly spaced numbers whose bounds only running tells");
  }
  return Steps{*start, *end, count};
}

/// PyTorch counts the second half from the end, so that both ends are exact.
std::vector<double> spaced(const Steps& steps) {
  std::vector<double> numbers(static_cast<size_t>(steps.count), steps.start);
  const double step = steps.count > 1 ? (steps.end - steps.start) / static_cast<double>(steps.count - 1) : 0;
  for (int64_t i = 0; i < steps.count; ++i) {
    numbers[static_cast<size_t>(i)] = i < steps.count / 2 ? steps.start + step * static_cast<double>(i)
                                                          : steps.end - step * static_cast<double>(steps.count - 1 - i);
  }
  if (steps.count == 1) numbers[0] = steps.start;
  return numbers;
}

// (start, end, steps, dtype)
Result<Value> linspace(Lowering& lowering, const Args& args) {
  LAN_TRY(const Steps steps, steps_of(lowering, args));
  return literal(lowering, {steps.count}, spaced(steps), args.dtype(3).value_or(DType::kF32));
}

// (start, end, steps, base, dtype)
Result<Value> logspace(Lowering& lowering, const Args& args) {
  LAN_TRY(const Steps steps, steps_of(lowering, args));
  std::vector<double> numbers = spaced(steps);
  for (double& number : numbers) number = std::pow(args.real(3), number);
  return literal(lowering, {steps.count}, numbers, args.dtype(4).value_or(DType::kF32));
}

Result<Value> identity(Lowering& lowering, const Dim& rows, const Dim& columns, std::optional<DType> asked) {
  LAN_TRY(const int64_t n, lowering.concrete(rows));
  LAN_TRY(const int64_t m, lowering.concrete(columns));
  if (n < 0 || m < 0 || (m > 0 && n > kLongestLiteral / m)) {
    return lowering.error(ErrorCode::kLimit, "an identity matrix of " + std::to_string(n) + " x " + std::to_string(m));
  }
  std::vector<double> numbers(static_cast<size_t>(n * m), 0.0);
  for (int64_t i = 0; i < std::min(n, m); ++i) numbers[static_cast<size_t>(i * m + i)] = 1.0;
  return literal(lowering, {n, m}, numbers, asked.value_or(DType::kF32));
}

Result<Value> eye(Lowering& lowering, const Args& args) {
  return identity(lowering, args.integer(0), args.integer(0), args.dtype(1));
}
Result<Value> eye_of(Lowering& lowering, const Args& args) {
  return identity(lowering, args.integer(0), args.integer(1), args.dtype(2));
}

Result<Value> hann(Lowering& lowering, const Dim& length, bool periodic, std::optional<DType> asked) {
  LAN_TRY(const int64_t count, lowering.concrete(length));
  if (count < 0 || count > kLongestLiteral) return lowering.error(ErrorCode::kLimit, "a window of " + length.text());
  const double period = static_cast<double>(periodic ? count : count - 1);
  std::vector<double> numbers(static_cast<size_t>(count), 1.0);
  for (size_t i = 0; i < numbers.size() && count > 1; ++i) {
    numbers[i] = 0.5 - 0.5 * std::cos(2 * 3.14159265358979323846 * static_cast<double>(i) / period);
  }
  return literal(lowering, {count}, numbers, asked.value_or(DType::kF32));
}

Result<Value> hann_window(Lowering& lowering, const Args& args) {
  return hann(lowering, args.integer(0), true, args.dtype(1));
}
Result<Value> hann_window_periodic(Lowering& lowering, const Args& args) {
  return hann(lowering, args.integer(0), args.flag(1), args.dtype(2));
}

/// A nested list of numbers, flattened.
struct Numbers {
  Shape shape;
  std::vector<Value> items;
};

Status flatten(Lowering& lowering, const Value& value, size_t depth, Numbers& out) {
  const auto list = value.list();
  if (!list) {
    if (depth != out.shape.size()) return lowering.error(ErrorCode::kInvalidInput, "a list of uneven depth as a tensor");
    out.items.push_back(value);
    return ok();
  }
  const auto size = static_cast<int64_t>(list->items.size());
  if (depth > 64) return lowering.error(ErrorCode::kLimit, "a list nested deeper than 64");
  if (out.shape.size() == depth && out.items.empty()) out.shape.push_back(size);
  if (out.shape.size() <= depth || out.shape[depth] != size) {
    return lowering.error(ErrorCode::kInvalidInput, "lists of different lengths as a tensor");
  }
  for (const Value& item : list->items) {
    LAN_OK(flatten(lowering, item, depth + 1, out));
  }
  return ok();
}

// (data, dtype, ...)
Result<Value> tensor_of(Lowering& lowering, const Args& args) {
  if (const TensorRef tensor = args[0].tensor()) {
    Emitter e(lowering);
    const DType dtype = args.dtype(1).value_or(tensor->dtype);
    return e.result(e.read(tensor, dtype));
  }
  Numbers numbers;
  LAN_OK(flatten(lowering, args[0], 0, numbers));
  DType own = DType::kUndefined;
  for (const Value& item : numbers.items) {
    const DType type = type_of(item);
    if (own == DType::kUndefined || is_floating(type) || own == DType::kBool) own = type;
  }
  const DType dtype = args.dtype(1).value_or(own == DType::kUndefined ? DType::kF32 : own);
  const bool sizes = !numbers.items.empty() && std::all_of(numbers.items.begin(), numbers.items.end(),
                                                           [](const Value& v) { return v.integer() != nullptr; });
  if (sizes) {
    Dims elements;
    for (const Value& item : numbers.items) elements.push_back(*item.integer());
    const Dims dims(numbers.shape.begin(), numbers.shape.end());
    LAN_TRY(TensorRef tensor, sized_tensor(lowering, elements, dims, dtype));
    return Value(std::move(tensor));
  }
  std::vector<double> known;
  for (const Value& item : numbers.items) {
    if (const auto number = number_of(item)) known.push_back(*number);
  }
  if (known.size() == numbers.items.size()) return literal(lowering, numbers.shape, known, dtype);
  Emitter e(lowering);
  std::vector<ValueId> parts;
  for (const Value& item : numbers.items) parts.push_back(e.op("Reshape", {e.operand(item, dtype), e.ints({1})}));
  return e.result(e.op("Reshape", {e.concat(std::move(parts), 0), e.ints(numbers.shape)}));
}

// (s, dtype, ...)
Result<Value> scalar_tensor(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.operand(args[0], args.dtype(1).value_or(DType::kF32)));
}

// (data, dtype, device): shares memory where the dtype is the same
Result<Value> as_tensor(Lowering& lowering, const Args& args) {
  const TensorRef data = args.tensor(0);
  if (args.dtype(1).value_or(data->dtype) == data->dtype) return args[0];
  return tensor_of(lowering, args);
}

constexpr AtenRow kRows[] = {
    {"aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     filled_by<0>},
    {"aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     filled_by<1>},
    {"aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     filled_by<0>},
    {"aten::empty_strided(SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     empty_strided},
    {"aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     full},
    {"aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     new_filled_by<0>},
    {"aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     new_filled_by<1>},
    {"aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     new_filled_by<0>},
    {"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     new_full},
    {"aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     filled_like<0>},
    {"aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     filled_like<1>},
    {"aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     filled_like<0>},
    {"aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     full_like},
    {"aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     arange},
    {"aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     arange_start},
    {"aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     arange_step},
    {"aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     linspace},
    {"aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     logspace},
    {"aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     eye},
    {"aten::eye.m(SymInt n, SymInt m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     eye_of},
    {"aten::hann_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     hann_window},
    {"aten::hann_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     hann_window_periodic},
    {"aten::tensor(t[] data, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     tensor_of},
    {"aten::tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> "
     "Tensor",
     tensor_of},
    {"aten::tensor.int(int t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     tensor_of},
    {"aten::tensor.float(float t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> "
     "Tensor",
     tensor_of},
    {"aten::as_tensor(Tensor(a) data, *, ScalarType? dtype=None, Device? device=None) -> Tensor(b|a)", as_tensor},
    {"aten::as_tensor.list(t[] data, *, ScalarType? dtype=None, Device? device=None) -> Tensor", tensor_of},
    {"aten::as_tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None) -> Tensor", tensor_of},
    {"aten::as_tensor.int(int t, *, ScalarType? dtype=None, Device? device=None) -> Tensor", tensor_of},
    {"aten::as_tensor.float(float t, *, ScalarType? dtype=None, Device? device=None) -> Tensor", tensor_of},
    {"aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     scalar_tensor},
};

}  // namespace

extern const std::span<const AtenRow> aten_create = kRows;

}  // namespace lanthorn::script
