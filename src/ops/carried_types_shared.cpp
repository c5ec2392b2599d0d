#include "ops/carried_types_shared.h"

#include "ops/numbers_shared.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

// Widens `type` so that it covers `next` too. `loose` marks dimensions that are forgotten already.
Result<bool> widen(ValueType& type, const ValueType& next, std::vector<bool>& loose) {
  using enum ValueType::Kind;
  if (next.kind == kUnknown) return false;
  if (type.kind == kTensor && next.kind == kTensor && type.dtype == next.dtype) {
    if (!type.ranked) return false;
    if (!next.ranked || next.dims.size() != type.dims.size()) {
      type = ValueType::unranked(type.dtype);
      return true;
    }
    bool changed = false;
    loose.resize(type.dims.size());
    for (size_t i = 0; i < type.dims.size(); ++i) {
      if (loose[i] || type.dims[i] == next.dims[i]) continue;
      type.dims[i] = Dim::unknown();
      loose[i] = changed = true;
    }
    return changed;
  }
  const bool was_plain = type.kind == kTensor || type.kind == kUnknown;
  const bool had_element = type.element && type.element->kind != kUnknown;
  LAN_TRY(ValueType merged, merged_type(type, next));
  // Elements of sequences differ from run to run: only their dtype is kept.
  if (merged.element && merged.element->kind == kTensor) {
    const DType dtype = merged.element->dtype;
    merged.element = std::make_shared<const ValueType>(ValueType::unranked(dtype));
  }
  const bool changed =
      was_plain || !had_element || (type.element->ranked && type.element->kind == kTensor);
  type = std::move(merged);
  return changed;
}

void forget_sizes(ValueType& type, std::vector<bool>& loose) {
  for (Dim& dim : type.dims) dim = Dim::unknown();
  loose.assign(type.dims.size(), true);
}

}  // namespace

Result<CarriedTypes> infer_carried(InferContext& c, std::vector<ValueType> initial,
                                   const std::vector<ValueType>& others_before,
                                   const std::vector<ValueType>& others_after,
                                   size_t first_output) {
  CarriedTypes types{std::move(initial), {}};
  std::vector<std::vector<bool>> loose(types.carried.size());
  constexpr int kPatience = 4, kMostRounds = 8;
  for (int round = 0; round < kMostRounds; ++round) {
    if (round == kPatience) {
      for (size_t i = 0; i < types.carried.size(); ++i) forget_sizes(types.carried[i], loose[i]);
    }
    std::vector<ValueType> inputs = others_before;
    inputs.insert(inputs.end(), types.carried.begin(), types.carried.end());
    inputs.insert(inputs.end(), others_after.begin(), others_after.end());
    LAN_TRY(types.outputs, c.infer_subgraph("body", std::move(inputs)));
    if (types.outputs.size() < first_output + types.carried.size()) {
      return shape_error("the body has " + std::to_string(types.outputs.size()) +
                         " outputs, which is too few");
    }
    bool changed = false;
    for (size_t i = 0; i < types.carried.size(); ++i) {
      LAN_TRY(const bool one, widen(types.carried[i], types.outputs[first_output + i], loose[i]));
      changed = changed || one;
    }
    if (!changed) return types;
  }
  return shape_error("the types of a loop's values do not settle");
}

Status require_body_inputs(const InferContext& c, size_t count) {
  const auto* body = c.attributes().graph("body");
  if (!body || !*body || (*body)->inputs.size() == count) return ok();
  return shape_error("the body has " + std::to_string((*body)->inputs.size()) + " inputs, but gets " +
                     std::to_string(count));
}

ValueType outside_of_loop(ValueType type, const ValueType& initial) {
  if (type.kind != ValueType::Kind::kTensor || !type.ranked) return type;
  for (size_t i = 0; i < type.dims.size(); ++i) {
    const bool same = initial.ranked && i < initial.dims.size() && initial.dims[i] == type.dims[i];
    if (!same) type.dims[i] = Dim::unknown();
  }
  return type;
}

}  // namespace lanthorn
