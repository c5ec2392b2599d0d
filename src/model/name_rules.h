#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// True if the text is of the pattern: * is any text, ? any character, [a-z] and [!a-z] one of a
/// set, \ takes the next character as it is. As fnmatch(3), with dots and slashes as any other.
bool matches_glob(std::string_view text, const std::string& pattern);

/// "s/RE/TO/": what the extended regular expression finds is replaced, \1 to \9 in TO are its groups
/// and & all of it; once, or everywhere with the flag g; without regard to case with i. The character
/// behind the s parts the three.
class NameRule {
 public:
  /// kUsage with what is wrong.
  static Result<NameRule> parse(const std::string& text);
  /// The new name, or nothing where the rule finds nothing.
  std::optional<std::string> apply(const std::string& name) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
  std::string replacement_;
  bool everywhere_ = false;
};

/// How names become others: the map first, then prefixes go, then the rules, then the prefix comes.
struct NameChanges {
  std::vector<std::pair<std::string, std::string>> map;  // whole names; sorted by the first
  std::vector<std::string> strip;                        // the first that fits goes
  std::vector<NameRule> rules;
  std::string prefix;

  bool empty() const { return map.empty() && strip.empty() && rules.empty() && prefix.empty(); }
  std::string apply(std::string name) const;
};

/// A file of names: a JSON object {"old": "new"}, or lines "old new" ("old<TAB>new" where names have
/// spaces; # begins a comment). kUsage with the line, kNotFound, kSystem.
Result<std::vector<std::pair<std::string, std::string>>> read_name_map(const std::string& path);

}  // namespace lanthorn
