#include "codec/json_text.h"

#include "base/utf8.h"

namespace lanthorn {
namespace {

/// How many bytes a character of UTF-8 has that begins here; 0 where none does.
size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return text.size() >= size && is_utf8(text.substr(0, size)) ? size : 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text[0];
    const size_t size = character_bytes(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) >= 0x20) {
      out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size);
    } else if (const size_t short_form = std::string_view("\b\t\n\f\r").find(c);
               short_form != std::string_view::npos) {
      out += '\\';
      out += "btnfr"[short_form];
    } else {
      out += "\\u00";
      out += kDigits[static_cast<size_t>(c) >> 4];
      out += kDigits[static_cast<size_t>(c) & 15];
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

}  // namespace lanthorn
