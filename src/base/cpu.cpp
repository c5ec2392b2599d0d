#include "base/cpu.h"

#include <unistd.h>

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace lanthorn {
namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

bool bit(uint32_t word, int index) { return ((word >> index) & 1) != 0; }

// Which registers the operating system saves on a task switch: XCR0 (Intel SDM vol. 1, 13.3).
uint64_t saved_state() {
  if (!bit(cpuid(1, 0).ecx, 27)) return 0;  // OSXSAVE
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

constexpr uint64_t kYmmState = 0x6;    // XMM, YMM
constexpr uint64_t kZmmState = 0xe6;   // and opmask, upper ZMM, ZMM16-31
constexpr uint64_t kTileState = 0x60000;  // AMX

#endif

}  // namespace

std::string_view isa_name(IsaLevel level) {
  switch (level) {
    case IsaLevel::kBaseline: return "baseline";
    case IsaLevel::kAvx2: return "avx2";
    case IsaLevel::kAvx512: return "avx512";
    case IsaLevel::kAvx512VnniBf16: return "avx512_vnni_bf16";
    case IsaLevel::kNeon: return "neon";
  }
  return "baseline";
}

std::vector<IsaLevel> available_isa_levels() {
#if defined(__x86_64__)
  std::vector<IsaLevel> levels = {IsaLevel::kBaseline};
  const Registers one = cpuid(1, 0);
  const Registers seven = cpuid(7, 0);
  const Registers seven_one = cpuid(7, 1);
  const uint64_t saved = saved_state();
  const bool avx2 = (saved & kYmmState) == kYmmState && bit(one.ecx, 28) && bit(one.ecx, 12) &&
                    bit(one.ecx, 29) && bit(seven.ebx, 5) && bit(seven.ebx, 3) && bit(seven.ebx, 8);
  if (!avx2) return levels;  // AVX, FMA, F16C, AVX2, BMI1, BMI2
  levels.push_back(IsaLevel::kAvx2);
  const bool avx512 = (saved & kZmmState) == kZmmState && bit(seven.ebx, 16) &&
                      bit(seven.ebx, 17) && bit(seven.ebx, 28) && bit(seven.ebx, 30) &&
                      bit(seven.ebx, 31);
  if (!avx512) return levels;  // F, DQ, CD, BW, VL
  levels.push_back(IsaLevel::kAvx512);
  if (bit(seven.ecx, 11) && bit(seven_one.eax, 5)) levels.push_back(IsaLevel::kAvx512VnniBf16);
  return levels;
#elif defined(__aarch64__)
  return {IsaLevel::kNeon};
#else
  return {IsaLevel::kBaseline};
#endif
}

IsaLevel cap_isa(const std::vector<IsaLevel>& levels, std::string_view name) {
  for (const IsaLevel level : levels) {
    if (isa_name(level) == name) return level;
  }
  return levels.back();
}

IsaLevel detect_isa() {
  const char* cap = std::getenv("LANTHORN_ISA");
  return cap_isa(available_isa_levels(), cap ? cap : "");
}

CpuFeatures cpu_features() {
  CpuFeatures features;
#if defined(__x86_64__)
  const uint64_t saved = saved_state();
  const uint32_t edx = cpuid(7, 0).edx;
  const bool tiles = (saved & kTileState) == kTileState;
  features.avx_vnni = (saved & kYmmState) == kYmmState && bit(cpuid(7, 1).eax, 4);
  features.amx_tile = tiles && bit(edx, 24);
  features.amx_int8 = tiles && bit(edx, 25);
  features.amx_bf16 = tiles && bit(edx, 22);
#elif defined(__aarch64__)
  // Bit numbers of the Linux arm64 ABI (Documentation/arch/arm64/elf_hwcaps.rst).
  const unsigned long one = getauxval(AT_HWCAP);
  const unsigned long two = getauxval(AT_HWCAP2);
  features.dot_product = ((one >> 20) & 1) != 0;
  features.i8mm = ((two >> 13) & 1) != 0;
  features.bf16 = ((two >> 14) & 1) != 0;
#endif
  return features;
}

CacheSizes cache_sizes() {
  CacheSizes sizes;
#if defined(_SC_LEVEL2_CACHE_SIZE)
  const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  // Virtual machines sometimes tell nonsense; kernels tile by these, so keep them plausible.
  if (l1 >= 8 * 1024 && l1 <= 1024 * 1024) sizes.l1 = static_cast<size_t>(l1);
  if (l2 >= 128 * 1024 && l2 <= 16 * 1024 * 1024) sizes.l2 = static_cast<size_t>(l2);
#endif
  return sizes;
}

}  // namespace lanthorn
