// QuantizeLinear and DequantizeLinear by axis, in blocks and of dtypes that came later.

#include <algorithm>

#include "formats/onnx/lower/lowerer.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

// One scale for all: before opset 13 there was no axis.
bool is_one_number(const Lowerer& l, size_t input) {
  const ValueType& type = l.type(input);
  return type.ranked && product(type.dims).is(1) && type.dims.size() <= 1;
}

// A scale or zero point in the shape in which it broadcasts over the data.
Result<ValueId> spread(Lowerer& l, size_t input) {
  const ValueType& type = l.type(input);
  const auto rank = l.rank(0);
  if (!type.ranked || !rank) return l.unsupported("the ranks of its inputs are not known");
  if (type.dims.empty() || is_one_number(l, input)) return l.node.inputs[input];
  int64_t axis = l.node.attributes.integer("axis", 1);
  if (axis < 0) axis += *rank;
  if (axis < 0 || axis >= *rank) return l.unsupported("its axis is out of range");
  const int64_t block = l.node.attributes.integer("block_size", 0);
  if (block > 0) {
    // Each number stands for a block: [.., n, ..] -> [.., n, 1, ..] -> [.., n, block, ..] -> [.., n * block, ..].
    if (!all_known(type.dims) || !l.type(0).ranked || !all_known(l.type(0).dims)) {
      return l.unsupported("blocks of unknown number, which came with opset 21");
    }
    std::vector<int64_t> wide, whole;
    for (size_t i = 0; i < type.dims.size(); ++i) {
      wide.push_back(type.dims[i].value());
      if (static_cast<int64_t>(i) == axis) wide.push_back(block);
      whole.push_back(l.type(0).dims[i].value());
    }
    const auto at = static_cast<size_t>(axis);
    if (type.dims[at].value() * block != whole[at]) return l.unsupported("a last block that is not full");
    const ValueId column = l.emit("Unsqueeze", {l.node.inputs[input], l.ints({axis + 1})});
    return l.emit("Reshape", {l.emit("Expand", {column, l.ints(wide)}), l.ints(whole)});
  }
  std::vector<int64_t> shape(static_cast<size_t>(*rank), 1);
  shape[static_cast<size_t>(axis)] = -1;
  return l.emit("Reshape", {l.node.inputs[input], l.ints(shape)});
}

// Numbers of a type that the opset has not, if they are constant, else a Cast.
Result<ValueId> as_float(Lowerer& l, ValueId id, DType dtype) {
  if (const Tensor* tensor = l.known(id)) {
    auto straight = tensor->contiguous();
    if (!straight) return std::move(straight).error();
    LAN_TRY(Tensor cast, straight->cast(dtype));
    return l.constant(std::move(cast));
  }
  return l.cast(id, dtype);
}

// (x - zero point) * scale
Status dequantize_by_hand(Lowerer& l) {
  const DType scale = l.dtype(1);
  const int64_t wanted = l.node.attributes.integer("output_dtype", 0);
  const DType out = wanted != 0 ? dtype_from_onnx(wanted) : scale;
  LAN_TRY(ValueId value, as_float(l, l.node.inputs[0], DType::kF32));
  if (l.has_input(2)) {
    LAN_TRY(const ValueId zero, spread(l, 2));
    LAN_TRY(const ValueId zero_point, as_float(l, zero, DType::kF32));
    value = l.emit("Sub", {value, zero_point});
  }
  LAN_TRY(const ValueId factor, spread(l, 1));
  value = l.emit("Mul", {value, l.cast(factor, DType::kF32)});
  if (out == DType::kF32) {
    l.emit_into(l.node.outputs, "Identity", {value});
  } else {
    l.emit_into(l.node.outputs, "Cast", {value}, {{"to", onnx_number(out)}});
  }
  return ok();
}

struct Range {
  double low, high;
};
std::optional<Range> range_of_dtype(DType dtype) {
  switch (dtype) {
    case DType::kI8: return Range{-128, 127};
    case DType::kU8: return Range{0, 255};
    case DType::kI16: return Range{-32768, 32767};
    case DType::kU16: return Range{0, 65535};
    default: return std::nullopt;
  }
}

// saturate(round(x / scale) + zero point)
Status quantize_by_hand(Lowerer& l) {
  const int64_t wanted = l.node.attributes.integer("output_dtype", 0);
  const DType out = l.has_input(2) ? l.dtype(2) : wanted != 0 ? dtype_from_onnx(wanted) : DType::kU8;
  const auto range = range_of_dtype(out);
  if (!range) return l.unsupported("numbers of type " + std::string(dtype_name(out)) + ", which came later");
  LAN_TRY(const ValueId scale, spread(l, 1));
  const ValueId x = l.cast(l.node.inputs[0], DType::kF32);
  ValueId value = l.emit("Round", {l.emit("Div", {x, l.cast(scale, DType::kF32)})});
  if (l.has_input(2)) {
    LAN_TRY(const ValueId zero, spread(l, 2));
    value = l.emit("Add", {value, l.cast(zero, DType::kF32)});
  }
  value = l.emit("Clip", {value, l.number(range->low, DType::kF32), l.number(range->high, DType::kF32)});
  l.emit_into(l.node.outputs, "Cast", {value}, {{"to", onnx_number(out)}});
  return ok();
}

// Whether the operator of the opset takes the node as it is.
bool fits(Lowerer& l) {
  for (size_t i = 0; i < l.node.inputs.size(); ++i) {
    if (l.has_input(i) && !l.takes(i, l.dtype(i))) return false;
  }
  const Attributes& a = l.node.attributes;
  if (l.opset < 21 && (a.integer("block_size", 0) != 0 || a.integer("output_dtype", 0) != 0)) return false;
  if (l.opset < 23 && l.node.op == "DequantizeLinear" && a.integer("output_dtype", 0) != 0) return false;
  if (l.opset < 23 && a.integer("precision", 0) > 1) return false;
  return l.opset >= 13 || is_one_number(l, 1);
}

Status dequantize(Lowerer& l) {
  if (!fits(l)) return dequantize_by_hand(l);
  if (l.opset < 13) l.node.attributes.remove("axis");
  return ok();
}

Status quantize(Lowerer& l) {
  const int64_t wanted = l.node.attributes.integer("output_dtype", 0);
  // A zero point of the dtype says the same.
  if (l.opset < 21 && wanted != 0) {
    l.node.attributes.remove("output_dtype");
    if (!l.has_input(2) && l.type(1).ranked && all_known(l.type(1).dims)) {
      Shape shape;
      for (const Dim& dim : l.type(1).dims) shape.push_back(dim.value());
      LAN_TRY(Tensor zeros, Tensor::allocate(dtype_from_onnx(wanted), shape));
      l.node.inputs.resize(2);
      l.node.inputs.push_back(l.constant(std::move(zeros)));
    } else if (!l.has_input(2)) {
      return l.unsupported("output_dtype, which came with opset 21");
    }
  }
  if (l.opset < 23) {
    if (l.node.attributes.integer("precision", 0) == 1) l.node.attributes.remove("precision");
  }
  if (!fits(l)) return quantize_by_hand(l);
  if (l.opset < 13) l.node.attributes.remove("axis");
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"DequantizeLinear", 28, dequantize},
    {"QuantizeLinear", 28, quantize},
};

}  // namespace

std::span<const LoweringRule> quantization_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
