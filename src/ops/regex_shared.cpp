// Runs expressions by following all their states at once (Thompson's simulation).

#include "ops/regex_shared.h"

namespace lanthorn {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 1;
};

// A byte that begins no valid sequence stands for itself.
CodePoint code_point_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  uint32_t value = lead & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1};
    value = value << 6 | (byte(i) & 0x3fu);
  }
  return {value, length};
}

bool is_word(std::string_view text, size_t at) {
  if (at >= text.size()) return false;
  const char c = text[at];
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool holds(Regex::Assertion assertion, std::string_view text, size_t at) {
  using enum Regex::Assertion;
  const bool edge = (at > 0 && is_word(text, at - 1)) != is_word(text, at);
  switch (assertion) {
    case kTextBegin:
      return at == 0;
    case kTextEnd:
      return at == text.size();
    case kLineBegin:
      return at == 0 || text[at - 1] == '\n';
    case kLineEnd:
      return at == text.size() || text[at] == '\n';
    case kWord:
      return edge;
    case kNoWord:
      return !edge;
  }
  return false;
}

bool contains(const std::vector<Regex::Range>& ranges, uint32_t value) {
  for (const Regex::Range& range : ranges) {
    if (value >= range.first && value <= range.last) return true;
  }
  return false;
}

// The states that are reached without a character; each is there once.
struct States {
  std::vector<uint32_t> list, stack;
  std::vector<size_t> seen;  // the position at which a state was added last, plus one

  void add(const std::vector<Regex::Step>& steps, uint32_t first, std::string_view text,
           size_t at) {
    stack.assign(1, first);
    while (!stack.empty()) {
      const uint32_t state = stack.back();
      stack.pop_back();
      if (seen[state] == at + 1) continue;
      seen[state] = at + 1;
      const Regex::Step& step = steps[state];
      if (step.op == Regex::Op::kSplit) stack.push_back(step.other);
      if (step.op == Regex::Op::kSplit || step.op == Regex::Op::kJump) stack.push_back(step.to);
      if (step.op == Regex::Op::kAssert && holds(step.assertion, text, at)) {
        stack.push_back(state + 1);
      }
      if (step.op == Regex::Op::kClass || step.op == Regex::Op::kAccept) list.push_back(state);
    }
  }
};

}  // namespace

std::optional<size_t> Regex::longest(std::string_view text, size_t from) const {
  States now, next;
  now.seen.assign(steps_.size(), 0);
  next.seen.assign(steps_.size(), 0);
  std::optional<size_t> end;
  now.add(steps_, 0, text, from);
  for (size_t at = from;; std::swap(now, next)) {
    const CodePoint point = at < text.size() ? code_point_at(text, at) : CodePoint{};
    next.list.clear();
    for (const uint32_t state : now.list) {
      const Step& step = steps_[state];
      if (step.op == Op::kAccept) end = at;
      if (step.op == Op::kClass && at < text.size() && contains(step.ranges, point.value)) {
        next.add(steps_, state + 1, text, at + point.bytes);
      }
    }
    if (next.list.empty()) return end;
    at += point.bytes;
  }
}

bool Regex::matches_whole(std::string_view text) const { return longest(text, 0) == text.size(); }

std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view text, size_t from) const {
  while (from <= text.size()) {
    if (const auto end = longest(text, from)) return std::pair{from, *end};
    from += from < text.size() ? code_point_at(text, from).bytes : 1;
  }
  return std::nullopt;
}

}  // namespace lanthorn
