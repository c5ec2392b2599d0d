// Bytes as bzip2, xz and LZMA: whatever they hold, no more than the limit comes out. The first byte says which.
#include <cstdlib>

#include "codec/bunzip2.h"
#include "codec/lzma.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  constexpr uint64_t kLimit = 1 << 20;
  Inflated made;
  switch (data[0] % 4) {
    case 0: made = bunzip2_prefix(bytes, kLimit); break;
    case 1: made = unxz_prefix(bytes, kLimit); break;
    case 2: made = unlzma_prefix(bytes, kLimit); break;
    default: made = unlzma_zip_prefix(bytes, kLimit);
  }
  if (made.bytes.size() > kLimit || (made.whole && made.limited)) std::abort();
  return 0;
}
