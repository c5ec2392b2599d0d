// Normalizations that came later, in the operators before them. Formulas are those of the standard's
// function bodies.

#include "formats/onnx/lower/lowerer.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

// What a normalization over the axes from `axis` on is computed in, and over which axes.
struct Rows {
  ValueId x = kNoValue, axes = kNoValue;
  DType dtype = DType::kF32;  // of the computation
};

Result<Rows> rows_of(Lowerer& l) {
  const auto rank = l.rank(0);
  if (!rank) return l.unsupported("the rank of its input is not known");
  int64_t axis = l.node.attributes.integer("axis", -1);
  if (axis < 0) axis += *rank;
  std::vector<int64_t> axes;
  for (int64_t i = std::max<int64_t>(axis, 0); i < *rank; ++i) axes.push_back(i);
  Rows rows;
  const DType stash = dtype_from_onnx(l.node.attributes.integer("stash_type", 1));
  // Doubles lose nothing by staying what they are.
  rows.dtype = l.dtype(0) == DType::kF64 ? DType::kF64 : is_floating(stash) ? stash : DType::kF32;
  rows.x = l.cast(l.node.inputs[0], rows.dtype);
  rows.axes = l.ints(axes);
  return rows;
}

ValueId mean(Lowerer& l, ValueId x, const Rows& rows) {
  return l.emit("ReduceMean", {x, rows.axes}, {{"keepdims", int64_t{1}}});
}

ValueId inverse_deviation(Lowerer& l, ValueId centered, const Rows& rows) {
  const ValueId square = mean(l, l.emit("Mul", {centered, centered}), rows);
  const ValueId epsilon = l.number(l.node.attributes.real("epsilon", 1e-5f), rows.dtype);
  return l.emit("Reciprocal", {l.emit("Sqrt", {l.emit("Add", {square, epsilon})})});
}

Status layer_normalization(Lowerer& l) {
  LAN_TRY(const Rows rows, rows_of(l));
  const std::vector<ValueId> out = l.node.outputs;
  const DType dtype = l.dtype(0);
  const ValueId average = mean(l, rows.x, rows);
  const ValueId centered = l.emit("Sub", {rows.x, average});
  const ValueId inverse = inverse_deviation(l, centered, rows);
  const ValueId normal = l.cast(l.emit("Mul", {centered, inverse}), dtype);
  const bool biased = l.has_input(2);
  if (biased) {
    const ValueId scaled = l.emit("Mul", {normal, l.node.inputs[1]});
    l.emit_into({out[0]}, "Add", {scaled, l.node.inputs[2]});
  } else {
    l.emit_into({out[0]}, "Mul", {normal, l.node.inputs[1]});
  }
  if (l.has_output(1)) l.emit_into({out[1]}, "Identity", {average});
  if (l.has_output(2)) l.emit_into({out[2]}, "Identity", {inverse});
  return ok();
}

Status rms_normalization(Lowerer& l) {
  LAN_TRY(const Rows rows, rows_of(l));
  const DType scale = l.dtype(1);
  const ValueId normal = l.emit("Mul", {rows.x, inverse_deviation(l, rows.x, rows)});
  l.emit_into(l.node.outputs, "Mul", {l.cast(normal, scale), l.node.inputs[1]});
  return ok();
}

// One number a channel, in the shape in which it broadcasts over the data.
ValueId per_channel(Lowerer& l, ValueId value, int64_t rank) {
  std::vector<int64_t> shape(static_cast<size_t>(rank - 1), 1);
  shape[0] = -1;
  return l.emit("Reshape", {value, l.ints(shape)});
}

// Groups become the channels of an InstanceNormalization, as exporters have always written it.
Status group_normalization(Lowerer& l) {
  const auto rank = l.rank(0);
  const int64_t groups = l.node.attributes.integer("num_groups", 0);
  if (!rank || *rank < 2 || groups < 1) return l.unsupported("the rank of its input is not known");
  const ValueId x = l.node.inputs[0];
  const DType dtype = l.dtype(0);
  const ValueId grouped = l.emit("Reshape", {x, l.ints({0, groups, -1})});
  const std::vector<double> ones(static_cast<size_t>(groups), 1), zeros(static_cast<size_t>(groups), 0);
  const auto parameter = [&](const std::vector<double>& values) -> Result<ValueId> {
    LAN_TRY(Tensor tensor, Tensor::of<double>(DType::kF64, {groups}, values).cast(dtype));
    return l.constant(std::move(tensor));
  };
  LAN_TRY(const ValueId scale, parameter(ones));
  LAN_TRY(const ValueId bias, parameter(zeros));
  const ValueId normal = l.emit("InstanceNormalization", {grouped, scale, bias},
                                {{"epsilon", l.node.attributes.real("epsilon", 1e-5f)}});
  const ValueId back = l.emit("Reshape", {normal, l.emit("Shape", {x})});
  const ValueId scaled = l.emit("Mul", {back, per_channel(l, l.node.inputs[1], *rank)});
  l.emit_into(l.node.outputs, "Add", {scaled, per_channel(l, l.node.inputs[2], *rank)});
  return ok();
}

Status mean_variance(Lowerer& l) {
  std::vector<int64_t> axes = l.node.attributes.ints("axes", {0, 2, 3});
  const DType dtype = l.dtype(0);
  const ValueId list = l.ints(axes);
  const ValueId x = l.node.inputs[0];
  const ValueId average = l.emit("ReduceMean", {x, list});
  const ValueId square = l.emit("Mul", {average, average});
  const ValueId of_squares = l.emit("ReduceMean", {l.emit("Mul", {x, x}), list});
  const ValueId deviation = l.emit("Sqrt", {l.emit("Sub", {of_squares, square})});
  const ValueId centered = l.emit("Sub", {x, average});
  l.emit_into(l.node.outputs, "Div", {centered, l.emit("Add", {deviation, l.number(1e-9, dtype)})});
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"LayerNormalization", 17, layer_normalization},
    {"RMSNormalization", 23, rms_normalization},
    {"GroupNormalization", 21, group_normalization},
    {"MeanVarianceNormalization", 9, mean_variance},
};

}  // namespace

std::span<const LoweringRule> normalization_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
