// Comparisons, choices and elementwise operators whose types or number of inputs grew.

#include <limits>

#include "formats/onnx/lower/lowerer.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

Status or_equal(Lowerer& l) {
  const std::string op = l.node.op == "GreaterOrEqual" ? "Greater" : "Less";
  const ValueId strict = l.emit(op, {l.node.inputs[0], l.node.inputs[1]});
  const ValueId equal = l.emit("Equal", {l.node.inputs[0], l.node.inputs[1]});
  l.emit_into(l.node.outputs, "Or", {strict, equal});
  return ok();
}

// Until opset 12 Max and Min took floats only. Less and Where take whole numbers, and keep them exact.
Status extreme_of_wholes(Lowerer& l) {
  if (!is_integer(l.dtype(0))) return ok();
  const bool largest = l.node.op == "Max";
  const std::vector<ValueId> out = l.node.outputs;
  const std::vector<ValueId> in = l.node.inputs;
  ValueId best = in[0];
  for (size_t i = 1; i < in.size(); ++i) {
    const ValueId less = l.emit("Less", {best, in[i]});
    const std::vector<ValueId> chosen = largest ? std::vector<ValueId>{less, in[i], best}
                                                : std::vector<ValueId>{less, best, in[i]};
    if (i + 1 == in.size()) {
      l.emit_into(out, "Where", chosen);
    } else {
      best = l.emit("Where", chosen);
    }
  }
  if (in.size() == 1) l.emit_into(out, "Identity", {best});
  return ok();
}

// Before opset 8 these did not broadcast.
Status sum_without_broadcast(Lowerer& l) {
  const std::vector<ValueId> in = l.node.inputs;
  if (in.size() < 2) return ok();
  ValueId sum = in[0];
  for (size_t i = 1; i + 1 < in.size(); ++i) sum = l.emit("Add", {sum, in[i]});
  l.emit_into(l.node.outputs, "Add", {sum, in.back()});
  return ok();
}

Status same_shapes_only(Lowerer& l) {
  for (size_t i = 1; i < l.node.inputs.size(); ++i) {
    const ValueType& first = l.type(0);
    const ValueType& other = l.type(i);
    if (!first.ranked || !other.ranked || first.dims != other.dims) {
      return l.unsupported("inputs of different shapes, which came with opset 8");
    }
  }
  return ok();
}

Status cast_like(Lowerer& l) {
  const DType dtype = l.dtype(1);
  if (dtype == DType::kUndefined) return l.unsupported("the dtype of its target is not known");
  Attributes attributes{{"to", onnx_number(dtype)}};
  if (const Attribute* saturate = l.node.attributes.find("saturate")) attributes.set("saturate", *saturate);
  l.emit_into(l.node.outputs, "Cast", {l.node.inputs[0]}, attributes);
  return ok();
}

// Base and exponent had one dtype.
Status pow_of_one_dtype(Lowerer& l) {
  const DType base = l.dtype(0), exponent = l.dtype(1);
  if (base == exponent) {
    if (!is_integer(base)) return ok();
    // Until opset 12 there were floats only.
    const ValueId wide = l.emit("Pow", {l.cast(l.node.inputs[0], DType::kF64), l.cast(l.node.inputs[1], DType::kF64)});
    l.emit_into(l.node.outputs, "Cast", {wide}, {{"to", onnx_number(base)}});
    return ok();
  }
  if (is_integer(base) && is_floating(exponent)) {
    const ValueId power = l.emit("Pow", {l.cast(l.node.inputs[0], exponent), l.node.inputs[1]});
    l.emit_into(l.node.outputs, "Cast", {power}, {{"to", onnx_number(base)}});
    return ok();
  }
  l.emit_into(l.node.outputs, "Pow", {l.node.inputs[0], l.cast(l.node.inputs[1], base)});
  return ok();
}

Status is_inf(Lowerer& l) {
  const bool positive = l.node.attributes.integer("detect_positive", 1) != 0;
  const bool negative = l.node.attributes.integer("detect_negative", 1) != 0;
  const DType dtype = l.dtype(0);
  if (!positive || dtype == DType::kUndefined) return l.unsupported("it came with opset 10");
  const ValueId x = l.node.inputs[0];
  const ValueId size = negative ? l.emit("Abs", {x}) : x;
  const double largest = dtype == DType::kF32 ? std::numeric_limits<float>::max()
                         : dtype == DType::kF16 ? 65504.0
                                                : std::numeric_limits<double>::max();
  l.emit_into(l.node.outputs, "Greater", {size, l.number(largest, dtype)});
  return ok();
}

// Until opset 28 only unsigned numbers were shifted. To the left is a product; to the right a
// division that rounds down.
Status shift_of_signed(Lowerer& l) {
  const DType dtype = l.dtype(0);
  const bool is_signed = dtype == DType::kI8 || dtype == DType::kI16 || dtype == DType::kI32 || dtype == DType::kI64;
  if (!is_signed) return ok();
  const ValueId x = l.node.inputs[0];
  // Two to the power of the shift, exact in a double.
  const ValueId shift = l.cast(l.node.inputs[1], DType::kF64);
  const ValueId power = l.emit("Pow", {l.number(2, DType::kF64), shift});
  const ValueId factor = l.cast(power, dtype);
  if (l.node.attributes.text("direction", "") == "LEFT") {
    l.emit_into(l.node.outputs, "Mul", {x, factor});
    return ok();
  }
  // Mod of whole numbers has the divisor's sign, so what is left divides without rounding.
  const ValueId rest = l.emit("Mod", {x, factor});
  l.emit_into(l.node.outputs, "Div", {l.emit("Sub", {x, rest}), factor});
  return ok();
}

Status bernoulli(Lowerer& l) {
  Attributes uniform{{"low", 0.0f}, {"high", 1.0f}, {"dtype", int64_t{1}}};
  if (const Attribute* seed = l.node.attributes.find("seed")) uniform.set("seed", *seed);
  const ValueId drawn = l.emit("RandomUniformLike", {l.node.inputs[0]}, uniform);
  const ValueId hit = l.emit("Less", {drawn, l.cast(l.node.inputs[0], DType::kF32)});
  const int64_t wanted = l.node.attributes.integer("dtype", 0);
  const int64_t to = wanted != 0 ? wanted : onnx_number(l.dtype(0));
  l.emit_into(l.node.outputs, "Cast", {hit}, {{"to", to}});
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"GreaterOrEqual", 12, or_equal},
    {"LessOrEqual", 12, or_equal},
    {"Max", 12, extreme_of_wholes},
    {"Min", 12, extreme_of_wholes},
    {"Max", 8, same_shapes_only},
    {"Min", 8, same_shapes_only},
    {"Mean", 8, same_shapes_only},
    {"Sum", 8, sum_without_broadcast},
    {"CastLike", 15, cast_like},
    {"Pow", 12, pow_of_one_dtype},
    {"IsInf", 10, is_inf},
    {"BitShift", 28, shift_of_signed},
    {"Bernoulli", 15, bernoulli},
};

}  // namespace

std::span<const LoweringRule> comparison_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
