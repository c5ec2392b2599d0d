#include "ops/elementwise.h"

namespace lanthorn {

WideKind wide_kind(DType dtype) {
  if (is_floating(dtype)) return WideKind::kReal;
  return dtype == DType::kU64 ? WideKind::kUnsigned : WideKind::kSigned;
}

}  // namespace lanthorn
