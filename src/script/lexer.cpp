#include "script/lexer.h"

#include <algorithm>
#include <array>

namespace lanthorn::script {
namespace {

constexpr size_t kMaxIndents = 200;

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_name(char c) { return starts_name(c) || is_digit(c); }

constexpr std::array<std::string_view, 25> kLongSymbols = {
    "**=", "//=", "<<=", ">>=", "...", "->", "**", "//", "<<", ">>", "<=", ">=", "==",
    "!=",  "+=",  "-=",  "*=",  "/=",  "%=", "&=", "|=", "^=", "@=", ":=", "<>"};
constexpr std::string_view kSymbols = "()[]{}:,.=+-*/%&|^~<>@;";

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    tokens_.reserve(source_.size() / 4 + 16);
    while (at_ < source_.size()) {
      if (line_start_ && depth_ == 0) {
        LAN_OK(indentation());
        if (at_ >= source_.size()) break;
      }
      LAN_OK(token());
    }
    if (!tokens_.empty() && tokens_.back().kind != Token::Kind::kNewline)
      add(Token::Kind::kNewline, at_, 0);
    for (size_t i = 1; i < indents_.size(); ++i) add(Token::Kind::kDedent, at_, 0);
    add(Token::Kind::kEnd, at_, 0);
    return std::move(tokens_);
  }

 private:
  void add(Token::Kind kind, size_t start, size_t length) {
    tokens_.push_back({kind, static_cast<uint32_t>(start), source_.substr(start, length)});
  }
  Error error(std::string message, size_t offset) const {
    return {ErrorCode::kCorrupt, std::move(message),
            "line " + std::to_string(line_of(source_, offset)), ""};
  }

  Status indentation() {
    size_t width = 0;
    while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t')) {
      width += source_[at_] == '\t' ? 8 - width % 8 : 1;
      ++at_;
    }
    if (at_ >= source_.size()) return ok();
    const char c = source_[at_];
    if (c == '\n' || c == '\r' || c == '#') return ok();  // an empty line says nothing of blocks
    line_start_ = false;
    if (width > indents_.back()) {
      if (indents_.size() >= kMaxIndents) {
        return Error{ErrorCode::kLimit,
                     "blocks are nested more than " + std::to_string(kMaxIndents) + " deep",
                     "line " + std::to_string(line_of(source_, at_)), ""};
      }
      indents_.push_back(width);
      add(Token::Kind::kIndent, at_, 0);
    }
    while (width < indents_.back()) {
      indents_.pop_back();
      add(Token::Kind::kDedent, at_, 0);
    }
    if (width != indents_.back()) return error("this line is indented as none before it", at_);
    return ok();
  }

  Status token() {
    const char c = source_[at_];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      ++at_;
      return ok();
    }
    if (c == '#') {
      while (at_ < source_.size() && source_[at_] != '\n') ++at_;
      return ok();
    }
    if (c == '\\' && at_ + 1 < source_.size() && source_[at_ + 1] == '\n') {
      at_ += 2;
      return ok();
    }
    if (c == '\n') {
      if (depth_ == 0) {
        if (!line_start_) add(Token::Kind::kNewline, at_, 0);
        line_start_ = true;
      }
      ++at_;
      return ok();
    }
    if (c == '"' || c == '\'') return string(at_);
    if (starts_name(c)) {
      const size_t start = at_;
      while (at_ < source_.size() && in_name(source_[at_])) ++at_;
      const std::string_view name = source_.substr(start, at_ - start);
      const bool prefix = name == "b" || name == "r" || name == "u";
      if (prefix && at_ < source_.size() && (source_[at_] == '"' || source_[at_] == '\''))
        return string(start);
      add(Token::Kind::kName, start, at_ - start);
      return ok();
    }
    if (is_digit(c) || (c == '.' && at_ + 1 < source_.size() && is_digit(source_[at_ + 1]))) {
      number();
      return ok();
    }
    return symbol();
  }

  Status string(size_t start) {
    const char quote = source_[at_];
    const std::string_view three = source_.substr(at_, 3);
    const bool triple = three.size() == 3 && three[1] == quote && three[2] == quote;
    size_t i = at_ + (triple ? 3 : 1);
    for (; i < source_.size(); ++i) {
      if (source_[i] == '\\') {
        ++i;
      } else if (!triple && source_[i] == '\n') {
        break;
      } else if (source_[i] == quote &&
                 (!triple ||
                  (i + 2 < source_.size() && source_[i + 1] == quote && source_[i + 2] == quote))) {
        at_ = i + (triple ? 3 : 1);
        add(Token::Kind::kString, start, at_ - start);
        return ok();
      }
    }
    return error("a string does not end", start);
  }

  void number() {
    const size_t start = at_;
    auto kind = Token::Kind::kInt;
    if (source_[at_] == '0' && at_ + 1 < source_.size() && (source_[at_ + 1] | 0x20) == 'x') {
      at_ += 2;
      while (at_ < source_.size() && (is_digit(source_[at_]) || ((source_[at_] | 0x20) >= 'a' &&
                                                                 (source_[at_] | 0x20) <= 'f')))
        ++at_;
      add(kind, start, at_ - start);
      return;
    }
    while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    if (at_ < source_.size() && source_[at_] == '.') {
      kind = Token::Kind::kFloat;
      ++at_;
      while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    }
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      size_t i = at_ + 1;
      if (i < source_.size() && (source_[i] == '+' || source_[i] == '-')) ++i;
      if (i < source_.size() && is_digit(source_[i])) {
        kind = Token::Kind::kFloat;
        at_ = i;
        while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
      }
    }
    if (at_ < source_.size() && source_[at_] == 'j') {
      kind = Token::Kind::kImaginary;
      ++at_;
    }
    add(kind, start, at_ - start);
  }

  Status symbol() {
    for (const std::string_view symbol : kLongSymbols) {
      if (source_.substr(at_, symbol.size()) == symbol) {
        add(Token::Kind::kSymbol, at_, symbol.size());
        at_ += symbol.size();
        return ok();
      }
    }
    const char c = source_[at_];
    if (kSymbols.find(c) == std::string_view::npos) {
      return error("a byte " + std::to_string(static_cast<unsigned char>(c)) + " begins no token",
                   at_);
    }
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if ((c == ')' || c == ']' || c == '}') && depth_ > 0) --depth_;
    add(Token::Kind::kSymbol, at_, 1);
    ++at_;
    return ok();
  }

  std::string_view source_;
  size_t at_ = 0;
  size_t depth_ = 0;
  bool line_start_ = true;
  std::vector<size_t> indents_ = {0};
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> cut_into_tokens(std::string_view source) {
  if (source.size() > kMaxSourceBytes) {
    return Error{ErrorCode::kLimit,
                 "a source file has " + std::to_string(source.size()) + " bytes; the limit is " +
                     std::to_string(kMaxSourceBytes),
                 "", ""};
  }
  return Lexer(source).run();
}

Result<std::string> string_value(std::string_view literal) {
  size_t i = 0;
  bool raw = false;
  while (i < literal.size() && literal[i] != '"' && literal[i] != '\'') raw |= literal[i++] == 'r';
  const std::string_view three = literal.substr(i, 3);
  const size_t quotes =
      literal.size() >= i + 6 && three[1] == three[0] && three[2] == three[0] ? 3 : 1;
  const std::string_view body = literal.substr(i + quotes, literal.size() - i - 2 * quotes);
  std::string out;
  out.reserve(body.size());
  for (size_t k = 0; k < body.size(); ++k) {
    if (body[k] != '\\' || raw || k + 1 >= body.size()) {
      out += body[k];
      continue;
    }
    const char c = body[++k];
    constexpr std::string_view kEscapes = "\\'\"abfnrtv";
    constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
    if (const size_t at = kEscapes.find(c); at != std::string_view::npos) {
      out += kValues[at];
    } else if (c >= '0' && c <= '7') {
      unsigned value = 0;
      size_t digits = 0;
      for (; digits < 3 && k < body.size() && body[k] >= '0' && body[k] <= '7'; ++digits) {
        value = value * 8 + static_cast<unsigned>(body[k++] - '0');
      }
      --k;
      if (value > 255)
        return Error{ErrorCode::kCorrupt, "an octal escape of a string is beyond \\377", "", ""};
      out += static_cast<char>(value);
    } else if (c == '\n') {
      continue;
    } else {
      // Python keeps the backslash of an escape that it does not know.
      out += '\\';
      out += c;
    }
  }
  return out;
}

size_t line_of(std::string_view source, size_t offset) {
  const std::string_view before = source.substr(0, std::min(offset, source.size()));
  return static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

}  // namespace lanthorn::script
