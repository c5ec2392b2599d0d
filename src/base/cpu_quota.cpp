#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/cpu.h"
#include "base/cpu_quota.h"

namespace lanthorn {
namespace {

// The files read here are written by the kernel and short; more than this is not one of them.
constexpr size_t kMostBytes = 16 * 1024;

std::string read_small_file(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return text;
  text.resize(kMostBytes);
  text.resize(std::fread(text.data(), 1, kMostBytes, file));
  std::fclose(file);
  return text;
}

bool parse_number(std::string_view text, int64_t* value) {
  return std::from_chars(text.data(), text.data() + text.size(), *value).ec == std::errc();
}

int affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));  // more than 1024 processors
}

// "3:cpu,cpuacct:/path" -> "/path", for the line that has `controller` ("" is version 2).
std::string_view group_of(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    std::string_view names = line.substr(first + 1, second - first - 1);
    if (controller.empty() && names.empty()) return line.substr(second + 1);
    while (!controller.empty() && !names.empty()) {
      const std::string_view name = names.substr(0, names.find(','));
      if (name == controller) return line.substr(second + 1);
      names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
  }
  return {};
}

int round_quota_up(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<int64_t>(quota / period + (quota % period != 0), 1 << 20));
}

}  // namespace

int parse_cpu_max(std::string_view text) {
  const size_t space = text.find(' ');
  int64_t quota = 0, period = 0;
  if (space == text.npos || !parse_number(text.substr(0, space), &quota)) return 0;  // "max 100000"
  if (!parse_number(text.substr(space + 1), &period)) return 0;
  return round_quota_up(quota, period);
}

int cgroup_cpus(const std::string& root, const std::string& self_cgroup) {
  const std::string groups = read_small_file(self_cgroup);
  int fewest = 0;
  const auto take = [&fewest](int cpus) {
    if (cpus > 0 && (fewest == 0 || cpus < fewest)) fewest = cpus;
  };
  // A limit of any group above ours holds for us too. Inside a container the path may name a folder
  // that is not mounted here; then only the folders that exist count.
  std::string path(group_of(groups, ""));
  for (size_t depth = 0; depth < 64; ++depth) {
    take(parse_cpu_max(read_small_file(root + path + "/cpu.max")));
    const size_t slash = path.rfind('/');
    if (path.empty() || slash == path.npos) break;
    path.resize(slash);
  }
  path = std::string(group_of(groups, "cpu"));
  for (size_t depth = 0; depth < 64; ++depth) {
    int64_t quota = 0, period = 0;
    const std::string folder = root + "/cpu" + path;
    if (parse_number(read_small_file(folder + "/cpu.cfs_quota_us"), &quota) &&
        parse_number(read_small_file(folder + "/cpu.cfs_period_us"), &period)) {
      take(round_quota_up(quota, period));
    }
    const size_t slash = path.rfind('/');
    if (path.empty() || slash == path.npos) break;
    path.resize(slash);
  }
  return fewest;
}

int usable_cpus() {
  const int affinity = affinity_cpus();
  const int granted = cgroup_cpus("/sys/fs/cgroup", "/proc/self/cgroup");
  return granted > 0 ? std::min(affinity, granted) : affinity;
}

}  // namespace lanthorn
