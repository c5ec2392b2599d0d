#include "ops/fast_shared.h"

namespace lanthorn {

bool all_float32(const KernelQuery& query) {
  for (const ValueType& input : query.inputs) {
    if (input.kind != ValueType::Kind::kTensor) return false;
    if (input.dtype != DType::kF32 && input.dtype != DType::kUndefined) return false;
  }
  for (const ValueType& output : query.outputs) {
    if (output.dtype != DType::kF32 && output.dtype != DType::kUndefined) return false;
  }
  return !query.inputs.empty() && query.has_input(0);
}

std::vector<int64_t> dims_of(const ValueType& type) {
  std::vector<int64_t> dims;
  dims.reserve(type.dims.size());
  for (const auto& dim : type.dims) dims.push_back(dim.value());
  return dims;
}

Result<std::shared_ptr<const void>> prepare_table(const KernelQuery& query) {
  // Tables live as long as the program, so nobody owns them.
  return std::shared_ptr<const void>(std::shared_ptr<const void>(), &kernels(query.isa));
}

uint64_t key_of_isa(const KernelQuery& query) { return static_cast<uint64_t>(query.isa); }

}  // namespace lanthorn
