// https://prometheus.io/docs/instrumenting/exposition_formats/

#include "serve/metrics.h"

#include <cstdio>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace lanthorn {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

/// Names come from the command line; a label's value quotes these three.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

void head(std::string& out, const char* name, const char* type, const char* help) {
  out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void Metrics::count(std::string_view model, unsigned status, double seconds) {
  const std::lock_guard lock(mutex_);
  auto found = models_.find(model);
  if (found == models_.end()) found = models_.emplace(std::string(model), Series{}).first;
  Series& series = found->second;
  ++series.by_status[status];
  ++series.requests;
  series.seconds += seconds;
  size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  ++series.buckets[bucket];
}

std::string Metrics::text() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  head(out, "lanthorn_requests_total", "counter", "Requests answered, by model and status.");
  for (const auto& [model, series] : models_) {
    for (const auto& [status, requests] : series.by_status) {
      out += "lanthorn_requests_total{model=\"" + label(model) + "\",status=\"" + std::to_string(status) + "\"} " +
             std::to_string(requests) + "\n";
    }
  }
  head(out, "lanthorn_request_duration_seconds", "histogram", "Time from a request's last byte to its answer.");
  for (const auto& [model, series] : models_) {
    const std::string name = "lanthorn_request_duration_seconds";
    uint64_t sum = 0;
    for (size_t i = 0; i <= kBounds.size(); ++i) {
      sum += series.buckets[i];
      out += name + "_bucket{model=\"" + label(model) + "\",le=\"" + (i < kBounds.size() ? number(kBounds[i]) : "+Inf") + "\"} " +
             std::to_string(sum) + "\n";
    }
    out += name + "_sum{model=\"" + label(model) + "\"} " + number(series.seconds) + "\n";
    out += name + "_count{model=\"" + label(model) + "\"} " + std::to_string(series.requests) + "\n";
  }
  head(out, "lanthorn_connections", "gauge", "Connections that are open.");
  out += "lanthorn_connections " + std::to_string(connections_.load()) + "\n";
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  head(out, "process_cpu_seconds_total", "counter", "Processor time of the process.");
  out += "process_cpu_seconds_total " + number(seconds(usage.ru_utime) + seconds(usage.ru_stime)) + "\n";
  head(out, "process_resident_memory_bytes", "gauge", "Resident memory of the process.");
  out += "process_resident_memory_bytes " + std::to_string(resident_bytes()) + "\n";
  return out;
}

}  // namespace lanthorn
