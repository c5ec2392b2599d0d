#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lanthorn {
namespace {

constexpr double kFirst = 1.0, kBetween = 0.1;  // seconds
constexpr int kWidth = 24;

}  // namespace

Progress::Progress(std::string what, uint64_t total)
    : what_(std::move(what)), total_(total), start_(std::chrono::steady_clock::now()) {
  terminal_ = ::isatty(STDERR_FILENO) == 1;
}

Progress::~Progress() { wipe(); }

void Progress::wipe() {
  const std::scoped_lock lock(mutex_);
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

void Progress::advance(uint64_t bytes) {
  done_ += bytes;
  if (!terminal_) return;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && passed.count() >= std::max(kFirst, drawn_ + kBetween)) draw(passed.count());
}

void Progress::draw(double seconds) {
  drawn_ = seconds;
  shown_ = true;
  const double done = static_cast<double>(done_), rate = done / seconds;
  if (total_ == 0) {
    std::fprintf(stderr, "\r%s  %.1f MB, %.0f MB/s\033[K", what_.c_str(), done / 1e6, rate / 1e6);
    return;
  }
  const double part = std::min(1.0, done / static_cast<double>(total_));
  const int full = static_cast<int>(part * kWidth);
  const double left = rate > 0 ? (static_cast<double>(total_) - done) / rate : 0;
  std::fprintf(stderr, "\r%s  [%s%s] %3.0f %%, %.0f MB/s, %.0f s left\033[K", what_.c_str(),
               std::string(static_cast<size_t>(full), '#').c_str(),
               std::string(static_cast<size_t>(kWidth - full), '.').c_str(), 100 * part, rate / 1e6,
               std::max(0.0, left));
}

}  // namespace lanthorn
