#include "kernels/kernels.h"

#include "base/check.h"

namespace lanthorn {

#define LAN_DECLARE_LEVEL(isa)                             \
  namespace isa {                                          \
  extern const GemmKernels gemm_kernels;                   \
  extern const ConvKernels conv_kernels;                   \
  extern const ElementwiseKernels elementwise_kernels;     \
  extern const RowKernels row_kernels;                     \
  extern const LowPrecisionKernels low_precision_kernels;  \
  }
#define LAN_LEVEL(level, isa)                                                                    \
  {                                                                                              \
    IsaLevel::level, &isa::gemm_kernels, &isa::conv_kernels, &isa::elementwise_kernels,          \
        &isa::row_kernels, &isa::low_precision_kernels                                           \
  }

#if defined(__x86_64__)
LAN_DECLARE_LEVEL(isa_baseline)
LAN_DECLARE_LEVEL(isa_avx2)
LAN_DECLARE_LEVEL(isa_avx512)
namespace isa_avx512_vnni_bf16 {
extern const LowPrecisionKernels low_precision_kernels;
}
namespace {
constexpr KernelTable kTables[] = {
    LAN_LEVEL(kBaseline, isa_baseline), LAN_LEVEL(kAvx2, isa_avx2), LAN_LEVEL(kAvx512, isa_avx512),
    {IsaLevel::kAvx512VnniBf16, &isa_avx512::gemm_kernels, &isa_avx512::conv_kernels,
     &isa_avx512::elementwise_kernels, &isa_avx512::row_kernels,
     &isa_avx512_vnni_bf16::low_precision_kernels}};
}  // namespace
#elif defined(__aarch64__)
LAN_DECLARE_LEVEL(isa_neon)
namespace {
constexpr KernelTable kTables[] = {LAN_LEVEL(kNeon, isa_neon)};
}  // namespace
#else
LAN_DECLARE_LEVEL(isa_baseline)
namespace {
constexpr KernelTable kTables[] = {LAN_LEVEL(kBaseline, isa_baseline)};
}  // namespace
#endif

const KernelTable& kernels(IsaLevel level) {
  for (const KernelTable& table : kTables) {
    if (table.level == level) return table;
  }
  check_failed("kernels are compiled for this level", __FILE__, __LINE__);
}

}  // namespace lanthorn
