#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

namespace lanthorn {
namespace {

TEST(ThreadPool, every_item_is_done_once_and_seen_on_return) {
  ThreadPool pool(4);
  for (const size_t count : {0, 1, 2, 7, 64, 1000}) {
    for (const size_t grain : {1, 3, 64}) {
      for (const int threads : {1, 2, 4, 9}) {
        std::vector<int> done(count);
        pool.parallel_for(count, grain, threads, [&done](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) ++done[i];
        });
        for (const int times : done) ASSERT_EQ(times, 1);
      }
    }
  }
}

TEST(ThreadPool, no_more_threads_work_on_a_call_than_it_allows) {
  ThreadPool pool(8);
  for (const int most : {1, 2, 3}) {
    std::atomic<int> inside{0}, seen{0};
    pool.parallel_for(64, 1, most, [&](size_t, size_t) {
      const int now = ++inside;
      int before = seen;
      while (before < now && !seen.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      --inside;
    });
    EXPECT_LE(seen, most);
  }
}

TEST(ThreadPool, workers_really_help) {
  ThreadPool pool(2);
  // The first piece waits until another thread starts the second, so the caller alone would hang.
  std::atomic<int> started{0};
  pool.parallel_for(2, 1, 2, [&](size_t, size_t) {
    ++started;
    while (started < 2) std::this_thread::yield();
  });
  EXPECT_EQ(started, 2);
}

TEST(ThreadPool, several_callers_at_once_all_get_right_answers) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 6; ++c) {
    callers.emplace_back([&pool, &wrong, c] {
      for (int round = 0; round < 200; ++round) {
        std::atomic<uint64_t> sum{0};
        pool.parallel_for(100, 7, 1 + c % 4, [&sum](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) sum += i;
        });
        if (sum != 4950) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadPool, a_call_inside_a_call_works) {
  ThreadPool pool(3);
  std::atomic<int> items{0};
  pool.parallel_for(8, 1, 3, [&](size_t, size_t) {
    pool.parallel_for(10, 2, 3, [&items](size_t begin, size_t end) {
      items += static_cast<int>(end - begin);
    });
  });
  EXPECT_EQ(items, 80);
}

TEST(ThreadPool, workers_that_fell_asleep_wake_up_for_new_work) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // far longer than they spin
    std::atomic<int> started{0};
    pool.parallel_for(2, 1, 2, [&](size_t, size_t) {
      ++started;
      while (started < 2) std::this_thread::yield();
    });
    EXPECT_EQ(started, 2);
  }
}

TEST(ThreadPool, idle_workers_use_no_processor_time) {
  ThreadPool pool(4);
  pool.parallel_for(8, 1, 4, [](size_t, size_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::clock_t before = std::clock();  // of all threads of the process
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(used, 0.02);
}

TEST(ThreadPool, a_pool_of_one_runs_everything_on_the_caller) {
  ThreadPool pool(1);
  EXPECT_EQ(pool.size(), 1);
  const auto caller = std::this_thread::get_id();
  pool.parallel_for(10, 1, 4, [caller](size_t, size_t) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

}  // namespace
}  // namespace lanthorn
