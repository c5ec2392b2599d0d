#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/cpu.h"
#include "kernels/kernels.h"

namespace lanthorn {

/// Floats that end where a page begins that nobody may touch, so a kernel that reads or writes past
/// the end stops the test. `shift` moves the start, and with it the alignment: it wastes nothing at
/// the end. The bytes before the start are checked when the buffer goes.
class GuardedFloats {
 public:
  explicit GuardedFloats(size_t count, float fill = 0.0f) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t used = (count * sizeof(float) + kFront + page - 1) / page * page;
    bytes_ = used + page;
    base_ = static_cast<char*>(
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    LAN_CHECK(base_ != MAP_FAILED);
    LAN_CHECK(mprotect(base_ + used, page, PROT_NONE) == 0);
    data_ = reinterpret_cast<float*>(base_ + used) - count;
    std::memset(base_, kCanary, used - count * sizeof(float));
    for (size_t i = 0; i < count; ++i) data_[i] = fill;
  }
  ~GuardedFloats() {
    for (const char* p = reinterpret_cast<char*>(data_) - kFront;
         p < reinterpret_cast<char*>(data_); ++p) {
      if (*p != kCanary) {
        ADD_FAILURE() << "a kernel wrote before the start of a buffer";
        break;
      }
    }
    munmap(base_, bytes_);
  }
  GuardedFloats(const GuardedFloats&) = delete;
  GuardedFloats& operator=(const GuardedFloats&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return count_; }
  float& operator[](size_t i) { return data_[i]; }
  float operator[](size_t i) const { return data_[i]; }

 private:
  static constexpr size_t kFront = 256;
  static constexpr char kCanary = 0x5a;
  char* base_ = nullptr;
  float* data_ = nullptr;
  size_t bytes_ = 0, count_ = 0;
};

/// Numbers that look random and are the same everywhere.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  /// One of 0 ... n - 1.
  size_t below(size_t n) { return next() % n; }
  /// In [low, high).
  float in(float low, float high) {
    return low + (high - low) * (static_cast<float>(next() & 0xffffff) / 16777216.0f);
  }
  template <class Floats>
  void fill(Floats& floats, float low = -1.0f, float high = 1.0f) {
    for (size_t i = 0; i < floats.size(); ++i) floats.data()[i] = in(low, high);
  }

 private:
  uint64_t state_;
};

/// Plain versions of the activations, in double.
inline double plain_activation(Activation activation, double alpha, double beta, double x) {
  const auto clip = [](double v, double low, double high) {
    return v < low ? low : v > high ? high : v;
  };
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kRelu: return x < 0 ? 0 : x;
    case Activation::kClip: return clip(x, alpha, beta);
    case Activation::kLeakyRelu: return x < 0 ? alpha * x : x;
    case Activation::kSigmoid: return 1 / (1 + std::exp(-x));
    case Activation::kTanh: return std::tanh(x);
    case Activation::kHardSigmoid: return clip(alpha * x + beta, 0, 1);
    case Activation::kHardSwish: return x * clip(x / 6 + 0.5, 0, 1);
    case Activation::kSilu: return x / (1 + std::exp(-alpha * x));
    case Activation::kGelu: return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return x;
}

/// Runs `test(table)` for every level that this machine has; failures name the level.
template <class Test>
void for_each_level(const Test& test) {
  for (const IsaLevel level : available_isa_levels()) {
    SCOPED_TRACE("instruction set " + std::string(isa_name(level)));
    test(kernels(level));
  }
}

inline std::string sizes_text(std::initializer_list<size_t> sizes) {
  std::string text;
  for (const size_t size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

/// Fails unless the two are both NaN, the same infinity, or at most `bound` apart.
inline bool close(double got, double want, double bound) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want)) return got == want;
  return std::abs(got - want) <= bound;
}

}  // namespace lanthorn
