#pragma once

#include <cstdint>

namespace lanthorn {

/// What kernels are compiled for. Levels of one architecture are ordered.
enum class IsaLevel : uint8_t { kBaseline, kAvx2, kAvx512, kAvx512VnniBf16, kNeon };

}  // namespace lanthorn
