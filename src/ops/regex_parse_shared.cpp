// The syntax of regular expressions: https://github.com/google/re2/wiki/Syntax

#include <algorithm>
#include <string>

#include "ops/regex_shared.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxSteps = 20'000;
constexpr int kMaxDepth = 200;
constexpr int kMaxRepeat = 1000;  // as RE2
constexpr uint32_t kLastPoint = 0x10ffff;

using Range = Regex::Range;
using Step = Regex::Step;
using Op = Regex::Op;
using Steps = std::vector<Step>;

void complement(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> rest;
  uint32_t next = 0;
  for (const Range& range : ranges) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = std::max(next, range.last + 1);
  }
  if (next <= kLastPoint) rest.push_back({next, kLastPoint});
  ranges = std::move(rest);
}

// Classes by the letter behind a backslash; by name as [[:alpha:]].
std::vector<Range> perl_class(char letter) {
  switch (letter) {
    case 'd':
      return {{'0', '9'}};
    case 's':
      return {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
    case 'w':
      return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    default:
      return {};
  }
}

struct NamedClass {
  std::string_view name;
  std::vector<Range> ranges;
};

std::vector<Range> posix_class(std::string_view name) {
  const NamedClass classes[] = {
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {"ascii", {{0, 127}}},
      {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"cntrl", {{0, 31}, {127, 127}}},
      {"digit", {{'0', '9'}}},
      {"graph", {{'!', '~'}}},
      {"lower", {{'a', 'z'}}},
      {"print", {{' ', '~'}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
      {"space", {{'\t', '\r'}, {' ', ' '}}},
      {"upper", {{'A', 'Z'}}},
      {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
  };
  for (const NamedClass& known : classes) {
    if (known.name == name) return known.ranges;
  }
  return {};
}

struct Flags {
  bool any_case = false, lines = false, dot_all = false;
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : text_(pattern) {}

  Result<Steps> parse() {
    LAN_TRY(Steps steps, alternatives(Flags{}, 0));
    if (at_ < text_.size()) return wrong("a ')' without a '('");
    steps.push_back(Step{.op = Op::kAccept});
    return steps;
  }

 private:
  bool more() const { return at_ < text_.size(); }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  Error wrong(std::string message) const {
    return Error{ErrorCode::kCorrupt, "the regular expression has " + std::move(message),
                 "character " + std::to_string(at_), ""};
  }

  Status append(Steps& to, const Steps& from) {
    made_ += from.size();
    if (made_ > 8 * kMaxSteps || to.size() + from.size() > kMaxSteps) {
      return Error{ErrorCode::kLimit, "the regular expression is too large", "", ""};
    }
    const auto base = static_cast<uint32_t>(to.size());
    for (const Step& step : from) {
      to.push_back(step);
      to.back().to += base;
      to.back().other += base;
    }
    return ok();
  }

  static Step split(size_t to, size_t other) {
    return {
        .op = Op::kSplit, .to = static_cast<uint32_t>(to), .other = static_cast<uint32_t>(other)};
  }

  Result<Steps> alternatives(Flags flags, int depth) {
    if (depth > kMaxDepth) return wrong("too many parentheses");
    LAN_TRY(Steps left, sequence(flags, depth));
    while (take("|")) {
      LAN_TRY(Steps right, sequence(flags, depth));
      Steps both;
      both.push_back(split(1, left.size() + 2));
      LAN_OK(append(both, left));
      both.push_back(
          {.op = Op::kJump, .to = static_cast<uint32_t>(left.size() + right.size() + 2)});
      LAN_OK(append(both, right));
      left = std::move(both);
    }
    return left;
  }

  // The flags of (?i) hold to the end of the group, in later alternatives too.
  Result<Steps> sequence(Flags& flags, int depth) {
    Steps steps;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      if (take("\\Q")) {
        // A repetition after a quoted text is one of its last character.
        Steps last;
        while (more() && !take("\\E")) {
          LAN_OK(append(steps, last));
          const uint32_t point = plain();
          last = characters({{point, point}}, flags, false);
        }
        LAN_TRY(last, repeated(std::move(last)));
        LAN_OK(append(steps, last));
        continue;
      }
      LAN_TRY(Steps item, atom(flags, depth));
      LAN_TRY(item, repeated(std::move(item)));
      LAN_OK(append(steps, item));
    }
    return steps;
  }

  bool count(int& value) {
    const size_t begin = at_;
    value = 0;
    for (; more() && text_[at_] >= '0' && text_[at_] <= '9' && value <= kMaxRepeat; ++at_) {
      value = value * 10 + (text_[at_] - '0');
    }
    return at_ > begin;
  }

  // {n}, {n,}, {n,m}; anything else in braces is plain text.
  bool braces(int& least, int& most) {
    const size_t begin = at_;
    if (take("{") && count(least)) {
      most = least;
      const bool open = take(",") && !count(most);
      if (open) most = -1;
      if (take("}")) return true;
    }
    at_ = begin;
    return false;
  }

  Result<Steps> repeated(Steps item) {
    while (more()) {
      int least = 0, most = -1;
      if (take("*")) {
      } else if (take("+")) {
        least = 1;
      } else if (take("?")) {
        most = 1;
      } else if (!braces(least, most)) {
        break;
      }
      take("?");  // which match is preferred does not matter to us
      if (least > kMaxRepeat || most > kMaxRepeat || (most >= 0 && most < least)) {
        return wrong("an impossible number of repetitions");
      }
      Steps whole;
      for (int i = 0; i < least; ++i) LAN_OK(append(whole, item));
      for (int i = least; i < most; ++i) {
        Steps once{split(1, item.size() + 1)};
        LAN_OK(append(once, item));
        LAN_OK(append(whole, once));
      }
      if (most < 0) {
        Steps loop{split(1, item.size() + 2)};
        LAN_OK(append(loop, item));
        loop.push_back({.op = Op::kJump, .to = 0});
        LAN_OK(append(whole, loop));
      }
      item = std::move(whole);
    }
    return item;
  }

  static Steps one(Step step) { return Steps{std::move(step)}; }
  static Steps assertion(Regex::Assertion what) {
    return one({.op = Op::kAssert, .assertion = what});
  }
  static Steps characters(std::vector<Range> ranges, const Flags& flags, bool negated) {
    if (flags.any_case) {
      for (size_t i = 0, n = ranges.size(); i < n; ++i) {
        for (const bool small : {true, false}) {
          const uint32_t first = small ? 'a' : 'A', shift = small ? uint32_t{0} - 32 : 32;
          const uint32_t low = std::max(ranges[i].first, first);
          const uint32_t high = std::min(ranges[i].last, first + 25);
          if (low <= high) {
            ranges.push_back({low + shift, high + shift});
          }
        }
      }
    }
    if (negated) complement(ranges);
    return one({.op = Op::kClass, .ranges = std::move(ranges)});
  }

  Result<Steps> atom(Flags& flags, int depth) {
    using enum Regex::Assertion;
    if (take("(")) return group(flags, depth);
    if (take("[")) return bracket(flags);
    if (take("^")) return assertion(flags.lines ? kLineBegin : kTextBegin);
    if (take("$")) return assertion(flags.lines ? kLineEnd : kTextEnd);
    if (take(".")) {
      return flags.dot_all ? characters({{0, kLastPoint}}, Flags{}, false)
                           : characters({{'\n', '\n'}}, Flags{}, true);
    }
    if (take("\\A")) return assertion(kTextBegin);
    if (take("\\z")) return assertion(kTextEnd);
    if (take("\\b")) return assertion(kWord);
    if (take("\\B")) return assertion(kNoWord);
    if (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?') {
      return wrong("nothing to repeat");
    }
    LAN_TRY(std::vector<Range> ranges, character());
    return characters(std::move(ranges), flags, false);
  }

  Result<Steps> group(Flags& flags, int depth) {
    Flags inner = flags;
    if (take("?")) {
      if (take("P<") || take("<")) {
        while (more() && text_[at_] != '>') ++at_;
        if (!take(">")) return wrong("a group whose name does not end");
      } else {
        bool on = true;
        while (more() && text_[at_] != ')' && text_[at_] != ':') {
          const char flag = text_[at_++];
          if (flag == '-')
            on = false;
          else if (flag == 'i')
            inner.any_case = on;
          else if (flag == 'm')
            inner.lines = on;
          else if (flag == 's')
            inner.dot_all = on;
          else if (flag != 'U')
            return wrong("a group of unknown kind");
        }
        if (take(")")) {
          flags = inner;
          return Steps{};
        }
        if (!take(":")) return wrong("a '(' without a ')'");
      }
    }
    LAN_TRY(Steps steps, alternatives(inner, depth + 1));
    if (!take(")")) return wrong("a '(' without a ')'");
    return steps;
  }

  uint32_t plain() {
    const auto byte = static_cast<uint8_t>(text_[at_++]);
    const size_t rest = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    if (rest == 0 || at_ + rest > text_.size()) return byte;
    uint32_t value = byte & (0x3fu >> rest);
    for (size_t i = 0; i < rest; ++i)
      value = value << 6 | (static_cast<uint8_t>(text_[at_++]) & 0x3fu);
    return value;
  }

  // One character or, behind a backslash, a class.
  Result<std::vector<Range>> character() {
    const auto single = [](uint32_t point) { return std::vector<Range>{{point, point}}; };
    if (!take("\\")) return single(plain());
    if (!more()) return wrong("a backslash at its end");
    const char letter = text_[at_++];
    constexpr std::string_view kNames = "tnrfva", kMeant = "\t\n\r\f\v\a";
    if (const size_t name = kNames.find(letter); name != std::string_view::npos) {
      return single(static_cast<uint8_t>(kMeant[name]));
    }
    const char lower = static_cast<char>(letter | 0x20);
    if (std::vector<Range> ranges = perl_class(lower); !ranges.empty()) {
      if (lower != letter) complement(ranges);
      return ranges;
    }
    if (letter == 'x') {
      const bool braced = take("{");
      uint32_t value = 0;
      size_t digits = 0;
      for (; more() && digits < (braced ? 8u : 2u); ++digits, ++at_) {
        const char c = text_[at_], small = static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9')
          value = value * 16 + static_cast<uint32_t>(c - '0');
        else if (small >= 'a' && small <= 'f')
          value = value * 16 + static_cast<uint32_t>(small - 'a' + 10);
        else
          break;
      }
      if (digits == 0 || value > kLastPoint || (braced && !take("}"))) return wrong("a bad \\x");
      return single(value);
    }
    if (letter == 'p' || letter == 'P') {
      return Error{ErrorCode::kUnsupported, "Unicode classes in regular expressions", "", ""};
    }
    if ((letter >= '0' && letter <= '9') || (lower >= 'a' && lower <= 'z')) {
      return wrong(std::string("an unknown '\\") + letter + "'");
    }
    --at_;
    return single(plain());
  }

  Result<Steps> bracket(const Flags& flags) {
    const bool negated = take("^");
    std::vector<Range> all;
    for (bool first = true; first || !take("]"); first = false) {
      if (!more()) return wrong("a '[' without a ']'");
      if (text_.substr(at_).starts_with("[:")) {
        const size_t end = text_.find(":]", at_);
        std::string_view name =
            text_.substr(at_ + 2, end == std::string_view::npos ? 0 : end - at_ - 2);
        const bool without = name.starts_with("^");
        if (without) name.remove_prefix(1);
        std::vector<Range> ranges = posix_class(name);
        if (ranges.empty()) return wrong("an unknown class of characters");
        if (without) complement(ranges);
        all.insert(all.end(), ranges.begin(), ranges.end());
        at_ = end + 2;
        continue;
      }
      LAN_TRY(std::vector<Range> ranges, character());
      const bool single = ranges.size() == 1 && ranges[0].first == ranges[0].last;
      if (single && at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        LAN_TRY(const std::vector<Range> end, character());
        if (end.size() != 1 || end[0].first < ranges[0].first)
          return wrong("a range that runs backward");
        ranges[0].last = end[0].last;
      }
      all.insert(all.end(), ranges.begin(), ranges.end());
    }
    return characters(std::move(all), flags, negated);
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t made_ = 0;  // steps copied so far: nested repetitions multiply them
};

}  // namespace

Result<Regex> Regex::parse(std::string_view pattern) {
  LAN_TRY(Steps steps, Parser(pattern).parse());
  Regex regex;
  regex.steps_ = std::move(steps);
  return regex;
}

}  // namespace lanthorn
