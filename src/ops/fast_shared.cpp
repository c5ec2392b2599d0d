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

AutoPad auto_pad_of(const Attributes& attributes) {
  const std::string_view mode = attributes.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER") return AutoPad::kSameUpper;
  if (mode == "SAME_LOWER") return AutoPad::kSameLower;
  return mode == "VALID" ? AutoPad::kValid : AutoPad::kExplicit;
}

std::pair<size_t, size_t> PadRule::pads(size_t in, size_t out, size_t kernel, size_t stride,
                                        size_t dilation, size_t before, size_t after) const {
  if (mode == AutoPad::kExplicit) return {before, after};
  if (mode == AutoPad::kValid || out == 0) return {0, 0};
  const size_t reach = (out - 1) * stride + (kernel - 1) * dilation + 1;
  const size_t total = reach > in ? reach - in : 0;
  const size_t less = total / 2, more = total - less;
  if (mode == AutoPad::kSameUpper) return {less, more};
  return {more, less};
}

}  // namespace lanthorn
