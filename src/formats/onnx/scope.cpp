#include "formats/onnx/scope.h"

#include <algorithm>

namespace lanthorn::onnx {

Result<Opsets> Opsets::of(const std::vector<OpsetId>& ids, int64_t ir_version) {
  Opsets opsets;
  constexpr int64_t kFirstIrWithOpsets = 3;
  if (ir_version < kFirstIrWithOpsets && ids.empty()) opsets.onnx_ = 1;
  for (const OpsetId& id : ids) {
    if (!id.domain.empty() && id.domain != "ai.onnx") continue;
    if (id.version < 1) {
      return Error{ErrorCode::kCorrupt, "there is no opset " + std::to_string(id.version), "", ""};
    }
    if (id.version > kOpset) {
      return Error{ErrorCode::kUnsupported,
                   "the model uses opset " + std::to_string(id.version) + "; the newest known is " +
                       std::to_string(kOpset),
                   "", "export it with an older opset"};
    }
    opsets.onnx_ = std::max(opsets.onnx_, static_cast<int>(id.version));
  }
  return opsets;
}

std::string GraphBuild::unique_name(std::string wanted) {
  if (used_names.insert(wanted).second) return wanted;
  for (size_t i = used_names.size();; ++i) {
    std::string numbered = wanted + "_" + std::to_string(i);
    if (used_names.insert(numbered).second) return numbered;
  }
}

std::optional<ValueId> Scope::find(std::string_view name) {
  if (const auto found = names.find(name); found != names.end()) return found->second;
  if (!outer) return std::nullopt;
  const auto captured = outer->find(name);
  if (!captured) return std::nullopt;
  if (*captured == kNoValue) {
    names.emplace(name, kNoValue);
    return kNoValue;
  }
  const GraphValue& value = outer->graph().values[*captured];
  const std::string unique = build->unique_name(std::string(name));
  ValueId inner = kNoValue;
  if (value.constant) {
    inner = graph().add_constant(*value.constant, unique);
  } else {
    inner = graph().add_value(unique, value.type);
    graph().captures.push_back({*captured, inner});
  }
  names.emplace(name, inner);
  return inner;
}

Result<ValueId> Scope::declare(std::string_view name, ValueType type) {
  if (names.contains(name)) {
    return Error{ErrorCode::kCorrupt, "two values are called '" + std::string(name) + "'", "", ""};
  }
  const ValueId id =
      graph().add_value(build->unique_name(prefix + std::string(name)), std::move(type));
  names.emplace(name, id);
  return id;
}

}  // namespace lanthorn::onnx
