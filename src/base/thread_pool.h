#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace lanthorn {

/// Threads that help whoever calls `parallel_for`. Idle ones spin for at most 50 us and then sleep.
/// Calls may come from many threads at once, and from inside a call; none waits for another: the
/// caller works itself, and workers join where there is work. A call allocates nothing.
class ThreadPool {
 public:
  /// `threads` counts the caller, so `threads` - 1 are started; 0 means usable_cpus(). Where the
  /// system refuses a thread, the pool is smaller.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The most threads that one call can use, the caller included.
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls fn(begin, end) for consecutive pieces of [0, count) until all is done, on at most
  /// `max_threads` threads, the caller included. Pieces have `grain` items (the last may have fewer)
  /// and are handed out in order. `fn` must not throw. All its effects are visible on return.
  template <class Fn>
  void parallel_for(size_t count, size_t grain, int max_threads, const Fn& fn) {
    if (count == 0) return;
    if (grain == 0) grain = 1;
    if (max_threads <= 1 || count <= grain || workers_.empty()) {
      for (size_t begin = 0; begin < count; begin += grain) {
        fn(begin, count - begin < grain ? count : begin + grain);
      }
      return;
    }
    run(count, grain, max_threads,
        [](const void* context, size_t begin, size_t end) {
          (*static_cast<const Fn*>(context))(begin, end);
        },
        &fn);
  }

 private:
  using Function = void (*)(const void* context, size_t begin, size_t end);
  struct alignas(64) Job {
    // Bit 31: open to workers. Bit 30: taken by a caller. Low bits: workers inside. Workers may
    // touch the other fields only while they are counted here, so a caller that sees none can let
    // go of the job.
    std::atomic<uint32_t> state{0};
    std::atomic<uint32_t> caller_sleeps{0};
    alignas(64) std::atomic<size_t> next{0};
    size_t count = 0, grain = 1;
    uint32_t most_workers = 0;
    Function function = nullptr;
    const void* context = nullptr;
  };
  static constexpr uint32_t kOpen = 1u << 31;
  static constexpr uint32_t kTaken = 1u << 30;
  static constexpr uint32_t kInside = kTaken - 1;
  static constexpr size_t kJobs = 32;

  void run(size_t count, size_t grain, int max_threads, Function function, const void* context);
  static bool work_on(Job& job);
  bool help_somebody();
  void worker_loop();
  Job* take_job();
  static void wait_for_workers(Job& job);

  Job jobs_[kJobs];
  alignas(64) std::atomic<uint32_t> posted_{0};  // changes with every new job, and to stop
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace lanthorn
