#include "model/name_rules.h"

#include <fnmatch.h>
#include <rapidjson/document.h>
#include <regex.h>

#include <algorithm>
#include <array>

#include "codec/byte_reader.h"
#include "codec/mapped_file.h"

namespace lanthorn {
namespace {

constexpr size_t kGroups = 10;

Error usage(const std::string& rule, std::string message) {
  return Error{ErrorCode::kUsage, std::move(message), "--rename " + rule,
               "Write 's/RE/TO/', as in 's/^module\\.//'."};
}

/// The parts between delimiters; a delimiter behind a backslash belongs to its part.
std::vector<std::string> split_parts(const std::string& text, char delimiter) {
  std::vector<std::string> parts(1);
  for (size_t i = 2; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != delimiter) parts.back() += '\\';
      parts.back() += text[++i];
    } else if (text[i] == delimiter) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

using NameMap = std::vector<std::pair<std::string, std::string>>;

Result<NameMap> parse_json_map(std::string_view json, const std::string& path) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) {
    return Error{ErrorCode::kUsage, "the map is no JSON object", "--map " + path};
  }
  NameMap map;
  for (rapidjson::SizeType i = 0; i < document.MemberCount(); ++i) {
    const auto& entry = *(document.MemberBegin() + static_cast<ptrdiff_t>(i));
    if (!entry.value.IsString()) {
      return Error{ErrorCode::kUsage, std::string("the new name of '") + entry.name.GetString() +
                                          "' is no string", "--map " + path};
    }
    map.emplace_back(std::string(entry.name.GetString(), entry.name.GetStringLength()),
                     std::string(entry.value.GetString(), entry.value.GetStringLength()));
  }
  return map;
}

Result<NameMap> parse_line_map(std::string_view text, const std::string& path) {
  NameMap map;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find('\t');
    if (space == std::string_view::npos) space = line.find(' ');
    const size_t next = space == std::string_view::npos ? space : line.find_first_not_of(" \t", space);
    if (next == std::string_view::npos) {
      return Error{ErrorCode::kUsage, "a line is no pair of names",
                   "--map " + path + " › line " + std::to_string(number)};
    }
    map.emplace_back(line.substr(0, space), line.substr(next));
  }
  return map;
}

}  // namespace

struct NameRule::Compiled {
  regex_t regex{};
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  ~Compiled() { ::regfree(&regex); }
};

bool matches_glob(std::string_view text, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
}

Result<NameRule> NameRule::parse(const std::string& text) {
  if (text.size() < 4 || text[0] != 's' || text[1] == '\\') return usage(text, "is no rule");
  const auto parts = split_parts(text, text[1]);
  if (parts.size() != 3) return usage(text, "has not three parts");
  NameRule rule;
  int flags = REG_EXTENDED;
  for (const char flag : parts[2]) {
    if (flag != 'g' && flag != 'i') return usage(text, std::string("has the unknown flag ") + flag);
    if (flag == 'g') rule.everywhere_ = true;
    if (flag == 'i') flags |= REG_ICASE;
  }
  auto compiled = std::make_shared<Compiled>();
  if (const int problem = ::regcomp(&compiled->regex, parts[0].c_str(), flags); problem != 0) {
    std::array<char, 200> reason{};
    ::regerror(problem, &compiled->regex, reason.data(), reason.size());
    return usage(text, std::string("is no regular expression: ") + reason.data());
  }
  rule.compiled_ = std::move(compiled);
  rule.replacement_ = parts[1];
  return rule;
}

std::optional<std::string> NameRule::apply(const std::string& name) const {
  std::string result;
  size_t begin = 0;
  bool found = false;
  while (begin <= name.size()) {
    std::array<regmatch_t, kGroups> groups{};
    const char* const text = name.c_str() + begin;
    if (::regexec(&compiled_->regex, text, kGroups, groups.data(), begin > 0 ? REG_NOTBOL : 0) != 0)
      break;
    found = true;
    const auto start = static_cast<size_t>(groups[0].rm_so), end = static_cast<size_t>(groups[0].rm_eo);
    result.append(text, start);
    const auto add_group = [&](size_t group) {
      if (groups[group].rm_so < 0) return;
      result.append(text + groups[group].rm_so,
                    static_cast<size_t>(groups[group].rm_eo - groups[group].rm_so));
    };
    for (size_t i = 0; i < replacement_.size(); ++i) {
      const char c = replacement_[i];
      if (c == '&') {
        add_group(0);
      } else if (c == '\\' && i + 1 < replacement_.size()) {
        const char next = replacement_[++i];
        if (next >= '0' && next <= '9') {
          add_group(static_cast<size_t>(next - '0'));
        } else {
          result += next;
        }
      } else {
        result += c;
      }
    }
    begin += end;
    // What is empty is found once at each place.
    if (end == start && begin < name.size()) result += name[begin];
    if (end == start) ++begin;
    if (!everywhere_) break;
  }
  if (!found) return std::nullopt;
  if (begin < name.size()) result += name.substr(begin);
  return result;
}

std::string NameChanges::apply(std::string name) const {
  const auto found = std::lower_bound(
      map.begin(), map.end(), name,
      [](const auto& entry, const std::string& key) { return entry.first < key; });
  if (found != map.end() && found->first == name) name = found->second;
  for (const std::string& start : strip) {
    if (name.size() > start.size() && name.starts_with(start)) {
      name.erase(0, start.size());
      break;
    }
  }
  for (const NameRule& rule : rules) {
    if (auto changed = rule.apply(name)) name = *std::move(changed);
  }
  return prefix + name;
}

Result<std::vector<std::pair<std::string, std::string>>> read_name_map(const std::string& path) {
  LAN_TRY(const auto file, MappedFile::open(path));
  const std::string_view text = as_text(file->bytes());
  const size_t first = text.find_first_not_of(" \t\r\n");
  auto map = first != std::string_view::npos && text[first] == '{' ? parse_json_map(text, path)
                                                                   : parse_line_map(text, path);
  if (map) std::sort(map->begin(), map->end());
  return map;
}

}  // namespace lanthorn
