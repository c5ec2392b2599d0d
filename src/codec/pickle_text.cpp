#include "codec/pickle_text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "base/utf8.h"

namespace lanthorn {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<uint32_t> hex(std::string_view text) {
  uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

PickleInteger pickle_integer(std::span<const std::byte> bytes) {
  const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
  if (bytes.size() <= 8) {
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint64_t>(bytes[i]);
    return {static_cast<int64_t>(value), {}};
  }
  std::vector<uint32_t> words((bytes.size() + 3) / 4, negative ? UINT32_MAX : 0);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint32_t shift = 8 * (i % 4);
    words[i / 4] = (words[i / 4] & ~(0xffU << shift)) | static_cast<uint32_t>(bytes[i]) << shift;
  }
  const bool fits = std::all_of(words.begin() + 2, words.end(),
                                [&](uint32_t word) { return word == (negative ? UINT32_MAX : 0); });
  if (fits && (words[1] >> 31 != 0) == negative) {
    return {static_cast<int64_t>(uint64_t{words[1]} << 32 | words[0]), {}};
  }
  if (negative) {
    uint64_t carry = 1;
    for (uint32_t& word : words) {
      carry += static_cast<uint32_t>(~word);
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  std::string digits;
  while (!words.empty()) {
    uint64_t rest = 0;
    for (size_t i = words.size(); i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<uint32_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    for (int i = 0; i < 9 && (!words.empty() || rest > 0); ++i, rest /= 10) {
      digits += static_cast<char>('0' + rest % 10);
    }
  }
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return {0, digits};
}

std::optional<PickleInteger> parse_pickle_integer(std::string_view text) {
  text = trimmed(text);
  const bool negative = !text.empty() && text[0] == '-';
  std::string_view digits = text.substr(!text.empty() && (text[0] == '-' || text[0] == '+'));
  if (digits.empty() || digits.size() > 2 * kMaxIntegerBytes ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  std::string normal = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const auto parsed = std::from_chars(normal.data(), normal.data() + normal.size(), value);
  if (parsed.ec == std::errc()) return PickleInteger{value, {}};
  return PickleInteger{0, std::move(normal)};
}

std::optional<double> parse_pickle_float(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return std::nullopt;
  }
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ptr != text.data() + text.size() || text.empty()) return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range) {
    // Python gives infinity or zero, by the sign of the exponent.
    const size_t exponent = text.find_first_of("eE");
    const bool small = exponent != std::string_view::npos && exponent + 1 < text.size() &&
                       text[exponent + 1] == '-';
    const double bound = small ? 0.0 : std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -bound : bound;
  }
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::string> parse_pickle_string(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != text.back() || (text[0] != '\'' && text[0] != '"')) {
    return std::nullopt;
  }
  text = text.substr(1, text.size() - 2);
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    if (const size_t letter = kLetters.find(text[i]); letter != std::string_view::npos) {
      bytes += kMeanings[letter];
    } else if (text[i] == 'x') {
      const auto value = hex(text.substr(i + 1, 2));
      if (!value || text.size() - i < 3) return std::nullopt;
      bytes += static_cast<char>(*value);
      i += 2;
    } else if (text[i] >= '0' && text[i] <= '7') {
      int value = 0;
      size_t count = 0;
      for (;
           count < 3 && i + count < text.size() && text[i + count] >= '0' && text[i + count] <= '7';
           ++count) {
        value = value * 8 + (text[i + count] - '0');
      }
      bytes += static_cast<char>(value);
      i += count - 1;
    } else {
      bytes += '\\';
      bytes += text[i];
    }
  }
  return bytes;
}

std::optional<std::string> parse_pickle_unicode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    const size_t digits = !escape ? 0 : text[i + 1] == 'u' ? 4 : text[i + 1] == 'U' ? 8 : 0;
    if (digits == 0) {
      append_utf8(decoded, static_cast<unsigned char>(text[i]));
      if (escape) append_utf8(decoded, static_cast<unsigned char>(text[++i]));
      continue;
    }
    const auto point = hex(text.substr(i + 2, digits));
    if (!point || text.size() - i - 2 < digits || *point > 0x10ffff) return std::nullopt;
    append_utf8(decoded, *point);
    i += digits + 1;
  }
  return decoded;
}

}  // namespace lanthorn
