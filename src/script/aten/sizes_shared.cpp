#include "script/aten/sizes_shared.h"

#include <algorithm>

namespace lanthorn::script {

Result<TensorRef> sized_tensor(Lowering& lowering, const Dims& elements, const Dims& dims, DType dtype) {
  LAN_TRY(ValueId value, lowering.shape_value(elements));
  if (dims.size() != 1) {
    LAN_TRY(const ValueId target, lowering.shape_value(dims));
    LAN_TRY(value, lowering.emit("Reshape", {value, target}));
  }
  LAN_TRY(value, cast(lowering, value, dtype));
  return lowering.tensor(value);
}

std::optional<Dims> elements_of(Lowering& lowering, const Value& value) {
  if (const Dim* number = value.integer()) return Dims{*number};
  const TensorRef tensor = value.tensor();
  return tensor ? lowering.elements(tensor) : std::nullopt;
}

std::optional<Result<Value>> sized_binary(Lowering& lowering, const Value& a, const Value& b, DType dtype,
                                          const std::function<Dim(const Dim&, const Dim&)>& combine) {
  if (!is_integer(dtype) || (!a.tensor() && !b.tensor())) return std::nullopt;
  const auto left = elements_of(lowering, a);
  const auto right = left ? elements_of(lowering, b) : std::nullopt;
  if (!left || !right) return std::nullopt;
  const Dims left_dims = a.tensor() ? a.tensor()->dims : Dims{};
  const Dims right_dims = b.tensor() ? b.tensor()->dims : Dims{};
  // Sizes are scalars or short lists: anything else is left to the graph.
  if (!(left_dims == right_dims) && left->size() != 1 && right->size() != 1) return std::nullopt;
  const size_t count = left->size() == 1 ? right->size() : left->size();
  const bool from_left = left_dims.size() > right_dims.size() ||
                         (left_dims.size() == right_dims.size() && right->size() == 1);
  const Dims& dims = from_left ? left_dims : right_dims;
  if (!product(dims).is(static_cast<int64_t>(count))) return std::nullopt;
  Dims elements;
  for (size_t i = 0; i < count; ++i) {
    elements.push_back(combine((*left)[left->size() == 1 ? 0 : i], (*right)[right->size() == 1 ? 0 : i]));
  }
  auto made = sized_tensor(lowering, elements, dims, dtype);
  if (!made) return Result<Value>(std::move(made).error());
  return Result<Value>(Value(*std::move(made)));
}

Dim missing_dim(const Dims& from, const Dims& to, size_t at) {
  // Equal factors are struck out first, so that batch * 512 * 1 * 1 over batch stays a number.
  Dims above = from, below;
  for (size_t i = 0; i < to.size(); ++i) {
    if (i == at) continue;
    const auto same = std::find(above.begin(), above.end(), to[i]);
    if (same != above.end()) {
      above.erase(same);
    } else {
      below.push_back(to[i]);
    }
  }
  return floor_div(product(above), product(below));
}

bool is_contiguous(const SymTensor& tensor) {
  for (const SymTensor* view = &tensor; view->base; view = view->base.get()) {
    switch (view->step.kind) {
      case ViewStep::Kind::kReshape: break;
      case ViewStep::Kind::kSlice:
        if (view->step.axis != 0 || !view->step.step.is(1)) return false;
        break;
      case ViewStep::Kind::kSelect:
        if (view->step.axis != 0) return false;
        break;
      default: return false;
    }
  }
  return true;
}

bool is_reordered(const SymTensor& tensor) {
  for (const SymTensor* view = &tensor; view->base; view = view->base.get()) {
    if (view->step.kind == ViewStep::Kind::kPermute || view->step.kind == ViewStep::Kind::kExpand) return true;
  }
  return false;
}

}  // namespace lanthorn::script
