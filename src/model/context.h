#pragma once

#include <memory>

#include "base/cpu.h"

namespace lanthorn {

class ThreadPool;

/// What models of one process share: the thread pool and the choice of kernels. The facade makes one
/// on first use; tests make their own.
class Context {
 public:
  /// `threads` 0: as many as the process may use.
  explicit Context(int threads = 0);
  ~Context();
  /// The process's own, made on first use.
  static const std::shared_ptr<Context>& shared();

  ThreadPool& pool() const { return *pool_; }
  IsaLevel isa() const { return isa_; }
  /// A session's thread count, from what was asked for: 0 is all, never more than there are.
  int cap(int threads) const;

 private:
  std::unique_ptr<ThreadPool> pool_;
  IsaLevel isa_;
};

}  // namespace lanthorn
