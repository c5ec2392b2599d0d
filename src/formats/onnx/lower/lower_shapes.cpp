// Operators about shapes and positions.

#include <algorithm>

#include "formats/onnx/lower/lowerer.h"

namespace lanthorn::onnx {
namespace {

// Until opset 15 Shape gave all dimensions.
Status shape(Lowerer& l) {
  const bool part = l.node.attributes.integer("start", 0) != 0 || l.node.attributes.has("end");
  if (!part) return ok();
  const ValueId all = l.emit("Shape", {l.node.inputs[0]});
  const ValueId start = l.ints({l.node.attributes.integer("start", 0)});
  const ValueId end = l.ints({l.node.attributes.integer("end", INT64_MAX)});
  l.emit_into(l.node.outputs, "Slice", {all, start, end, l.ints({0})});
  return ok();
}

// Whether a size of the result is 0 only where the input has a 0 in the same place.
bool zero_comes_from_input(const Dim& size, const Dim& input) {
  if (size == input) return true;
  const auto factor = exact_div(size, input);
  return factor && factor->is_known() && factor->value() != 0;
}

// Until opset 14 a 0 in the target of Reshape always took the input's dimension: the same, where a
// size is 0 only because that dimension is.
Status allow_zero(Lowerer& l) {
  if (l.node.attributes.integer("allowzero", 0) == 0) return ok();
  const auto target = l.ints_input(1);
  bool same = target && std::find(target->begin(), target->end(), 0) == target->end();
  const ValueType& from = l.type(0);
  const ValueType& to = l.type_of(l.node.outputs[0]);
  if (!same && from.ranked && to.ranked) {
    same = true;
    for (size_t i = 0; i < to.dims.size(); ++i) {
      const bool never = to.dims[i].is_known() && to.dims[i].value() != 0;
      same = same && (never || (i < from.dims.size() && zero_comes_from_input(to.dims[i], from.dims[i])));
    }
  }
  if (!same) return l.unsupported("allowzero, which came with opset 14");
  l.node.attributes.remove("allowzero");
  return ok();
}

// A matrix of booleans that is true where Trilu keeps an element.
Status trilu(Lowerer& l) {
  const bool upper = l.node.attributes.integer("upper", 1) != 0;
  const ValueId x = l.node.inputs[0];
  const DType dtype = l.dtype(0);
  if (dtype == DType::kUndefined) return l.unsupported("the dtype of its input is not known");
  const ValueId shape = l.emit("Shape", {x});
  const auto size = [&](int64_t axis) {
    const ValueId one = l.emit("Slice", {shape, l.ints({axis}), l.ints({axis == -1 ? INT64_MAX : axis + 1}), l.ints({0})});
    return l.emit("Squeeze", {one, l.ints({0})});
  };
  const ValueId zero = l.number(0, DType::kI64), one = l.number(1, DType::kI64);
  const ValueId rows = l.emit("Unsqueeze", {l.emit("Range", {zero, size(-2), one}), l.ints({1})});
  const ValueId columns = l.emit("Unsqueeze", {l.emit("Range", {zero, size(-1), one}), l.ints({0})});
  const ValueId first = l.has_input(1) ? l.emit("Add", {rows, l.node.inputs[1]}) : rows;
  const ValueId kept = upper ? l.emit("LessOrEqual", {first, columns})
                             : l.emit("GreaterOrEqual", {first, columns});
  l.emit_into(l.node.outputs, "Where", {kept, x, l.number(0, dtype)});
  return ok();
}

// Before opset 11 axes counted from the front only.
Status positive_axis(Lowerer& l) {
  const auto rank = l.rank(0);
  const bool unsqueezes = l.node.op == "Unsqueeze";
  if (l.node.attributes.has("axis") && l.node.attributes.integer("axis", 0) < 0) {
    if (!rank) return l.unsupported("a negative axis, which came with opset 11");
    l.node.attributes.set("axis", l.node.attributes.integer("axis", 0) + *rank);
  }
  if (!l.node.attributes.has("axes")) return ok();
  std::vector<int64_t> axes = l.node.attributes.ints("axes");
  if (std::none_of(axes.begin(), axes.end(), [](int64_t axis) { return axis < 0; })) return ok();
  if (!rank) return l.unsupported("a negative axis, which came with opset 11");
  const int64_t all = *rank + (unsqueezes ? static_cast<int64_t>(axes.size()) : 0);
  for (int64_t& axis : axes) axis += axis < 0 ? all : 0;
  l.node.attributes.set("axes", axes);
  return ok();
}

// These default to the last axis, which was no default before.
Status last_axis(Lowerer& l) {
  if (!l.node.attributes.has("axis")) l.node.attributes.set("axis", int64_t{-1});
  return positive_axis(l);
}

// Before opset 11 indices were not negative.
Status positive_indices(Lowerer& l) {
  LAN_OK(positive_axis(l));
  const Tensor* given = l.constant_input(1);
  auto indices = l.ints_input(1);
  if (!given || !indices) return ok();
  if (std::none_of(indices->begin(), indices->end(), [](int64_t i) { return i < 0; })) return ok();
  const auto axis = static_cast<size_t>(l.node.attributes.integer("axis", 0));
  const ValueType& type = l.type(0);
  if (!type.ranked || axis >= type.dims.size() || !type.dims[axis].is_known()) {
    return l.unsupported("negative indices, which came with opset 11");
  }
  for (int64_t& index : *indices) index += index < 0 ? type.dims[axis].value() : 0;
  l.node.inputs[1] = l.constant(Tensor::of<int64_t>(DType::kI64, given->shape(), *indices));
  return ok();
}

// Sums in place of replacement came with opset 16; Max and Min with 18.
Status scatter_reduction(Lowerer& l) {
  const std::string reduction(l.node.attributes.text("reduction", "none"));
  const bool later = reduction == "max" || reduction == "min";
  if (reduction == "none" || (l.opset >= 16 && !later)) return ok();
  return l.unsupported("reduction " + reduction + ", which came with opset " + (later ? "18" : "16"));
}

constexpr LoweringRule kRules[] = {
    {"Shape", 15, shape},
    {"Reshape", 14, allow_zero},
    {"Trilu", 14, trilu},
    {"ScatterElements", 18, scatter_reduction},
    {"ScatterND", 18, scatter_reduction},
    {"ArgMax", 11, positive_axis},
    {"ArgMin", 11, positive_axis},
    {"Concat", 11, positive_axis},
    {"Flatten", 11, positive_axis},
    {"Gather", 11, positive_indices},
    {"Compress", 11, positive_axis},
    {"ReduceL1", 11, positive_axis},
    {"ReduceL2", 11, positive_axis},
    {"ReduceLogSum", 11, positive_axis},
    {"ReduceLogSumExp", 11, positive_axis},
    {"ReduceMax", 11, positive_axis},
    {"ReduceMean", 11, positive_axis},
    {"ReduceMin", 11, positive_axis},
    {"ReduceProd", 11, positive_axis},
    {"ReduceSum", 11, positive_axis},
    {"ReduceSumSquare", 11, positive_axis},
    {"Slice", 10, positive_axis},
    {"Split", 11, positive_axis},
    {"Squeeze", 11, positive_axis},
    {"Unsqueeze", 11, positive_axis},
    {"TopK", 11, last_axis},
};

}  // namespace

std::span<const LoweringRule> shape_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
