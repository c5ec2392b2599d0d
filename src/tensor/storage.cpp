#include <cstdlib>

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
  LAN_CHECK(!mapped_);
  return {const_cast<std::byte*>(bytes_.data()), bytes_.size()};
}

}  // namespace lanthorn
