#include "tensor/release_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace lanthorn {

namespace {

/// Whether all of [begin, end) is mapped from a file that nothing was written into: only there does
/// MADV_DONTNEED lose nothing. `Storage` does not tell a file from other people's memory.
bool is_clean_file(uintptr_t begin, uintptr_t end) {
#ifdef __linux__
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"), std::fclose);
  if (!maps) return false;
  char line[512];
  while (std::fgets(line, sizeof line, maps.get())) {
    unsigned long from = 0, to = 0, offset = 0, inode = 0;
    unsigned major = 0, minor = 0;
    char rights[5] = {};
    // "7f00-7f80 r--p 00000000 08:01 1234  /path": the path may be longer than the line.
    if (std::sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &from, &to, rights, &offset, &major, &minor, &inode) != 7) continue;
    if (from <= begin && end <= to) return inode != 0 && rights[1] == '-';
  }
#else
  static_cast<void>(begin);
  static_cast<void>(end);
#endif
  return false;
}

}  // namespace

void release_pages(const Tensor& tensor) {
  if (!tensor.storage() || !tensor.storage()->is_mapped() || !tensor.is_contiguous()) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(tensor.data());
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + tensor.byte_size()) / page * page;
  // Looking up the mapping costs more than some pages are worth.
  constexpr uintptr_t kLeastBytes = uintptr_t{64} << 10;
  if (end <= begin || end - begin < kLeastBytes || !is_clean_file(begin, end)) return;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace lanthorn
