#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// A regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax) over the code
/// points of UTF-8 text, matched in time linear in text times expression. Unicode classes (\pL) are
/// kUnsupported; groups capture nothing.
class Regex {
 public:
  /// kCorrupt for what is no expression, kLimit for one that grows too large.
  static Result<Regex> parse(std::string_view pattern);

  bool matches_whole(std::string_view text) const;
  /// The leftmost and of those the longest match at or after byte `from`: begin and end in bytes.
  std::optional<std::pair<size_t, size_t>> find(std::string_view text, size_t from) const;

  struct Range {
    uint32_t first, last;
  };
  enum class Op : uint8_t { kClass, kSplit, kJump, kAssert, kAccept };
  enum class Assertion : uint8_t { kTextBegin, kTextEnd, kLineBegin, kLineEnd, kWord, kNoWord };
  /// One step: a class of characters, or where to go on.
  struct Step {
    Op op = Op::kAccept;
    Assertion assertion = Assertion::kTextBegin;
    uint32_t to = 0, other = 0;  // kSplit, kJump
    std::vector<Range> ranges;   // kClass
  };

 private:
  /// The end of the longest match that begins at `from`.
  std::optional<size_t> longest(std::string_view text, size_t from) const;

  std::vector<Step> steps_;
};

}  // namespace lanthorn
