// Strings: bytes, as TorchScript has them.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "script/aten/numbers_shared.h"

namespace lanthorn::script {
namespace {

constexpr size_t kMaxText = size_t{16} << 20;
constexpr std::string_view kSpaces = " \t\n\r\f\v";

Status check_size(Lowering& lowering, size_t size) {
  if (size <= kMaxText) return ok();
  return lowering.error(ErrorCode::kLimit, "a string of the program grows too long");
}

/// Each "{}" is the next argument; nothing else of Python's formats is known to TorchScript.
Result<Value> format(Lowering& lowering, const Args& args) {
  const std::string& pattern = args.text(0);
  std::string out;
  size_t at = 0;
  for (size_t used = 1;; ++used) {
    const size_t hole = pattern.find("{}", at);
    out += pattern.substr(at, hole == std::string::npos ? hole : hole - at);
    if (hole == std::string::npos) return Value(std::move(out));
    if (used >= args.size())
      return lowering.error(ErrorCode::kInvalidInput, "format() has too few arguments");
    out += text_of(args[used]);
    LAN_OK(check_size(lowering, out.size()));
    at = hole + 2;
  }
}

Result<Value> percent_format(Lowering& lowering, const Args& args) {
  const std::string& pattern = args.text(0);
  std::vector<Value> values;
  for (size_t i = 1; i < args.size(); ++i) {
    if (const auto tuple = args[i].tuple(); tuple && args.size() == 2) {
      values = tuple->items;
    } else {
      values.push_back(args[i]);
    }
  }
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 >= pattern.size()) {
      out += pattern[i];
      continue;
    }
    if (pattern[++i] == '%') {
      out += '%';
      continue;
    }
    while (i < pattern.size() &&
           std::string_view("0123456789.+- #").find(pattern[i]) != std::string_view::npos)
      ++i;
    if (used >= values.size())
      return lowering.error(ErrorCode::kInvalidInput, "a format has too few arguments");
    out += text_of(values[used++]);
    LAN_OK(check_size(lowering, out.size()));
  }
  return Value(std::move(out));
}

Result<Value> add(Lowering& lowering, const Args& args) {
  LAN_OK(check_size(lowering, args.text(0).size() + args.text(1).size()));
  return Value(args.text(0) + args.text(1));
}
Result<Value> mul(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t times, lowering.concrete(args.integer(1)));
  std::string out;
  for (int64_t i = 0; i < times && !args.text(0).empty(); ++i) {
    out += args.text(0);
    LAN_OK(check_size(lowering, out.size()));
  }
  return Value(std::move(out));
}
Result<Value> str(Lowering&, const Args& args) { return Value(text_of(args[0])); }
Result<Value> len(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(args.text(0).size())));
}

Result<Value> get_item(Lowering& lowering, const Args& args) {
  const std::string& text = args.text(0);
  LAN_TRY(int64_t at, lowering.concrete(args.integer(1)));
  if (at < 0) at += static_cast<int64_t>(text.size());
  if (at < 0 || at >= static_cast<int64_t>(text.size())) {
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program takes a letter outside of a string");
  }
  return Value(std::string(1, text[static_cast<size_t>(at)]));
}
Result<Value> slice(Lowering& lowering, const Args& args) {
  const std::string& text = args.text(0);
  const int64_t size = static_cast<int64_t>(text.size());
  LAN_TRY(const int64_t step, lowering.concrete(args.integer(3)));
  if (step <= 0)
    return lowering.error(ErrorCode::kUnsupported, "a slice of a string with a negative step");
  int64_t bounds[2] = {0, size};
  for (size_t i = 0; i < 2; ++i) {
    if (args.is_none(i + 1)) continue;
    LAN_TRY(bounds[i], lowering.concrete(args.integer(i + 1)));
    if (bounds[i] < 0) bounds[i] += size;
    bounds[i] = std::clamp<int64_t>(bounds[i], 0, size);
  }
  std::string out;
  for (int64_t i = bounds[0]; i < bounds[1]; i += step) out += text[static_cast<size_t>(i)];
  return Value(std::move(out));
}

/// The part of a string that start and end bounds leave, and where it begins.
Result<std::pair<std::string_view, int64_t>> part(Lowering& lowering, const Args& args,
                                                  size_t start) {
  const std::string& text = args.text(0);
  const int64_t size = static_cast<int64_t>(text.size());
  LAN_TRY(int64_t from, lowering.concrete(args.integer(start)));
  LAN_TRY(int64_t to, lowering.concrete(args.integer(start + 1)));
  if (from < 0) from += size;
  if (to < 0) to += size + 1;  // the schemas' -1 is the end
  from = std::clamp<int64_t>(from, 0, size);
  to = std::clamp<int64_t>(to, from, size);
  return std::pair(
      std::string_view(text).substr(static_cast<size_t>(from), static_cast<size_t>(to - from)),
      from);
}
Result<Value> find(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto where, part(lowering, args, 2));
  const size_t at = where.first.find(args.text(1));
  return Value(Dim(at == std::string_view::npos ? -1 : static_cast<int64_t>(at) + where.second));
}
Result<Value> rfind(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto where, part(lowering, args, 2));
  const size_t at = where.first.rfind(args.text(1));
  return Value(Dim(at == std::string_view::npos ? -1 : static_cast<int64_t>(at) + where.second));
}
Result<Value> index(Lowering& lowering, const Args& args) {
  LAN_TRY(Value at, find(lowering, args));
  if (at.integer()->is(-1))
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program looks for a text that is not there");
  return at;
}
Result<Value> count(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto where, part(lowering, args, 2));
  if (args.text(1).empty()) return Value(Dim(static_cast<int64_t>(where.first.size()) + 1));
  int64_t found = 0;
  for (size_t at = 0; (at = where.first.find(args.text(1), at)) != std::string_view::npos;
       at += args.text(1).size())
    ++found;
  return Value(Dim(found));
}
Result<Value> starts_with(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto where, part(lowering, args, 2));
  return Value::of_bool(where.first.starts_with(args.text(1)));
}
Result<Value> ends_with(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto where, part(lowering, args, 2));
  return Value::of_bool(where.first.ends_with(args.text(1)));
}

template <int (*kLetter)(int)>
Result<Value> letters(Lowering&, const Args& args) {
  std::string out = args.text(0);
  for (char& c : out) c = static_cast<char>(kLetter(static_cast<unsigned char>(c)));
  return Value(std::move(out));
}
int upper(int c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }
int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
int swapped(int c) { return lower(c) == c ? upper(c) : lower(c); }

template <bool (*kTest)(char)>
Result<Value> all_letters(Lowering&, const Args& args) {
  return Value::of_bool(!args.text(0).empty() &&
                        std::all_of(args.text(0).begin(), args.text(0).end(), kTest));
}
bool digit(char c) { return c >= '0' && c <= '9'; }
bool alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool alnum(char c) { return digit(c) || alpha(c); }
bool space(char c) { return kSpaces.find(c) != std::string_view::npos; }
bool not_lower(char c) { return !(c >= 'a' && c <= 'z'); }
bool not_upper(char c) { return !(c >= 'A' && c <= 'Z'); }

Result<Value> capitalize(Lowering&, const Args& args) {
  std::string out = args.text(0);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<char>(i == 0 ? upper(out[i]) : lower(out[i]));
  return Value(std::move(out));
}
Result<Value> title(Lowering&, const Args& args) {
  std::string out = args.text(0);
  bool inside = false;
  for (char& c : out) {
    c = static_cast<char>(inside ? lower(c) : upper(c));
    inside = alpha(c);
  }
  return Value(std::move(out));
}

std::string stripped(std::string_view text, std::string_view letters, bool left, bool right) {
  while (left && !text.empty() && letters.find(text.front()) != std::string_view::npos)
    text.remove_prefix(1);
  while (right && !text.empty() && letters.find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return std::string(text);
}
template <bool kLeft, bool kRight>
Result<Value> strip(Lowering&, const Args& args) {
  return Value(stripped(args.text(0), args.is_none(1) ? kSpaces : std::string_view(args.text(1)),
                        kLeft, kRight));
}

Result<Value> split(Lowering& lowering, const Args& args) {
  std::string_view rest = args.text(0);
  LAN_TRY(int64_t most, lowering.concrete(args.integer(2)));
  std::vector<Value> out;
  if (args.is_none(1)) {
    while (true) {
      const size_t from = rest.find_first_not_of(kSpaces);
      if (from == std::string_view::npos) break;
      rest.remove_prefix(from);
      const size_t to = most == 0 ? std::string_view::npos : rest.find_first_of(kSpaces);
      out.emplace_back(std::string(rest.substr(0, to)));
      if (to == std::string_view::npos) break;
      rest.remove_prefix(to);
      --most;
    }
    return make_list(std::move(out), "str");
  }
  const std::string& separator = args.text(1);
  if (separator.empty()) return lowering.error(ErrorCode::kInvalidInput, "split() by nothing");
  for (size_t at; most != 0 && (at = rest.find(separator)) != std::string_view::npos; --most) {
    out.emplace_back(std::string(rest.substr(0, at)));
    rest.remove_prefix(at + separator.size());
  }
  out.emplace_back(std::string(rest));
  return make_list(std::move(out), "str");
}
Result<Value> split_lines(Lowering&, const Args& args) {
  std::vector<Value> out;
  std::string_view rest = args.text(0);
  while (!rest.empty()) {
    const size_t at = rest.find('\n');
    const std::string_view line = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    out.emplace_back(std::string(line) +
                     (args.flag(1) && at != std::string_view::npos ? "\n" : ""));
  }
  return make_list(std::move(out), "str");
}
Result<Value> join(Lowering& lowering, const Args& args) {
  std::string out;
  bool first = true;
  for (const Value& item : args.list(1)->items) {
    if (!first) out += args.text(0);
    first = false;
    out += text_of(item);
    LAN_OK(check_size(lowering, out.size()));
  }
  return Value(std::move(out));
}
Result<Value> replace(Lowering& lowering, const Args& args) {
  LAN_TRY(int64_t most, lowering.concrete(args.integer(3)));
  const std::string& old = args.text(1);
  if (old.empty()) return lowering.error(ErrorCode::kUnsupported, "replace() of nothing");
  std::string out;
  std::string_view rest = args.text(0);
  for (size_t at; most != 0 && (at = rest.find(old)) != std::string_view::npos; --most) {
    out += rest.substr(0, at);
    out += args.text(2);
    LAN_OK(check_size(lowering, out.size()));
    rest.remove_prefix(at + old.size());
  }
  return Value(out + std::string(rest));
}
template <bool kLast>
Result<Value> partition(Lowering&, const Args& args) {
  const std::string& text = args.text(0);
  const size_t at = kLast ? text.rfind(args.text(1)) : text.find(args.text(1));
  if (at == std::string::npos) {
    if (kLast) return make_tuple({Value(std::string()), Value(std::string()), Value(text)});
    return make_tuple({Value(text), Value(std::string()), Value(std::string())});
  }
  return make_tuple({Value(text.substr(0, at)), Value(args.text(1)),
                     Value(text.substr(at + args.text(1).size()))});
}
template <int kSide>
Result<Value> padded(Lowering& lowering, const Args& args) {
  const std::string& text = args.text(0);
  LAN_TRY(const int64_t width, lowering.concrete(args.integer(1)));
  if (width <= static_cast<int64_t>(text.size())) return Value(text);
  LAN_OK(check_size(lowering, static_cast<size_t>(width)));
  const size_t gap = static_cast<size_t>(width) - text.size();
  const char fill = args.size() > 2 && !args.text(2).empty() ? args.text(2)[0] : ' ';
  const size_t left = kSide < 0 ? 0 : kSide > 0 ? gap : gap / 2;
  return Value(std::string(left, fill) + text + std::string(gap - left, fill));
}
Result<Value> zero_filled(Lowering& lowering, const Args& args) {
  const std::string& text = args.text(0);
  LAN_TRY(const int64_t width, lowering.concrete(args.integer(1)));
  if (width <= static_cast<int64_t>(text.size())) return Value(text);
  LAN_OK(check_size(lowering, static_cast<size_t>(width)));
  const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const std::string zeros(static_cast<size_t>(width) - text.size(), '0');
  return Value(sign ? text[0] + zeros + text.substr(1) : zeros + text);
}

Result<Value> ord(Lowering& lowering, const Args& args) {
  if (args.text(0).size() != 1)
    return lowering.error(ErrorCode::kInvalidInput, "ord() wants one letter");
  return Value(Dim(static_cast<unsigned char>(args.text(0)[0])));
}
Result<Value> chr(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t code, lowering.concrete(args.integer(0)));
  if (code < 0 || code > 255)
    return lowering.error(ErrorCode::kInvalidInput, "chr() of " + std::to_string(code));
  return Value(std::string(1, static_cast<char>(code)));
}
template <int kBase>
Result<Value> digits(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t number, lowering.concrete(args.integer(0)));
  char text[72];
  const auto end = std::to_chars(
      text, text + sizeof text,
      number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number), kBase);
  const std::string prefix = kBase == 16 ? "0x" : kBase == 8 ? "0o" : "0b";
  return Value((number < 0 ? "-" : "") + prefix + std::string(text, end.ptr));
}
Result<Value> to_int(Lowering& lowering, const Args& args) {
  const std::string text = stripped(args.text(0), kSpaces, true, true);
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return lowering.error(ErrorCode::kInvalidInput, "int() of '" + text.substr(0, 40) + "'");
  }
  return Value(Dim(number));
}
Result<Value> to_float(Lowering& lowering, const Args& args) {
  const std::string text = stripped(args.text(0), kSpaces, true, true);
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return lowering.error(ErrorCode::kInvalidInput, "float() of '" + text.substr(0, 40) + "'");
  }
  return Value::of_double(number);
}

constexpr AtenRow kRows[] = {
    {"aten::format(str self, ...) -> str", format},
    {"aten::percentFormat(str self, ...) -> str", percent_format},
    {"aten::add.str(str a, str b) -> str", add},
    {"aten::mul.str(str a, int n) -> str", mul},
    {"aten::str(t elem) -> str", str},
    {"aten::len.str(str s) -> int", len},
    {"aten::__getitem__.str(str s, int index) -> str", get_item},
    {"aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str", slice},
    {"aten::find(str self, str substr, int start=0, int end=-1) -> int", find},
    {"aten::rfind(str self, str substr, int start=0, int end=-1) -> int", rfind},
    {"aten::index.str(str self, str substr, int start=0, int end=-1) -> int", index},
    {"aten::count(str self, str substr, int start=0, int end=-1) -> int", count},
    {"aten::startswith(str self, str substr, int start=0, int end=-1) -> bool", starts_with},
    {"aten::endswith(str self, str substr, int start=0, int end=-1) -> bool", ends_with},
    {"aten::upper(str self) -> str", letters<upper>},
    {"aten::lower(str self) -> str", letters<lower>},
    {"aten::swapcase(str self) -> str", letters<swapped>},
    {"aten::isdigit(str self) -> bool", all_letters<digit>},
    {"aten::isalpha(str self) -> bool", all_letters<alpha>},
    {"aten::isalnum(str self) -> bool", all_letters<alnum>},
    {"aten::isspace(str self) -> bool", all_letters<space>},
    {"aten::isdecimal(str self) -> bool", all_letters<digit>},
    {"aten::isnumeric(str self) -> bool", all_letters<digit>},
    {"aten::isupper(str self) -> bool", all_letters<not_lower>},
    {"aten::islower(str self) -> bool", all_letters<not_upper>},
    {"aten::capitalize(str self) -> str", capitalize},
    {"aten::title(str self) -> str", title},
    {"aten::strip(str self, str? chars=None) -> str", strip<true, true>},
    {"aten::lstrip(str self, str? chars=None) -> str", strip<true, false>},
    {"aten::rstrip(str self, str? chars=None) -> str", strip<false, true>},
    {"aten::split.str(str self, str? separator=None, int max=-1) -> str[]", split},
    {"aten::splitlines(str self, bool keepends=False) -> str[]", split_lines},
    {"aten::join(str self, t[] values) -> str", join},
    {"aten::replace(str self, str old, str new, int max=-1) -> str", replace},
    {"aten::partition(str self, str separator) -> (str, str, str)", partition<false>},
    {"aten::rpartition(str self, str separator) -> (str, str, str)", partition<true>},
    {"aten::center(str self, int width, str fillchar=' ') -> str", padded<0>},
    {"aten::ljust(str self, int width, str fillchar=' ') -> str", padded<-1>},
    {"aten::rjust(str self, int width, str fillchar=' ') -> str", padded<1>},
    {"aten::zfill(str self, int width) -> str", zero_filled},
    {"aten::ord(str string) -> int", ord},
    {"aten::chr(int i) -> str", chr},
    {"aten::hex.int(int i) -> str", digits<16>},
    {"aten::oct.int(int i) -> str", digits<8>},
    {"aten::bin(int i) -> str", digits<2>},
    {"aten::Int.str(str a) -> int", to_int},
    {"aten::Float.str(str a) -> float", to_float},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_strings = kRows;

}  // namespace lanthorn::script
