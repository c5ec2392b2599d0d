#pragma once

#include <string>
#include <string_view>

namespace lanthorn {

/// Appends a JSON string with its quotes: quote, backslash and control characters escaped, all else
/// as it is. What is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace lanthorn
