#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lanthorn {

/// A whole number: in `small` if it has 64 bits, else as decimal digits in `digits`.
struct PickleInteger {
  int64_t small = 0;
  std::string digits;
};

/// Whole numbers beyond this many bytes are refused: their decimal digits take quadratic time.
constexpr uint64_t kMaxIntegerBytes = 1024;

/// A little-endian number in two's complement of any length up to kMaxIntegerBytes; empty is 0.
PickleInteger pickle_integer(std::span<const std::byte> bytes);
/// The decimal text of INT, LONG ("12L") and of memo keys.
std::optional<PickleInteger> parse_pickle_integer(std::string_view text);
/// The text of FLOAT.
std::optional<double> parse_pickle_float(std::string_view text);
/// The quoted and escaped text of STRING, as bytes.
std::optional<std::string> parse_pickle_string(std::string_view text);
/// The text of UNICODE: Latin-1 with \uXXXX and \UXXXXXXXX, as UTF-8.
std::optional<std::string> parse_pickle_unicode(std::string_view text);

}  // namespace lanthorn
