#pragma once

#include <memory>
#include <utility>

#include "kernels/kernels.h"
#include "kernels/workers.h"
#include "ops/op.h"

// What the files *_fast.cpp share.
namespace lanthorn {

/// The threads that a run may use.
inline Workers workers_of(const RunContext& context) { return {context.pool(), context.threads()}; }

/// True if every input that is present, and every output, is float32.
bool all_float32(const KernelQuery& query);

/// All dimensions of input `i`, which are known in a query.
std::vector<int64_t> dims_of(const ValueType& type);
inline std::vector<int64_t> input_dims(const KernelQuery& query, size_t i) {
  return dims_of(query.inputs[i]);
}

/// FastKernel::prepare and pack_key for kernels that pack nothing: what they need is the loops of
/// the instruction set, table_of() in a run.
Result<std::shared_ptr<const void>> prepare_table(const KernelQuery& query);
uint64_t key_of_isa(const KernelQuery& query);
inline const KernelTable& table_of(const RunContext& context) {
  return *static_cast<const KernelTable*>(context.prepared());
}

inline const float* floats(const TensorView& view) { return static_cast<const float*>(view.data); }
inline float* floats(const MutableTensorView& view) { return static_cast<float*>(view.data); }
inline const float* floats_or_null(const RunContext& context, size_t i) {
  return context.has_input(i) ? floats(context.input(i)) : nullptr;
}

/// Attribute auto_pad, and the padding before one dimension that follows from it.
enum class AutoPad : uint8_t { kExplicit, kSameUpper, kSameLower, kValid };
AutoPad auto_pad_of(const Attributes& attributes);
struct PadRule {
  AutoPad mode = AutoPad::kExplicit;
  /// Padding before and after a dimension, of which `before` and `after` are the explicit ones.
  std::pair<size_t, size_t> pads(size_t in, size_t out, size_t kernel, size_t stride,
                                 size_t dilation, size_t before, size_t after) const;
};

/// The product of some dimensions.
inline size_t extent(std::span<const int64_t> dims) {
  size_t n = 1;
  for (const int64_t dim : dims) n *= static_cast<size_t>(dim);
  return n;
}

}  // namespace lanthorn
