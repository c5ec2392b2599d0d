#include "runtime/plan_cache.h"

#include <algorithm>

namespace lanthorn {

struct PlanCache::Entry {
  int threads = 1;
  std::vector<Shape> shapes;
  uint64_t used = 0;  // under PlanCache::mutex_
  std::mutex making;  // held while the plan is made
  bool made = false;
  std::shared_ptr<const Plan> plan;

  bool fits(std::span<const Value> inputs, int cap) const {
    if (threads != cap) return false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].tensor()->shape() != shapes[i]) return false;
    }
    return true;
  }
};

std::shared_ptr<PlanCache::Entry> PlanCache::find_or_add(std::span<const Value> inputs, int threads) {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (!entry->fits(inputs, threads)) continue;
    entry->used = ++clock_;
    return entry;
  }
  if (entries_.size() >= max_plans_) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a->used < b->used; }));
  }
  auto entry = std::make_shared<Entry>();
  entry->threads = threads;
  for (const Value& input : inputs) entry->shapes.push_back(input.tensor()->shape());
  entry->used = ++clock_;
  entries_.push_back(entry);
  return entry;
}

Result<std::shared_ptr<const Plan>> PlanCache::get(std::span<const Value> inputs, int threads, const Maker& make) {
  const std::shared_ptr<Entry> entry = find_or_add(inputs, threads);
  const std::lock_guard lock(entry->making);
  if (!entry->made) {
    auto plan = make();
    if (!plan) {
      const std::lock_guard entries_lock(mutex_);
      std::erase(entries_, entry);
      return std::move(plan).error();
    }
    entry->plan = *std::move(plan);
    entry->made = true;
  }
  return entry->plan;
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace lanthorn
