// What a matched value becomes before a row sees it, and the accessors of Args that rely on it.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "script/operators.h"

namespace lanthorn::script {
namespace {

using Kind = SchemaType::Kind;

/// The number behind a tensor of one element, where it is known.
std::optional<Value> known_number(Lowering& lowering, const TensorRef& tensor) {
  if (is_integer(tensor->dtype) || tensor->dtype == DType::kBool) {
    const auto elements = lowering.elements(tensor);
    if (!elements || elements->size() != 1) return std::nullopt;
    if (tensor->dtype == DType::kBool && (*elements)[0].is_known())
      return Value::of_bool((*elements)[0].value() != 0);
    return Value((*elements)[0]);
  }
  const auto value = lowering.read(tensor);
  if (!value) return std::nullopt;
  const Tensor* constant = lowering.known(*value);
  if (!constant) return std::nullopt;
  const auto reals = constant->to_doubles();
  if (!reals || reals->size() != 1) return std::nullopt;
  return Value::of_double((*reals)[0]);
}

Result<Value> convert_one(Lowering& lowering, const SchemaType& type, const Value& value);

Result<Value> convert_items(Lowering& lowering, const SchemaType& element,
                            const std::vector<Value>& items, std::string element_type) {
  std::vector<Value> out;
  out.reserve(items.size());
  for (const Value& item : items) {
    LAN_TRY(Value one, convert_one(lowering, element, item));
    out.push_back(std::move(one));
  }
  return make_list(std::move(out), std::move(element_type));
}

Result<Value> number_of_tensor(Lowering& lowering, const SchemaType& type,
                               const TensorRef& tensor) {
  const auto number = known_number(lowering, tensor);
  if (!number) {
    if (type.kind == Kind::kInt || type.kind == Kind::kScalarType) {
      LAN_TRY(Dim dim, lowering.integer_of(tensor));
      return Value(std::move(dim));
    }
    return lowering.error(ErrorCode::kUnsupported, "a number here depends on the data of a tensor");
  }
  const auto real = [&]() -> double {
    if (const double* v = number->real()) return *v;
    if (const bool* v = number->flag()) return *v ? 1 : 0;
    return number->integer()->is_known() ? static_cast<double>(number->integer()->value()) : 0;
  };
  switch (type.kind) {
    case Kind::kInt:
    case Kind::kScalarType:
      return number->integer() ? *number : Value(Dim(static_cast<int64_t>(real())));
    case Kind::kFloat:
      return Value::of_double(real());
    case Kind::kBool:
      return Value::of_bool(real() != 0);
    default:
      return *number;
  }
}

Result<Value> convert_one(Lowering& lowering, const SchemaType& type, const Value& value) {
  if (value.is_none()) return value;
  if (const TensorRef tensor = value.tensor(); tensor && type.kind != Kind::kTensor &&
                                               type.kind != Kind::kAny &&
                                               type.kind != Kind::kVariable) {
    if (type.kind == Kind::kList) {  // one tensor for a list of numbers
      LAN_TRY(Value one, convert_one(lowering, type.args[0], value));
      return make_list(
          std::vector<Value>(static_cast<size_t>(std::max<int64_t>(type.fixed_size, 1)), one));
    }
    return number_of_tensor(lowering, type, tensor);
  }
  switch (type.kind) {
    case Kind::kTensor: {
      if (value.tensor()) return value;
      if (const double* real = value.real()) {
        Tensor scalar = Tensor::of<double>(DType::kF64, {}, std::span<const double>(real, 1));
        return Value(lowering.literal(std::move(scalar), true));
      }
      if (const bool* flag = value.flag())
        return Value(lowering.literal(Tensor::scalar_bool(*flag), true));
      if (const Dim* integer = value.integer()) {
        if (integer->is_known())
          return Value(lowering.literal(Tensor::scalar_i64(integer->value()), true));
        LAN_TRY(const ValueId id, operand(lowering, value, DType::kI64));
        const TensorRef out = lowering.tensor(id);
        out->wrapped_number = true;
        return Value(out);
      }
      return lowering.error(ErrorCode::kUnsupported,
                            "a " + kind_of(value) + " stands where a tensor is wanted");
    }
    case Kind::kInt:
      if (const bool* flag = value.flag()) return Value(Dim(*flag ? 1 : 0));
      return value;
    case Kind::kScalarType: {
      LAN_TRY(const int64_t code, lowering.concrete(*value.integer()));
      if (!dtype_of_scalar_type(code)) {
        return lowering.error(ErrorCode::kUnsupported,
                              "there is no dtype of number " + std::to_string(code));
      }
      return Value(Dim(code));
    }
    case Kind::kFloat:
      if (const Dim* integer = value.integer()) {
        LAN_TRY(const int64_t known, lowering.concrete(*integer));
        return Value::of_double(static_cast<double>(known));
      }
      return value;
    case Kind::kBool:
      if (const Dim* integer = value.integer()) {
        LAN_TRY(const int64_t known, lowering.concrete(*integer));
        return Value::of_bool(known != 0);
      }
      return value;
    case Kind::kComplex:
      if (const double* real = value.real()) return Value::of_complex({*real, 0});
      if (const Dim* integer = value.integer(); integer && integer->is_known()) {
        return Value::of_complex({static_cast<double>(integer->value()), 0});
      }
      return value;
    case Kind::kDevice:
      if (const std::string* text = value.text()) return Value(Device{*text});
      return value;
    case Kind::kList: {
      const SchemaType& element = type.args[0];
      if (const auto list = value.list()) {
        bool as_they_are = true;
        for (const Value& item : list->items) as_they_are &= fit(element, item) == std::optional(0);
        // The list itself goes on, so that append and the like change the caller's.
        if (as_they_are) return value;
        return convert_items(lowering, element, list->items, list->element_type);
      }
      if (const auto tuple = value.tuple())
        return convert_items(lowering, element, tuple->items, "");
      LAN_TRY(Value one, convert_one(lowering, element, value));
      return make_list(
          std::vector<Value>(static_cast<size_t>(std::max<int64_t>(type.fixed_size, 1)), one));
    }
    default:
      return value;
  }
}

}  // namespace

Result<Args> convert(Lowering& lowering, Match match) {
  const auto& formal = match.op->schema.arguments;
  for (size_t i = 0; i < formal.size(); ++i) {
    LAN_TRY(match.values[i], convert_one(lowering, formal[i].type, match.values[i]));
  }
  return Args(std::move(match.values));
}

TensorRef Args::tensor(size_t i) const {
  TensorRef out = values_[i].tensor();
  LAN_CHECK(out != nullptr);
  return out;
}

TensorRef Args::optional_tensor(size_t i) const { return is_none(i) ? nullptr : tensor(i); }

const Dim& Args::integer(size_t i) const {
  const Dim* out = values_[i].integer();
  LAN_CHECK(out != nullptr);
  return *out;
}

double Args::real(size_t i) const {
  if (const Dim* integer = values_[i].integer(); integer && integer->is_known()) {
    return static_cast<double>(integer->value());
  }
  if (const bool* flag = values_[i].flag()) return *flag ? 1.0 : 0.0;
  const double* out = values_[i].real();
  LAN_CHECK(out != nullptr);
  return *out;
}

bool Args::flag(size_t i) const {
  const bool* out = values_[i].flag();
  LAN_CHECK(out != nullptr);
  return *out;
}

const std::string& Args::text(size_t i) const {
  const std::string* out = values_[i].text();
  LAN_CHECK(out != nullptr);
  return *out;
}

std::shared_ptr<List> Args::list(size_t i) const {
  std::shared_ptr<List> out = values_[i].list();
  LAN_CHECK(out != nullptr);
  return out;
}

std::vector<TensorRef> Args::tensors(size_t i) const {
  std::vector<TensorRef> out;
  for (const Value& item : list(i)->items) {
    out.push_back(item.tensor());
    LAN_CHECK(out.back() != nullptr);
  }
  return out;
}

std::vector<TensorRef> Args::optional_tensors(size_t i) const {
  std::vector<TensorRef> out;
  for (const Value& item : list(i)->items) out.push_back(item.tensor());
  return out;
}

Dims Args::ints(size_t i) const {
  Dims out;
  for (const Value& item : list(i)->items) {
    const Dim* dim = item.integer();
    LAN_CHECK(dim != nullptr);
    out.push_back(*dim);
  }
  return out;
}

std::optional<Dims> Args::optional_ints(size_t i) const {
  if (is_none(i)) return std::nullopt;
  return ints(i);
}

std::vector<double> Args::reals(size_t i) const {
  std::vector<double> out;
  for (const Value& item : list(i)->items) {
    if (const double* real = item.real()) {
      out.push_back(*real);
    } else {
      const Dim* dim = item.integer();
      LAN_CHECK(dim != nullptr && dim->is_known());
      out.push_back(static_cast<double>(dim->value()));
    }
  }
  return out;
}

std::optional<DType> Args::dtype(size_t i) const {
  if (is_none(i)) return std::nullopt;
  const Dim& code = integer(i);
  return code.is_known() ? dtype_of_scalar_type(code.value()) : std::nullopt;
}

}  // namespace lanthorn::script
