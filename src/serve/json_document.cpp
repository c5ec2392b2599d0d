#include "serve/json_document.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/utf8.h"

namespace lanthorn {

class JsonParser {
 public:
  explicit JsonParser(JsonDocument& document) : d_(document), text_(document.text_) {}

  bool parse() {
    size_t at = skip_space(0);
    uint32_t root = 0;
    if (!value(at, 0, root)) return false;
    d_.root_ = root;
    at = skip_space(at);
    return at == text_.size() || fail("Extra data", at);
  }

 private:
  using Kind = JsonDocument::Kind;

  bool fail(const char* message, size_t byte) {
    size_t position = 0;
    for (size_t i = 0; i < byte && i < text_.size(); ++i) {
      if ((static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80) ++position;
    }
    d_.mistake_ = JsonDocument::Mistake{message, position};
    return false;
  }

  size_t skip_space(size_t at) const {
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\n' || text_[at] == '\r')) ++at;
    return at;
  }

  char peek(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  bool is(size_t at, char c) const { return at < text_.size() && text_[at] == c; }

  bool add(Kind kind, size_t begin, size_t end, uint32_t& node) {
    if (d_.nodes_.size() > JsonDocument::kMaxNodes) return fail("Too many values", begin);
    node = static_cast<uint32_t>(d_.nodes_.size());
    JsonDocument::Node made;
    made.kind = kind;
    made.odd = kind == Kind::kNonFinite;
    made.begin = static_cast<uint32_t>(begin);
    made.end = static_cast<uint32_t>(end);
    d_.nodes_.push_back(made);
    return true;
  }

  bool word(size_t& at, std::string_view text, Kind kind, uint32_t& node) {
    if (text_.substr(at, text.size()) != text) return fail("Expecting value", at);
    const size_t begin = at;
    at += text.size();
    return add(kind, begin, at, node);
  }

  bool value(size_t& at, int depth, uint32_t& node) {
    if (depth > JsonDocument::kMaxDepth) return fail("Too deeply nested", at);
    switch (peek(at)) {
      case '"': return string(at, node);
      case '{': return object(at, depth, node);
      case '[': return array(at, depth, node);
      case 'n': return word(at, "null", Kind::kNull, node);
      case 't': return word(at, "true", Kind::kTrue, node);
      case 'f': return word(at, "false", Kind::kFalse, node);
      case 'N': return word(at, "NaN", Kind::kNonFinite, node);
      case 'I': return word(at, "Infinity", Kind::kNonFinite, node);
      default: break;
    }
    if (text_.substr(at, 9) == "-Infinity") return word(at, "-Infinity", Kind::kNonFinite, node);
    return number(at, node);
  }

  static bool digit(char c) { return c >= '0' && c <= '9'; }

  bool number(size_t& at, uint32_t& node) {
    const size_t begin = at;
    size_t i = at;
    if (is(i, '-')) ++i;
    if (!digit(peek(i))) return fail("Expecting value", begin);
    if (text_[i] == '0') {
      ++i;
    } else {
      while (digit(peek(i))) ++i;
    }
    Kind kind = Kind::kInteger;
    if (is(i, '.') && digit(peek(i + 1))) {
      kind = Kind::kReal;
      for (++i; digit(peek(i));) ++i;
    }
    if (is(i, 'e') || is(i, 'E')) {
      size_t e = i + 1;
      if (is(e, '+') || is(e, '-')) ++e;
      if (digit(peek(e))) {
        kind = Kind::kReal;
        while (digit(peek(e))) ++e;
        i = e;
      }
    }
    at = i;
    return add(kind, begin, i, node);
  }

  static int hex(char c) {
    if (digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  /// Four hex digits after "\u" at `at`; -1 where there are none.
  int unit(size_t at) const {
    int value = 0;
    for (size_t i = 0; i < 4; ++i) {
      const int h = hex(peek(at + i));
      if (h < 0) return -1;
      value = value * 16 + h;
    }
    return value;
  }

  bool string(size_t& at, uint32_t& node) {
    const size_t begin = at;
    size_t i = at + 1;
    bool odd = false;
    while (true) {
      while (i < text_.size() && text_[i] != '"' && text_[i] != '\\') {
        if (static_cast<unsigned char>(text_[i]) <= 0x1f) return fail("Invalid control character at", i);
        ++i;
      }
      if (i >= text_.size()) return fail("Unterminated string starting at", begin);
      if (text_[i] == '"') break;
      ++i;
      if (i >= text_.size()) return fail("Unterminated string starting at", begin);
      if (text_[i] != 'u') {
        if (std::string_view("\"\\/bfnrt").find(text_[i]) == std::string_view::npos) return fail("Invalid \\escape", i - 1);
        ++i;
        continue;
      }
      const size_t digits = i + 1;
      if (digits + 4 >= text_.size()) return fail("Invalid \\uXXXX escape", i);
      const int first = unit(digits);
      if (first < 0) return fail("Invalid \\uXXXX escape", i);
      i = digits + 4;
      if (first >= 0xd800 && first <= 0xdbff && is(i, '\\') && is(i + 1, 'u')) {
        const int second = unit(i + 2);
        if (second >= 0xdc00 && second <= 0xdfff) {
          i += 6;
          continue;
        }
      }
      odd = odd || (first >= 0xd800 && first <= 0xdfff);
    }
    at = i + 1;
    if (!add(Kind::kString, begin, at, node)) return false;
    d_.nodes_[node].odd = odd;
    return true;
  }

  void append(uint32_t parent, uint32_t& last, uint32_t child) {
    JsonDocument::Node& p = d_.nodes_[parent];
    if (last == 0) {
      p.first = child;
    } else {
      d_.nodes_[last].next = child;
    }
    last = child;
    ++p.count;
    p.odd = p.odd || d_.nodes_[child].odd || d_.nodes_[d_.nodes_[child].key].odd;
  }

  bool array(size_t& at, int depth, uint32_t& node) {
    if (!add(Kind::kArray, at, at, node)) return false;
    uint32_t last = 0;
    size_t i = skip_space(at + 1);
    while (!is(i, ']') || last != 0) {
      uint32_t child = 0;
      if (!value(i, depth + 1, child)) return false;
      append(node, last, child);
      i = skip_space(i);
      if (is(i, ']')) break;
      if (!is(i, ',')) return fail("Expecting ',' delimiter", i);
      i = skip_space(i + 1);
    }
    at = i + 1;
    d_.nodes_[node].end = static_cast<uint32_t>(at);
    return true;
  }

  bool object(size_t& at, int depth, uint32_t& node) {
    if (!add(Kind::kObject, at, at, node)) return false;
    uint32_t last = 0;
    size_t i = skip_space(at + 1);
    while (!is(i, '}') || last != 0) {
      if (!is(i, '"')) return fail("Expecting property name enclosed in double quotes", i);
      uint32_t key = 0, child = 0;
      if (!string(i, key)) return false;
      i = skip_space(i);
      if (!is(i, ':')) return fail("Expecting ':' delimiter", i);
      i = skip_space(i + 1);
      if (!value(i, depth + 1, child)) return false;
      d_.nodes_[child].key = key;
      append(node, last, child);
      i = skip_space(i);
      if (is(i, '}')) break;
      if (!is(i, ',')) return fail("Expecting ',' delimiter", i);
      i = skip_space(i + 1);
    }
    at = i + 1;
    d_.nodes_[node].end = static_cast<uint32_t>(at);
    return true;
  }

  JsonDocument& d_;
  std::string_view text_;
};

JsonDocument::JsonDocument(std::string_view text) : text_(text) {
  nodes_.emplace_back();  // 0 is "none"
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  if (text_.size() > UINT32_MAX - 16) {
    mistake_ = Mistake{"Too long", 0};
    return;
  }
  JsonParser(*this).parse();
}

const JsonDocument::Node* JsonDocument::member(const Node& object, std::string_view name) const {
  const Node* found = nullptr;
  for (uint32_t i = object.first; i != 0; i = nodes_[i].next) {
    if (text(nodes_[nodes_[i].key]) == name) found = &nodes_[i];
  }
  return found;
}

double JsonDocument::number(const Node& node) const {
  const std::string_view digits = source(node);
  if (node.kind == Kind::kNonFinite) return digits == "NaN" ? NAN : digits[0] == '-' ? -INFINITY : INFINITY;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(digits).c_str(), nullptr);
  return value;
}

namespace {

/// Surrogates that stand alone are no characters.
void append_code_point(std::string& out, uint32_t c) {
  constexpr uint32_t kReplacement = 0xfffd;
  append_utf8(out, c >= 0xd800 && c <= 0xdfff ? kReplacement : c);
}

uint32_t hex_unit(std::string_view digits) {
  uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::string JsonDocument::text(const Node& node) const {
  std::string_view inner = source(node);
  inner = inner.substr(1, inner.size() - 2);
  std::string out;
  out.reserve(inner.size());
  for (size_t i = 0; i < inner.size();) {
    if (inner[i] != '\\') {
      out += inner[i++];
      continue;
    }
    const char c = inner[i + 1];
    if (c != 'u') {
      constexpr std::string_view kFrom = "bfnrt", kTo = "\b\f\n\r\t";
      const size_t place = kFrom.find(c);
      out += place == kFrom.npos ? c : kTo[place];
      i += 2;
      continue;
    }
    uint32_t unit = hex_unit(inner.substr(i + 2, 4));
    i += 6;
    if (unit >= 0xd800 && unit <= 0xdbff && inner.substr(i, 2) == "\\u") {
      const uint32_t low = hex_unit(inner.substr(i + 2, 4));
      if (low >= 0xdc00 && low <= 0xdfff) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    append_code_point(out, unit);
  }
  return out;
}

void JsonDocument::write(const Node& node, std::string& out) const {
  switch (node.kind) {
    case Kind::kNonFinite: out += "null"; return;
    case Kind::kString: append_json_string(out, text(node)); return;
    case Kind::kArray:
    case Kind::kObject: break;
    default: out += source(node); return;
  }
  const bool object = node.kind == Kind::kObject;
  out += object ? '{' : '[';
  for (uint32_t i = node.first; i != 0; i = nodes_[i].next) {
    if (i != node.first) out += ',';
    if (object) {
      append_json_string(out, text(nodes_[nodes_[i].key]));
      out += ':';
    }
    write(nodes_[i], out);
  }
  out += object ? '}' : ']';
}

}  // namespace lanthorn
