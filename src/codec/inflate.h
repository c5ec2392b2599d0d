#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lanthorn {

enum class DeflateWrapper : uint8_t { kNone, kZlib, kGzip };

/// Up to `limit` bytes of what deflated bytes become. What is damaged or cut short gives what comes
/// before, as a reader that works while it inflates would see it.
struct Inflated {
  std::vector<std::byte> bytes;
  bool whole = false;    // it came to its end
  bool limited = false;  // there is more than `limit`
};
Inflated inflate_prefix(std::span<const std::byte> source, DeflateWrapper wrapper, uint64_t limit);

}  // namespace lanthorn
