#include "fuzz/read_all.h"

namespace lanthorn {
extern const Format format_mobile;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanthorn::read_all(lanthorn::format_mobile, std::as_bytes(std::span(data, size)));
  return 0;
}
