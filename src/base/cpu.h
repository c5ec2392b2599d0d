#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lanthorn {

/// What kernels are compiled for. Levels of one architecture are ordered: a machine that has one has
/// all that come before it.
enum class IsaLevel : uint8_t {
  kBaseline,        // any x86-64: SSE2
  kAvx2,            // AVX2, FMA, F16C, BMI2
  kAvx512,          // AVX-512 F, BW, DQ, VL, CD
  kAvx512VnniBf16,  // kAvx512 with VNNI and BF16
  kNeon,            // arm64: Advanced SIMD, which every arm64 machine has
};

/// "baseline", "avx2", "avx512", "avx512_vnni_bf16" or "neon".
std::string_view isa_name(IsaLevel level);

/// The levels that this processor and its operating system can run, lowest first; never empty.
std::vector<IsaLevel> available_isa_levels();

/// The highest of available_isa_levels(), capped by the environment variable LANTHORN_ISA (a level's
/// name; a name that means nothing here is ignored).
IsaLevel detect_isa();

/// The level named `name`, if it is one of `levels`; else the highest of them.
IsaLevel cap_isa(const std::vector<IsaLevel>& levels, std::string_view name);

/// Instructions beyond the levels, for guarded code and for `--version`.
struct CpuFeatures {
  bool avx_vnni = false;
  bool amx_tile = false, amx_int8 = false, amx_bf16 = false;
  bool dot_product = false, i8mm = false, bf16 = false;  // arm64
};
CpuFeatures cpu_features();

/// Bytes of data cache that one core reaches; usual sizes where the machine does not tell.
struct CacheSizes {
  size_t l1 = 32 * 1024;
  size_t l2 = 512 * 1024;
};
CacheSizes cache_sizes();

/// Processors that this process may use: those of its affinity mask, or fewer where a control group
/// grants less processor time than that. At least 1.
int usable_cpus();

}  // namespace lanthorn
