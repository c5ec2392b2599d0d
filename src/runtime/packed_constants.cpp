#include "runtime/packed_constants.h"

#include <vector>

namespace lanthorn {

Result<std::shared_ptr<const void>> prepare(const FastKernel& kernel, const KernelQuery& query) {
  std::vector<Tensor> computed(query.constants.size());
  std::vector<const Tensor*> constants(query.constants.begin(), query.constants.end());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (!packs(kernel, i) || !constants[i] || !constants[i]->is_deferred()) continue;
    LAN_TRY(computed[i], constants[i]->computed());
    constants[i] = &computed[i];
  }
  return kernel.prepare({query.node, query.inputs, query.outputs, constants, query.isa, query.threads, query.bf16});
}

Result<std::shared_ptr<const void>> PackedConstants::get(const FastKernel& kernel, const KernelQuery& query) {
  if (!kernel.prepare) return std::shared_ptr<const void>();
  const Key key(&query.node, &kernel, kernel.pack_key ? kernel.pack_key(query) : 0);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = packed_.find(key); found != packed_.end()) return found->second;
  }
  LAN_TRY(std::shared_ptr<const void> packed, prepare(kernel, query));
  const std::lock_guard lock(mutex_);
  return packed_.emplace(key, std::move(packed)).first->second;  // the first of two that raced stays
}

const FastKernel* choose_kernel(const OpEntry& op, const KernelQuery& query) {
  for (const FastKernel& kernel : op.fast()) {
    if (!kernel.applies || kernel.applies(query)) return &kernel;
  }
  return nullptr;
}

}  // namespace lanthorn
