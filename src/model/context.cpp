#include "model/context.h"

#include <algorithm>

#include "base/thread_pool.h"

namespace lanthorn {

Context::Context(int threads) : pool_(std::make_unique<ThreadPool>(threads)), isa_(detect_isa()) {}
Context::~Context() = default;

const std::shared_ptr<Context>& Context::shared() {
  static const std::shared_ptr<Context> context = std::make_shared<Context>();
  return context;
}

int Context::cap(int threads) const {
  return threads <= 0 ? pool_->size() : std::clamp(threads, 1, pool_->size());
}

}  // namespace lanthorn
