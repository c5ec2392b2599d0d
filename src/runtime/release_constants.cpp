#include "runtime/release_constants.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace lanthorn {

void release_constants(std::span<const Tensor* const> constants, std::span<const Tensor* const> still_read) {
#ifdef MADV_PAGEOUT
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const Tensor* constant : constants) {
    if (!constant->storage() || !constant->storage()->is_mapped() || !constant->is_contiguous()) continue;
    if (std::find(still_read.begin(), still_read.end(), constant) != still_read.end()) continue;
    const auto address = reinterpret_cast<uintptr_t>(constant->data());
    const uintptr_t begin = (address + page - 1) / page * page;
    const uintptr_t end = (address + constant->byte_size()) / page * page;
    // Not MADV_DONTNEED: that would lose the bytes where the memory is no file.
    if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_PAGEOUT);
  }
#else
  static_cast<void>(constants);
  static_cast<void>(still_read);
#endif
}

}  // namespace lanthorn
