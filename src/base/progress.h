#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace lanthorn {

/// A line on stderr for people who wait: what is done, of how much, how fast, how long still. It
/// shows only where stderr is a terminal and only after a second, and is wiped when the work ends.
class Progress {
 public:
  /// `total` in bytes; 0 where it is not known.
  Progress(std::string what, uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// So many bytes more are done. From any thread, as often as wanted.
  void advance(uint64_t bytes);
  /// Takes the line away up to the next advance, so that something else can be printed.
  void wipe();

 private:
  void draw(double seconds);

  std::string what_;
  uint64_t total_;
  std::atomic<uint64_t> done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;  // of the line
  double drawn_ = 0;  // seconds after the start, of the last drawing
  bool terminal_ = false, shown_ = false;
};

}  // namespace lanthorn
