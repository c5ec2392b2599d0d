// Clamping, where and masks.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// Clip takes numbers; tensors clamp element by element, the upper bound last.
Result<Value> clamp_values(Lowering& lowering, const Value& x, const Value& low, const Value& high) {
  Emitter e(lowering);
  std::vector<Value> operands = {x};
  if (!low.is_none()) operands.push_back(low);
  if (!high.is_none()) operands.push_back(high);
  const DType dtype = result_type(operands);
  const ValueId value = e.operand(x, dtype);
  const bool numbers = !low.tensor() && !high.tensor();
  if (numbers) {
    if (low.is_none() && high.is_none()) return e.result(e.op("Identity", {value}));
    const ValueId lower = low.is_none() ? kNoValue : e.operand(low, dtype);
    std::vector<ValueId> inputs = {value, lower};
    if (!high.is_none()) inputs.push_back(e.operand(high, dtype));
    return e.result(e.op("Clip", std::move(inputs)));
  }
  ValueId y = value;
  if (!low.is_none()) y = e.op("Max", {y, e.operand(low, dtype)});
  if (!high.is_none()) y = e.op("Min", {y, e.operand(high, dtype)});
  return e.result(y);
}

Result<Value> clamp(Lowering& lowering, const Args& args) {
  return clamp_values(lowering, args[0], args[1], args[2]);
}
Result<Value> clamp_min(Lowering& lowering, const Args& args) {
  return clamp_values(lowering, args[0], args[1], Value(None{}));
}
Result<Value> clamp_max(Lowering& lowering, const Args& args) {
  return clamp_values(lowering, args[0], Value(None{}), args[1]);
}

// (condition, self, other)
Result<Value> where(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[1], args[2]});
  return e.result(e.op("Where", {e.operand(args[0], DType::kBool), e.operand(args[1], dtype),
                                 e.operand(args[2], dtype)}));
}

// Where the condition holds: one index tensor a dimension.
Result<Value> where_indices(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef condition = args.tensor(0);
  const size_t rank = std::max<size_t>(condition->dims.size(), 1);
  ValueId x = e.read(condition);
  if (condition->dims.empty()) x = e.unsqueeze(x, {0});
  const auto rows = e.split(e.op("NonZero", {x}), 0, Dims(rank, Dim(1)));
  std::vector<ValueId> lists;
  for (const ValueId row : rows) lists.push_back(e.squeeze(row, {0}));
  return e.list(lists);
}

// (self, mask, value): keeps self's dtype
Result<Value> masked_fill(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = args.tensor(0)->dtype;
  return e.result(
      e.op("Where", {e.operand(args[1], DType::kBool), e.operand(args[2], dtype), e.operand(args[0], dtype)}));
}

// The elements where the mask holds, in order.
Result<Value> masked_select(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0), mask = args.tensor(1);
  ValueId value = e.read(x), chosen = e.read(mask, DType::kBool);
  if (!(x->dims == mask->dims)) {
    value = e.op("Expand", {value, e.op("Shape", {chosen})});
    chosen = e.op("Expand", {chosen, e.op("Shape", {value})});
  }
  const ValueId all = e.ints({-1});
  return e.result(e.op("Compress", {e.op("Reshape", {value, all}), e.op("Reshape", {chosen, all})},
                       {{"axis", int64_t{0}}}));
}

constexpr AtenRow kRows[] = {
    {"aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp},
    {"aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clamp},
    {"aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp},
    {"aten::clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clamp},
    {"aten::clamp_min(Tensor self, Scalar min) -> Tensor", clamp_min},
    {"aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", clamp_min},
    {"aten::clamp_max(Tensor self, Scalar max) -> Tensor", clamp_max},
    {"aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", clamp_max},
    {"aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", where},
    {"aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor", where},
    {"aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor", where},
    {"aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor", where},
    {"aten::where(Tensor condition) -> Tensor[]", where_indices},
    {"aten::nonzero_numpy(Tensor self) -> Tensor[]", where_indices},
    {"aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", masked_fill},
    {"aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", masked_fill},
    {"aten::masked_select(Tensor self, Tensor mask) -> Tensor", masked_select},
};

}  // namespace

extern const std::span<const AtenRow> aten_select_by_mask = kRows;

}  // namespace lanthorn::script
