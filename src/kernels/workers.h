#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/thread_pool.h"

namespace lanthorn {

/// The threads that one kernel call may use.
struct Workers {
  ThreadPool* pool = nullptr;  // null: the caller alone
  int threads = 1;             // the caller included

  int count() const {
    const int most = pool == nullptr ? 1 : threads < pool->size() ? threads : pool->size();
    return most < 1 ? 1 : most > 64 ? 64 : most;
  }
  /// Calls fn(begin, end) for pieces of `grain` items of [0, items).
  template <class Fn>
  void run(size_t items, size_t grain, const Fn& fn) const {
    if (count() == 1) {
      if (items > 0) fn(size_t{0}, items);
    } else {
      pool->parallel_for(items, grain, count(), fn);
    }
  }
  /// A grain that gives each thread about `pieces` pieces of at least `least` items.
  size_t grain(size_t items, size_t least, size_t pieces = 4) const {
    const size_t wanted = items / (static_cast<size_t>(count()) * pieces);
    return wanted < least ? (least == 0 ? 1 : least) : wanted;
  }
};

/// Parts of a scratch area, one for each thread that is inside a call. At most 64.
class ScratchSlots {
 public:
  explicit ScratchSlots(int slots) : free_(slots >= 64 ? ~uint64_t{0} : (uint64_t{1} << slots) - 1) {}

  /// Holds a slot while it lives.
  class Lease {
   public:
    explicit Lease(ScratchSlots& slots) : slots_(slots), index_(slots.take()) {}
    ~Lease() { slots_.free_.fetch_or(uint64_t{1} << index_, std::memory_order_release); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    size_t index() const { return index_; }

   private:
    ScratchSlots& slots_;
    size_t index_;
  };

 private:
  size_t take() {
    uint64_t free = free_.load(std::memory_order_relaxed);
    while (true) {
      LAN_CHECK(free != 0);  // as many slots as threads
      const uint64_t lowest = free & (~free + 1);
      if (free_.compare_exchange_weak(free, free & ~lowest, std::memory_order_acquire)) {
        return static_cast<size_t>(std::countr_zero(lowest));
      }
    }
  }

  std::atomic<uint64_t> free_;
};

}  // namespace lanthorn
