#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "lanthorn/result.h"
#include "ops/op.h"

namespace lanthorn {

/// True if a constant input i is not read any more once the kernel has packed it.
inline bool packs(const FastKernel& kernel, size_t i) {
  return kernel.prepare && i < 32 && (kernel.packed_inputs >> i & 1u) != 0;
}

/// FastKernel::prepare. Constants that are not computed yet, and that the kernel packs, are computed
/// for this alone.
Result<std::shared_ptr<const void>> prepare(const FastKernel& kernel, const KernelQuery& query);

/// What FastKernel::prepare made of constants, kept for all plans of an Executable. Safe to use from
/// many threads.
class PackedConstants {
 public:
  /// The packed form for this node and kernel; made now if there is none yet. `query.constants` must
  /// be the graph's own, not values that one plan folded. Null where the kernel packs nothing.
  Result<std::shared_ptr<const void>> get(const FastKernel& kernel, const KernelQuery& query);

 private:
  using Key = std::tuple<const Node*, const FastKernel*, uint64_t>;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const void>> packed_;
};

/// The best kernel that serves a query; null means the reference.
const FastKernel* choose_kernel(const OpEntry& op, const KernelQuery& query);

}  // namespace lanthorn
