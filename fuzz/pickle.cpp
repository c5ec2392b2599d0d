#include "codec/pickle.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  const auto bytes = std::as_bytes(std::span(data, size));
  const PickleScan scan = scan_pickle(bytes, {.max_nodes = 100'000, .max_bytes = 32 << 20});
  if (scan.tree.bytes_read > size) std::abort();
  if (!scan.error && scan.tree.root >= scan.tree.nodes.size()) std::abort();
  return 0;
}
