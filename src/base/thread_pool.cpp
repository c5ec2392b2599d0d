#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/cpu.h"

namespace lanthorn {
namespace {

constexpr std::chrono::microseconds kSpin{50};

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Calls `done` until it answers true or the time to spin is over.
template <class Done>
bool spin_until(const Done& done) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() - start < kSpin);
  return done();
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  const int wanted = std::max(1, threads > 0 ? threads : usable_cpus()) - 1;
  workers_.reserve(static_cast<size_t>(wanted));
  for (int i = 0; i < wanted; ++i) {
    try {
      workers_.emplace_back([this] { worker_loop(); });
    } catch (const std::system_error&) {
      break;  // a limit on threads: those that started are enough
    }
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  posted_.fetch_add(1);
  posted_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

ThreadPool::Job* ThreadPool::take_job() {
  for (Job& job : jobs_) {
    uint32_t free = 0;
    if (job.state.load(std::memory_order_relaxed) == 0 &&
        job.state.compare_exchange_strong(free, kTaken, std::memory_order_acquire)) {
      return &job;
    }
  }
  return nullptr;
}

bool ThreadPool::work_on(Job& job) {
  bool worked = false;
  while (true) {
    const size_t begin = job.next.fetch_add(job.grain, std::memory_order_relaxed);
    if (begin >= job.count) return worked;
    job.function(job.context, begin, std::min(job.count, begin + job.grain));
    worked = true;
  }
}

void ThreadPool::run(size_t count, size_t grain, int max_threads, Function function,
                     const void* context) {
  Job* job = take_job();
  if (job == nullptr) {  // more callers than we keep jobs for: they keep all cores busy anyway
    for (size_t begin = 0; begin < count; begin += grain) {
      function(context, begin, std::min(count, begin + grain));
    }
    return;
  }
  const size_t pieces = (count - 1) / grain + 1;
  const size_t most = std::min({static_cast<size_t>(max_threads) - 1, workers_.size(), pieces - 1});
  job->next.store(0, std::memory_order_relaxed);
  job->count = count;
  job->grain = grain;
  job->most_workers = static_cast<uint32_t>(most);
  job->function = function;
  job->context = context;
  job->state.store(kTaken | kOpen, std::memory_order_release);
  // Sequentially consistent with the sleepers' own order (count up, look again, sleep), so that
  // either they see the new job or we see that they sleep.
  posted_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) {
    for (size_t i = 0; i < most; ++i) posted_.notify_one();
  }
  work_on(*job);
  job->state.fetch_and(~kOpen, std::memory_order_acq_rel);
  wait_for_workers(*job);
  job->state.store(0, std::memory_order_release);
}

void ThreadPool::wait_for_workers(Job& job) {
  const auto all_left = [&job] {
    return (job.state.load(std::memory_order_acquire) & kInside) == 0;
  };
  if (spin_until(all_left)) return;
  job.caller_sleeps.store(1, std::memory_order_seq_cst);
  while (true) {
    const uint32_t state = job.state.load(std::memory_order_seq_cst);
    if ((state & kInside) == 0) break;
    job.state.wait(state, std::memory_order_acquire);
  }
  job.caller_sleeps.store(0, std::memory_order_relaxed);
}

bool ThreadPool::help_somebody() {
  bool helped = false;
  for (Job& job : jobs_) {
    uint32_t state = job.state.load(std::memory_order_relaxed);
    // One more worker inside, while the job is open. `most_workers` may be read only from inside, so
    // a worker too many enters and leaves again.
    while ((state & kOpen) != 0) {
      if (!job.state.compare_exchange_weak(state, state + 1, std::memory_order_acquire)) continue;
      if ((state & kInside) < job.most_workers) {
        // Open jobs without a piece left do not count, or workers would spin while a caller is
        // busy with the last piece.
        helped = work_on(job) || helped;
      }
      const uint32_t before = job.state.fetch_sub(1, std::memory_order_seq_cst);
      // The job belongs to its caller again from here on; waking up nobody does no harm.
      if ((before & kInside) == 1 && (before & kOpen) == 0 &&
          job.caller_sleeps.load(std::memory_order_seq_cst) != 0) {
        job.state.notify_all();
      }
      break;
    }
  }
  return helped;
}

void ThreadPool::worker_loop() {
  uint32_t seen = posted_.load(std::memory_order_seq_cst);
  while (true) {
    while (help_somebody()) {
    }
    if (stop_.load(std::memory_order_acquire)) return;
    const auto news = [this, seen] { return posted_.load(std::memory_order_acquire) != seen; };
    if (!spin_until(news)) {
      sleepers_.fetch_add(1, std::memory_order_seq_cst);
      posted_.wait(seen, std::memory_order_seq_cst);
      sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    }
    seen = posted_.load(std::memory_order_seq_cst);
  }
}

}  // namespace lanthorn
