#include "script/aten/sizes_shared.h"

#include <algorithm>

#include "base/check.h"

namespace lanthorn::script {
namespace {

int64_t count_of(const Dims& dims) {
  int64_t count = 1;
  for (const Dim& dim : dims) count *= dim.value();
  return count;
}

}  // namespace

TensorRef sized_tensor(Dims elements, Dims dims, DType dtype) {
  LAN_CHECK(all_known(dims) && count_of(dims) == static_cast<int64_t>(elements.size()));
  auto tensor = std::make_shared<SymTensor>();
  tensor->root = std::make_shared<StorageRoot>();
  tensor->dtype = dtype;
  tensor->dims = std::move(dims);
  tensor->elements = std::move(elements);
  return tensor;
}

Status materialize(Lowering& lowering, SymTensor& tensor) {
  if (tensor.root->current != kNoValue || !tensor.elements || !tensor.chain.empty()) return ok();
  LAN_TRY(ValueId value, lowering.shape_value(*tensor.elements));
  if (tensor.dims.size() != 1) {
    LAN_TRY(const ValueId target, lowering.shape_value(tensor.dims));
    LAN_TRY(value, lowering.emit("Reshape", {value, target}));
  }
  LAN_TRY(value, cast(lowering, value, tensor.dtype));
  tensor.root->current = value;
  return ok();
}

Result<ValueId> read_tensor(Lowering& lowering, const TensorRef& tensor) {
  LAN_OK(materialize(lowering, *tensor));
  return lowering.read(tensor);
}

std::optional<Dims> elements_of(const Value& value) {
  if (const Dim* number = value.integer()) return Dims{*number};
  const TensorRef tensor = value.tensor();
  if (!tensor || !tensor->elements || tensor->root->version != 0) return std::nullopt;
  return tensor->elements;
}

bool is_sized(const Value& value) {
  const TensorRef tensor = value.tensor();
  return tensor && tensor->elements && tensor->chain.empty() && tensor->root->current == kNoValue;
}

std::optional<Value> sized_binary(const Value& a, const Value& b, DType dtype,
                                  const std::function<Dim(const Dim&, const Dim&)>& combine) {
  if (!is_integer(dtype) || !(is_sized(a) || is_sized(b))) return std::nullopt;
  const auto left = elements_of(a), right = elements_of(b);
  if (!left || !right) return std::nullopt;
  const Dims left_dims = a.tensor() ? a.tensor()->dims : Dims{};
  const Dims right_dims = b.tensor() ? b.tensor()->dims : Dims{};
  // Sizes are scalars or short lists: anything else is left to the graph.
  const bool same = left_dims == right_dims;
  if (!same && left->size() != 1 && right->size() != 1) return std::nullopt;
  const Dims& dims = left_dims.size() > right_dims.size() ||
                             (left_dims.size() == right_dims.size() && left->size() > right->size())
                         ? left_dims
                         : right_dims;
  const size_t count = std::max(left->size(), right->size());
  if (!all_known(dims) || count_of(dims) != static_cast<int64_t>(count)) return std::nullopt;
  Dims elements;
  for (size_t i = 0; i < count; ++i) {
    elements.push_back(combine((*left)[left->size() == 1 ? 0 : i], (*right)[right->size() == 1 ? 0 : i]));
  }
  return Value(sized_tensor(std::move(elements), dims, dtype));
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
  return std::all_of(tensor.chain.begin(), tensor.chain.end(), [](const ViewStep& step) {
    switch (step.kind) {
      case ViewStep::Kind::kReshape: return true;
      case ViewStep::Kind::kSlice: return step.axis == 0 && step.step.is(1);
      case ViewStep::Kind::kSelect: return step.axis == 0;
      default: return false;
    }
  });
}

}  // namespace lanthorn::script
