#pragma once

#include <string>
#include <string_view>

namespace lanthorn {

/// Processors that a version 2 `cpu.max` file grants ("150000 100000" is 2, rounded up); 0 if it
/// sets no limit or is not such a file.
int parse_cpu_max(std::string_view text);

/// The fewest processors that the control groups of this process grant, versions 1 and 2; 0 if there
/// is no limit. `root` is where control groups are mounted, `self_cgroup` is /proc/self/cgroup.
int cgroup_cpus(const std::string& root, const std::string& self_cgroup);

}  // namespace lanthorn
