#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn::script {

struct Token {
  enum class Kind : uint8_t {
    kName,
    kInt,
    kFloat,
    kImaginary,
    kString,
    kSymbol,
    kNewline,
    kIndent,
    kDedent,
    kEnd
  };
  Kind kind = Kind::kEnd;
  uint32_t offset = 0;
  std::string_view text;

  bool is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool word(std::string_view name) const { return kind == Kind::kName && text == name; }
};

/// The largest source file that is read, in bytes.
constexpr size_t kMaxSourceBytes = size_t{16} << 20;

/// Cuts a source into tokens, Python's way: lines, indentation, brackets that join lines, comments.
/// Keywords are names: which is which is the parser's to say. Tokens point into `source`. kCorrupt
/// for what is no token, kLimit for a source beyond kMaxSourceBytes. Errors say the line.
Result<std::vector<Token>> cut_into_tokens(std::string_view source);

/// The value of a string literal as written (prefix and quotes included). kCorrupt on a bad escape.
Result<std::string> string_value(std::string_view literal);

/// The line of a byte offset, from 1.
size_t line_of(std::string_view source, size_t offset);

}  // namespace lanthorn::script
