#include "base/cpu.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/cpu_quota.h"

namespace lanthorn {
namespace {

TEST(cpu, the_log_names_the_levels_that_run_natively) {
  const std::vector<IsaLevel> levels = available_isa_levels();
  ASSERT_FALSE(levels.empty());
  for (const IsaLevel level : levels) {
    std::printf("instruction set %s runs natively\n", std::string(isa_name(level)).c_str());
  }
  for (size_t i = 1; i < levels.size(); ++i) EXPECT_LT(levels[i - 1], levels[i]);
}

TEST(cpu, a_name_caps_the_level_and_other_names_do_not) {
  const std::vector<IsaLevel> levels = {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512};
  EXPECT_EQ(cap_isa(levels, "avx2"), IsaLevel::kAvx2);
  EXPECT_EQ(cap_isa(levels, "baseline"), IsaLevel::kBaseline);
  EXPECT_EQ(cap_isa(levels, "avx512_vnni_bf16"), IsaLevel::kAvx512);  // not there
  EXPECT_EQ(cap_isa(levels, "nonsense"), IsaLevel::kAvx512);
  EXPECT_EQ(cap_isa(levels, ""), IsaLevel::kAvx512);
}

TEST(cpu, quotas_are_rounded_up_to_whole_processors) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), 0);
  EXPECT_EQ(parse_cpu_max("100000 100000\n"), 1);
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 2);
  EXPECT_EQ(parse_cpu_max("1000 100000\n"), 1);
  EXPECT_EQ(parse_cpu_max(""), 0);
  EXPECT_EQ(parse_cpu_max("nonsense"), 0);
  EXPECT_EQ(parse_cpu_max("5 0"), 0);
  EXPECT_EQ(parse_cpu_max("-1 100000"), 0);
}

TEST(cpu, the_tightest_group_above_the_process_counts) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("lanthorn_cgroup_" + std::to_string(getpid()));
  fs::create_directories(root / "a/b");
  fs::create_directories(root / "cpu/old");
  std::ofstream(root / "a/cpu.max") << "250000 100000\n";
  std::ofstream(root / "a/b/cpu.max") << "max 100000\n";
  std::ofstream(root / "self2") << "0::/a/b\n";
  EXPECT_EQ(cgroup_cpus(root, root / "self2"), 3);
  std::ofstream(root / "cpu/old/cpu.cfs_quota_us") << "400000\n";
  std::ofstream(root / "cpu/old/cpu.cfs_period_us") << "100000\n";
  std::ofstream(root / "self1") << "12:memory:/x\n3:cpu,cpuacct:/old\n";
  EXPECT_EQ(cgroup_cpus(root, root / "self1"), 4);
  EXPECT_EQ(cgroup_cpus(root, root / "not there"), 0);
  fs::remove_all(root);
}

TEST(cpu, at_least_one_processor_is_usable) {
  EXPECT_GE(usable_cpus(), 1);
  EXPECT_GE(cache_sizes().l2, cache_sizes().l1);
}

}  // namespace
}  // namespace lanthorn
