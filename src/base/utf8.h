#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanthorn {

/// True if the text is UTF-8: shortest forms, up to U+10FFFF. Surrogates (U+D800 to U+DFFF), which
/// Python writes with `surrogatepass`, count as errors unless `allow_surrogates`.
bool is_utf8(std::string_view text, bool allow_surrogates = false);

/// Appends one code point (up to U+10FFFF, surrogates too).
void append_utf8(std::string& text, uint32_t code_point);

}  // namespace lanthorn
