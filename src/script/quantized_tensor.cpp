#include "script/quantized_tensor.h"

#include <cmath>

#include "base/check.h"
#include "script/class_table.h"

namespace lanthorn::script {
namespace {

const std::shared_ptr<const ClassType>& quantized_class() {
  static const std::shared_ptr<const ClassType> kClass = [] {
    auto made = std::make_shared<ClassType>();
    made->name = "a quantized tensor";
    made->kind = ClassType::Kind::kOpaque;
    return made;
  }();
  return kClass;
}

Value make(std::string_view held, TensorRef tensor, const Rounding& rounding) {
  auto object = std::make_shared<Object>();
  object->type = quantized_class();
  std::vector<Value> scales, zero_points;
  for (const double scale : rounding.scales) scales.push_back(Value::of_double(scale));
  for (const double zero : rounding.zero_points) zero_points.push_back(Value::of_double(zero));
  object->set(held, Value(std::move(tensor)));
  object->set("scales", make_list(std::move(scales), "float"));
  object->set("zero_points", make_list(std::move(zero_points), "float"));
  object->set("axis", Value(Dim(rounding.axis)));
  object->set("dtype", Value(Dim(scalar_type_of(rounding.dtype))));
  return Value(std::move(object));
}

DType plain_type(DType dtype) {
  return dtype == DType::kQI32 ? DType::kI32 : dtype == DType::kQI8 ? DType::kI8 : DType::kU8;
}

/// Scales or zero points, in the shape that broadcasts along the axis.
ValueId along(Emitter& e, const std::vector<double>& numbers, const Rounding& rounding, int64_t rank, DType dtype) {
  Shape shape;
  if (rounding.axis >= 0) {
    shape.assign(static_cast<size_t>(rank), 1);
    shape.at(static_cast<size_t>(rounding.axis)) = static_cast<int64_t>(numbers.size());
  }
  return e.constant(Tensor::of<double>(DType::kF64, std::move(shape), numbers).cast(dtype));
}

/// The same for QuantizeLinear and DequantizeLinear: a number, or a vector.
ValueId listed(Emitter& e, const std::vector<double>& numbers, const Rounding& rounding, DType dtype) {
  Shape shape;
  if (rounding.axis >= 0) shape.push_back(static_cast<int64_t>(numbers.size()));
  return e.constant(Tensor::of<double>(DType::kF64, std::move(shape), numbers).cast(dtype));
}

/// A loaded program's integers under the plain dtype that graphs have for them.
ValueId loaded_integers(Emitter& e, const TensorRef& integers) {
  const auto plain = [&]() -> Result<Tensor> {
    LAN_TRY(const Tensor held, integers->root->loaded.contiguous());
    return Tensor::wrap(plain_type(held.dtype()), held.shape(), held.bytes(), held.storage());
  };
  return e.constant(plain());
}

bool is_standard(const Rounding& rounding) {
  if (rounding.dtype != DType::kQI8 && rounding.dtype != DType::kQU8) return false;
  for (const double zero : rounding.zero_points) {
    if (zero != std::nearbyint(zero) || zero < -128 || zero > 255) return false;
  }
  return true;
}

Attributes axis_attribute(const Rounding& rounding) {
  return rounding.axis >= 0 ? Attributes{{"axis", rounding.axis}} : Attributes{};
}

}  // namespace

bool is_quantized_tensor(const Value& value) {
  const auto object = value.object();
  return object && object->type == quantized_class();
}

Value make_quantized(TensorRef numbers, const Rounding& rounding) { return make("numbers", std::move(numbers), rounding); }
Value loaded_quantized(TensorRef integers, const Rounding& rounding) { return make("integers", std::move(integers), rounding); }

Rounding rounding_of(const Value& quantized) {
  const auto object = quantized.object();
  Rounding rounding;
  for (const Value& scale : object->find("scales")->list()->items) rounding.scales.push_back(*scale.real());
  for (const Value& zero : object->find("zero_points")->list()->items) rounding.zero_points.push_back(*zero.real());
  rounding.axis = object->find("axis")->integer()->value();
  rounding.dtype = dtype_of_scalar_type(object->find("dtype")->integer()->value()).value_or(DType::kQU8);
  return rounding;
}

Result<TensorRef> numbers_of(Lowering& lowering, const Value& quantized) {
  const auto object = quantized.object();
  if (const Value* numbers = object->find("numbers")) return numbers->tensor();
  Emitter e(lowering);
  const TensorRef integers = object->find("integers")->tensor();
  LAN_CHECK(integers != nullptr);
  const Rounding rounding = rounding_of(quantized);
  const auto rank = static_cast<int64_t>(integers->dims.size());
  if (rounding.axis >= rank) return lowering.error(ErrorCode::kCorrupt, "a tensor is quantized along a dimension that it has not");
  const ValueId value = loaded_integers(e, integers);
  ValueId numbers = kNoValue;
  if (is_standard(rounding)) {
    numbers = e.op("DequantizeLinear",
                   {value, listed(e, rounding.scales, rounding, DType::kF32),
                    listed(e, rounding.zero_points, rounding, plain_type(rounding.dtype))},
                   axis_attribute(rounding));
  } else {
    const ValueId zero = along(e, rounding.zero_points, rounding, rank, DType::kF32);
    const ValueId scale = along(e, rounding.scales, rounding, rank, DType::kF32);
    numbers = e.op("Mul", {e.op("Sub", {e.cast(value, DType::kF32), zero}), scale});
  }
  if (e.failed()) return e.error();
  const TensorRef made = lowering.tensor(numbers);
  object->set("numbers", Value(made));
  return made;
}

ValueId integers_of(Emitter& e, const Value& quantized) {
  const auto object = quantized.object();
  if (const Value* integers = object->find("integers"); integers && !object->find("numbers")) return loaded_integers(e, integers->tensor());
  auto numbers = numbers_of(e.lowering(), quantized);
  if (!numbers) {
    e.fail(numbers.error());
    return kNoValue;
  }
  const Rounding rounding = rounding_of(quantized);
  const auto rank = static_cast<int64_t>((*numbers)->dims.size());
  const ValueId scale = along(e, rounding.scales, rounding, rank, DType::kF32);
  const ValueId zero = along(e, rounding.zero_points, rounding, rank, DType::kF32);
  const ValueId made = e.op("Add", {e.op("Round", {e.op("Div", {e.read(*numbers), scale})}), zero});
  return e.cast(made, plain_type(rounding.dtype));
}

ValueId rounded(Emitter& e, ValueId numbers, const Rounding& rounding) {
  const ValueId value = e.cast(numbers, DType::kF32);
  if (is_standard(rounding)) {
    const ValueId scale = listed(e, rounding.scales, rounding, DType::kF32);
    const ValueId zero = listed(e, rounding.zero_points, rounding, plain_type(rounding.dtype));
    const ValueId integers = e.op("QuantizeLinear", {value, scale, zero}, axis_attribute(rounding));
    return e.op("DequantizeLinear", {integers, scale, zero}, axis_attribute(rounding));
  }
  const int64_t rank = e.rank(value);
  const ValueId scale = along(e, rounding.scales, rounding, rank, DType::kF32);
  const ValueId zero = along(e, rounding.zero_points, rounding, rank, DType::kF32);
  ValueId steps = e.op("Add", {e.op("Round", {e.op("Div", {value, scale})}), zero});
  if (rounding.dtype != DType::kQI32) {
    const double most = rounding.dtype == DType::kQU4x2 ? 15 : rounding.dtype == DType::kQI8 ? 127 : 255;
    steps = e.op("Clip", {steps, e.number(rounding.dtype == DType::kQI8 ? -128 : 0, DType::kF32), e.number(most, DType::kF32)});
  }
  return e.op("Mul", {e.op("Sub", {steps, zero}), scale});
}

}  // namespace lanthorn::script
