#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include "base/check.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

std::shared_ptr<const Storage> Storage::wrap(std::span<const std::byte> bytes,
                                             std::shared_ptr<const void> owner) {
  auto storage = std::make_shared<Storage>();
  storage->bytes_ = bytes;
  storage->owner_ = std::move(owner);
  storage->mapped_ = true;
  return storage;
}

Result<std::shared_ptr<Storage>> Storage::allocate(uint64_t bytes) {
  constexpr uint64_t kAlign = 64;
  const Error no_memory{ErrorCode::kOutOfMemory,
                        "no memory for " + std::to_string(bytes) + " bytes", "", ""};
  if (bytes > static_cast<uint64_t>(INT64_MAX) - kAlign) return no_memory;
  // calloc leaves large blocks to the kernel's zero pages; clearing them ourselves would touch all.
  void* memory = std::calloc(1, bytes + kAlign);
  if (!memory) return no_memory;
  const auto address = reinterpret_cast<uintptr_t>(memory);
  auto* first = static_cast<std::byte*>(memory) + ((kAlign - address % kAlign) % kAlign);
  auto storage = std::make_shared<Storage>();
  storage->bytes_ = {first, bytes};
  storage->owner_ = std::shared_ptr<void>(memory, std::free);
  return storage;
}

/// Aligned as all storage is. Memory that runs out throws, which the public boundary catches: who looks
/// at bytes gets no Result.
class DeferredBytes {
 public:
  DeferredBytes() = default;
  explicit DeferredBytes(uint64_t bytes)
      : bytes_(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{kAlign}))) {}
  std::byte* get() const { return bytes_.get(); }

 private:
  static constexpr size_t kAlign = 64;
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<std::byte[], Free> bytes_;
};

struct Storage::Deferred {
  explicit Deferred(Fill f) : fill(std::move(f)) {}
  const Fill fill;
  std::once_flag once;
  std::atomic<bool> done = false;
  DeferredBytes made;
};

std::shared_ptr<const Storage> Storage::deferred(uint64_t size, Fill fill) {
  auto storage = std::make_shared<Storage>();
  // No address: nobody reads through it, but its size is the size of what there will be.
  storage->bytes_ = {static_cast<const std::byte*>(nullptr), size};
  storage->deferred_ = std::make_shared<Deferred>(std::move(fill));
  return storage;
}

bool Storage::is_deferred() const { return deferred_ && !deferred_->done.load(std::memory_order_acquire); }

void Storage::compute(std::span<std::byte> to) const {
  LAN_CHECK(deferred_ && to.size() == bytes_.size());
  deferred_->fill(to);
}

std::span<const std::byte> Storage::deferred_bytes() const {
  std::call_once(deferred_->once, [this] {
    deferred_->made = DeferredBytes(bytes_.size());
    deferred_->fill({deferred_->made.get(), bytes_.size()});
    deferred_->done.store(true, std::memory_order_release);
  });
  return {deferred_->made.get(), bytes_.size()};
}

Result<std::shared_ptr<Storage>> Storage::allocate_strings(uint64_t count) {
  if (count > static_cast<uint64_t>(INT64_MAX) / sizeof(std::string)) {
    return Error{ErrorCode::kOutOfMemory, "no memory for " + std::to_string(count) + " strings", "",
                 ""};
  }
  auto strings = std::make_shared<std::vector<std::string>>(count);
  auto storage = std::make_shared<Storage>();
  storage->bytes_ = std::as_bytes(std::span<const std::string>(*strings));
  storage->owner_ = std::move(strings);
  return storage;
}

std::span<std::byte> Storage::mutable_bytes() {
  LAN_CHECK(!mapped_ && !deferred_);
  return {const_cast<std::byte*>(bytes_.data()), bytes_.size()};
}

}  // namespace lanthorn
