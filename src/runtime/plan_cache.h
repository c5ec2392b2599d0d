#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "lanthorn/value.h"
#include "runtime/plan.h"

namespace lanthorn {

/// Plans by the shapes of the inputs and the cap on threads, the least recently used go first. Safe
/// to use from many threads; a plan that several ask for at once is made once.
class PlanCache {
 public:
  explicit PlanCache(size_t max_plans) : max_plans_(max_plans == 0 ? 1 : max_plans) {}
  using Maker = std::function<Result<std::shared_ptr<const Plan>>()>;
  /// The plan for these inputs (tensors all), from `make` where there is none. Null is a possible
  /// plan and kept too; errors are not kept.
  Result<std::shared_ptr<const Plan>> get(std::span<const Value> inputs, int threads, const Maker& make);
  size_t size() const;

 private:
  struct Entry;
  std::shared_ptr<Entry> find_or_add(std::span<const Value> inputs, int threads);

  size_t max_plans_;
  mutable std::mutex mutex_;
  uint64_t clock_ = 0;
  std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace lanthorn
