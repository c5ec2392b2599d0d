#include "formats/onnx/check/schemas.h"

#include <algorithm>
#include <charconv>

#include "formats/onnx/check/schema_text.h"
#include "formats/onnx/model.h"

namespace lanthorn::onnx {
namespace {

// Takes what stands before the next `end` and the end itself; all of it where there is none.
std::string_view take(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

template <class T>
T number(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) parts.push_back(take(text, separator));
  return parts;
}

const std::vector<std::string_view>& type_names() {
  static const std::vector<std::string_view> names = split(kTypeNames, '\n');
  return names;
}

const std::vector<TypeSet>& type_sets() {
  static const std::vector<TypeSet> sets = [] {
    std::vector<TypeSet> made;
    for (const std::string_view line : split(kTypeSets, '\n')) made.push_back(TypeSet::parse(line));
    return made;
  }();
  return sets;
}

struct Variable {
  std::string_view name;
  TypeSet types;
};

Schema::Formal parse_formal(std::string_view text, const std::vector<Variable>& variables) {
  Schema::Formal formal;
  formal.same_type = !text.ends_with('~');
  if (!formal.same_type) text.remove_suffix(1);
  if (const size_t star = text.find('*'); star != std::string_view::npos) {
    formal.port = Schema::Port::kVariadic;
    formal.least = number<size_t>(text.substr(star + 1));
    text = text.substr(0, star);
  } else if (text.ends_with('?')) {
    formal.port = Schema::Port::kOptional;
    text.remove_suffix(1);
  }
  if (text.starts_with('=')) {
    formal.types = type_sets()[number<size_t>(text.substr(1))];
    return formal;
  }
  formal.variable = text;
  for (const Variable& variable : variables) {
    if (variable.name == text) formal.types = variable.types;
  }
  return formal;
}

int32_t attribute_type(char kind) {
  constexpr std::string_view kKinds = "?fistgFISTGpPyY";  // in the order of AttributeType
  return static_cast<int32_t>(kKinds.find(kind));
}

Schema parse_schema(std::string_view since, const std::array<std::string_view, 4>& fields) {
  Schema schema;
  schema.deprecated = since.ends_with('x');
  schema.since = number<int>(since);
  std::vector<Variable> variables;
  for (std::string_view variable : split(fields[3], ',')) {
    const std::string_view name = take(variable, '=');
    variables.push_back({name, type_sets()[number<size_t>(variable)]});
  }
  for (const std::string_view text : split(fields[0], ',')) {
    schema.inputs.push_back(parse_formal(text, variables));
  }
  for (const std::string_view text : split(fields[1], ',')) {
    schema.outputs.push_back(parse_formal(text, variables));
  }
  for (std::string_view text : split(fields[2], ',')) {
    const std::string_view name = take(text, ':');
    schema.attributes.push_back({name, attribute_type(text[0]), text.ends_with('!')});
  }
  return schema;
}

// The operator's line without its name; empty if there is none.
std::string_view find_line(std::string_view key) {
  static const std::vector<std::string_view> lines = split(kOperators, '\n');
  const auto name_of = [](std::string_view line) { return line.substr(0, line.find('|')); };
  const auto found = std::lower_bound(
      lines.begin(), lines.end(), key,
      [&](std::string_view line, std::string_view wanted) { return name_of(line) < wanted; });
  if (found == lines.end() || name_of(*found) != key) return {};
  return found->substr(key.size() + 1);
}

}  // namespace

TypeSet TypeSet::parse(std::string_view hexadecimal) {
  TypeSet set;
  const size_t low = std::min<size_t>(16, hexadecimal.size());
  const auto part = [](std::string_view text) {
    uint64_t bits = 0;
    std::from_chars(text.data(), text.data() + text.size(), bits, 16);
    return bits;
  };
  set.bits_[0] = part(hexadecimal.substr(hexadecimal.size() - low));
  set.bits_[1] = part(hexadecimal.substr(0, hexadecimal.size() - low));
  return set;
}

bool TypeSet::has(std::string_view type) const {
  const auto& names = type_names();
  const auto found = std::find(names.begin(), names.end(), type);
  if (found == names.end()) return false;
  const auto bit = static_cast<size_t>(found - names.begin());
  return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
}

std::optional<std::string_view> TypeSet::only() const {
  std::optional<std::string_view> one;
  for (size_t bit = 0; bit < type_names().size(); ++bit) {
    if ((bits_[bit / 64] >> (bit % 64) & 1) == 0) continue;
    if (one) return std::nullopt;
    one = type_names()[bit];
  }
  return one;
}

const Schema::Attribute* Schema::find(std::string_view name) const {
  for (const Attribute& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

Arity arity_of(const std::vector<Schema::Formal>& formals) {
  Arity arity;
  for (size_t i = 0; i < formals.size(); ++i) {
    if (formals[i].port == Schema::Port::kVariadic) return {i + formals[i].least, SIZE_MAX};
    arity.most = i + 1;
    if (formals[i].port == Schema::Port::kSingle) arity.least = i + 1;
  }
  return arity;
}

std::optional<Schema> find_schema(std::string_view domain, std::string_view op, int64_t version) {
  std::string_view line = find_line(std::string(domain) + "." + std::string(op));
  std::optional<Schema> newest;
  std::array<std::string_view, 4> fields;
  std::string_view since;
  for (bool first = true; !line.empty(); first = false) {
    std::string_view text = take(line, '|');
    const std::string_view at = take(text, ';');
    if (number<int64_t>(at) > version) break;
    since = at;
    for (std::string_view& field : fields) {
      const std::string_view written = take(text, ';');
      if (first || written != "\"") field = written;
    }
  }
  if (!since.empty()) newest = parse_schema(since, fields);
  return newest;
}

}  // namespace lanthorn::onnx
