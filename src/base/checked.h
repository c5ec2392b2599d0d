#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace lanthorn {

/// The product of `dims` and `unit`, or nothing if a dimension is negative or it overflows 63 bits.
inline std::optional<uint64_t> checked_product(std::span<const int64_t> dims, uint64_t unit) {
  uint64_t product = unit;
  for (const int64_t dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(product, static_cast<uint64_t>(dim), &product)) {
      return std::nullopt;
    }
  }
  if (product > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return product;
}

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace lanthorn
