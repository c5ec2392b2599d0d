#pragma once

// Calls that a program can let fail, the n-th of a kind: memory, writing, bringing to the disk,
// renaming. The linker sends the calls of the whole program through these (--wrap in cmake/tests.cmake).

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace faults {

enum Kind { kMemory, kWrite, kSync, kRename, kLink, kKinds };

inline std::atomic<int64_t> countdown[kKinds];    // the call that makes it 0 fails; 0: none does
inline std::atomic<bool> sync_is_free = false;    // fsync does nothing: for loops over memory
inline std::atomic<int64_t> living = 0;           // blocks that operator new gave and nobody deleted

inline bool fails(Kind kind) {
  if (countdown[kind].load(std::memory_order_relaxed) <= 0) return false;
  return countdown[kind].fetch_sub(1) == 1;
}

}  // namespace faults

extern "C" {
ssize_t __real_write(int file, const void* bytes, size_t count);
int __real_fsync(int file);
int __real_fdatasync(int file);
int __real_rename(const char* from, const char* to);
int __real_symlink(const char* target, const char* link);
void* __real_calloc(size_t count, size_t size);

ssize_t __wrap_write(int file, const void* bytes, size_t count) {
  if (file > 2 && faults::fails(faults::kWrite)) return errno = ENOSPC, -1;
  return __real_write(file, bytes, count);
}
int __wrap_fsync(int file) {
  if (faults::fails(faults::kSync)) return errno = EIO, -1;
  return faults::sync_is_free ? 0 : __real_fsync(file);
}
int __wrap_fdatasync(int file) {
  if (faults::fails(faults::kSync)) return errno = EIO, -1;
  return faults::sync_is_free ? 0 : __real_fdatasync(file);
}
int __wrap_rename(const char* from, const char* to) {
  if (faults::fails(faults::kRename)) return errno = EACCES, -1;
  return __real_rename(from, to);
}
int __wrap_symlink(const char* target, const char* link) {
  if (faults::fails(faults::kLink)) return errno = EPERM, -1;
  return __real_symlink(target, link);
}
void* __wrap_calloc(size_t count, size_t size) {
  return faults::fails(faults::kMemory) ? nullptr : __real_calloc(count, size);
}
}

void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  void* const memory = faults::fails(faults::kMemory) ? nullptr : std::malloc(bytes ? bytes : 1);
  if (memory) ++faults::living;
  return memory;
}
void* operator new(size_t bytes) {
  void* const memory = operator new(bytes, std::nothrow);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t& tag) noexcept { return operator new(bytes, tag); }
void operator delete(void* memory) noexcept {
  if (memory) --faults::living;
  std::free(memory);
}
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory, size_t) noexcept { operator delete(memory); }
