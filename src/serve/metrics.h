#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace lanthorn {

/// Counters and latency histograms of a server, in Prometheus' text format. Safe from many threads.
class Metrics {
 public:
  /// Upper bounds of the buckets, in seconds.
  static constexpr std::array<double, 14> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                     0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

  /// One answered request for a model ("" for the others) with its status and how long it took.
  void count(std::string_view model, unsigned status, double seconds);
  void connection_opened() { ++connections_; }
  void connection_closed() { --connections_; }
  std::string text() const;

 private:
  struct Series {
    std::map<unsigned, uint64_t> by_status;
    std::array<uint64_t, kBounds.size() + 1> buckets{};
    double seconds = 0;
    uint64_t requests = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Series, std::less<>> models_;
  std::atomic<int64_t> connections_{0};
};

}  // namespace lanthorn
