// Nested lists of numbers as pydantic's lax mode takes them.
// https://docs.pydantic.dev/latest/concepts/conversion_table/

#include "serve/array_schema.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace lanthorn {
namespace {

using Loc = std::vector<std::variant<int64_t, std::string>>;
using Kind = JsonDocument::Kind;

/// Text without Unicode's white space at both ends.
std::string_view trimmed(std::string_view text) {
  const auto space_at = [](std::string_view t) -> size_t {
    if (t.empty()) return 0;
    const auto c = static_cast<unsigned char>(t[0]);
    if (c == ' ' || (c >= 9 && c <= 13)) return 1;
    if (t.starts_with("\xc2\xa0") || t.starts_with("\xc2\x85")) return 2;
    for (const std::string_view wide : {"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"}) {
      if (t.starts_with(wide)) return 3;
    }
    if (t.starts_with("\xe2\x80") && t.size() > 2 && static_cast<unsigned char>(t[2]) >= 0x80 && static_cast<unsigned char>(t[2]) <= 0x8a) return 3;
    return 0;
  };
  while (const size_t n = space_at(text)) text.remove_prefix(n);
  for (bool again = true; again;) {
    again = false;
    for (const size_t n : {size_t{1}, size_t{2}, size_t{3}}) {
      if (text.size() >= n && space_at(text.substr(text.size() - n)) == n) {
        text.remove_suffix(n);
        again = true;
        break;
      }
    }
  }
  return text;
}

std::optional<double> number_of_text(std::string_view raw) {
  std::string_view text = trimmed(raw);
  if (text.empty() || text.front() == '_' || text.back() == '_') return std::nullopt;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      if (text[i + 1] == '_') return std::nullopt;
      continue;
    }
    plain += text[i];
  }
  const char* begin = plain.data();
  const char* end = begin + plain.size();
  if (*begin == '+') ++begin;
  if (begin == end || *begin == '+' || (begin != plain.data() && *begin == '-')) return std::nullopt;
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (stop != end || (error != std::errc() && error != std::errc::result_out_of_range)) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::strtod(plain.c_str(), nullptr);
  return value;
}

struct Reader {
  const JsonDocument& document;
  const ArraySchema& schema;
  std::vector<Detail>& details;
  std::vector<double> values;
  std::vector<int64_t> shape;  // as the first path down has it

  void mistake(const char* type, std::string message, const Loc& loc, const JsonDocument::Node& node, std::string context = "") {
    // Thousands of equal mistakes help nobody, and each echoes its input.
    constexpr size_t kMaxDetails = 1000;
    if (details.size() >= kMaxDetails) return;
    std::string input;
    document.write(node, input);
    details.push_back({type, loc, std::move(message), std::move(input), std::move(context)});
  }

  void length_mistake(bool too_long, int64_t limit, const Loc& loc, const JsonDocument::Node& node) {
    const std::string count = std::to_string(node.count), bound = std::to_string(limit);
    mistake(too_long ? "too_long" : "too_short",
            std::string("List should have at ") + (too_long ? "most " : "least ") + bound + (limit == 1 ? " item" : " items") +
                " after validation, not " + count,
            loc, node,
            std::string("{\"field_type\":\"List\",\"") + (too_long ? "max" : "min") + "_length\":" + bound + ",\"actual_length\":" + count + "}");
  }

  void number(const JsonDocument::Node& node, const Loc& loc) {
    const bool integral = !is_floating(schema.dtype);
    const char* what = integral ? "integer" : "number";
    switch (node.kind) {
      case Kind::kTrue: values.push_back(1); return;
      case Kind::kFalse: values.push_back(0); return;
      case Kind::kInteger:
      case Kind::kReal:
      case Kind::kNonFinite: {
        const double value = document.number(node);
        if (integral && !std::isfinite(value)) return mistake("finite_number", "Input should be a finite number", loc, node);
        if (integral && value != std::floor(value)) {
          return mistake("int_from_float", "Input should be a valid integer, got a number with a fractional part", loc, node);
        }
        values.push_back(value);
        return;
      }
      case Kind::kString: {
        const auto value = number_of_text(document.text(node));
        if (!value || (integral && *value != std::floor(*value))) {
          return mistake(integral ? "int_parsing" : "float_parsing",
                         std::string("Input should be a valid ") + what + ", unable to parse string as " +
                             (integral ? "an integer" : "a number"),
                         loc, node);
        }
        values.push_back(*value);
        return;
      }
      default: break;
    }
    mistake(integral ? "int_type" : "float_type", std::string("Input should be a valid ") + what, loc, node);
  }

  void level(const JsonDocument::Node& node, size_t depth, Loc& loc) {
    if (depth == schema.sizes.size()) return number(node, loc);
    if (node.kind != Kind::kArray) return mistake("list_type", "Input should be a valid list", loc, node);
    const int64_t wanted = schema.sizes[depth];
    const auto count = static_cast<int64_t>(node.count);
    if (wanted >= 0 && count > wanted) return length_mistake(true, wanted, loc, node);
    const size_t before = details.size();
    if (shape.size() == depth) shape.push_back(count);
    const bool ragged = wanted < 0 && shape[depth] != count;
    int64_t index = 0;
    for (uint32_t i = node.first; i != 0; i = document.node(i).next) {
      loc.emplace_back(index++);
      level(document.node(i), depth + 1, loc);
      loc.pop_back();
    }
    if (details.size() != before) return;
    const int64_t least = wanted >= 0 ? wanted : 1;
    if (count < least) return length_mistake(false, least, loc, node);
    if (ragged) {
      mistake("value_error", "Value error, list has " + std::to_string(count) + " items, the first one at this level has " +
                                 std::to_string(shape[depth]),
              loc, node);
    }
  }
};

ArraySchema measured(const JsonDocument& document, const JsonDocument::Node& node, DType dtype) {
  ArraySchema schema;
  schema.dtype = dtype;
  schema.has_shape = true;
  for (const JsonDocument::Node* at = &node; at->kind == Kind::kArray; at = &document.node(at->first)) {
    schema.sizes.push_back(-1);
    if (at->first == 0) break;
  }
  return schema;
}

Tensor tensor_of(std::span<const double> values, const Shape& shape, DType dtype) {
  auto tensor = Tensor::allocate(dtype == DType::kF32 ? DType::kF32 : DType::kF64, shape);
  if (!tensor) return {};
  if (dtype == DType::kF32) {
    const auto out = tensor->mutable_as<float>();
    for (size_t i = 0; i < values.size(); ++i) out[i] = static_cast<float>(values[i]);
    return *tensor;
  }
  std::memcpy(tensor->mutable_data(), values.data(), values.size() * sizeof(double));
  auto converted = tensor->cast(dtype);
  return converted ? *converted : Tensor();
}

}  // namespace

ArraySchema ArraySchema::of(const Port& port) {
  ArraySchema schema;
  schema.dtype = port.dtype == DType::kUndefined ? DType::kF32 : port.dtype;
  schema.has_shape = port.has_shape;
  for (const Port::Dim& dim : port.shape) schema.sizes.push_back(dim.size);
  if (!schema.sizes.empty()) schema.sizes[0] = -1;
  return schema;
}

std::string ArraySchema::json_schema() const {
  if (!has_shape) return R"({"type":"array","items":{},"minItems":1})";
  std::string out = is_floating(dtype) ? R"({"type":"number"})" : R"({"type":"integer"})";
  for (size_t i = sizes.size(); i-- > 0;) {
    const std::string least = std::to_string(sizes[i] >= 0 ? sizes[i] : 1);
    out = "{\"type\":\"array\",\"items\":" + out + ",\"minItems\":" + least +
          (sizes[i] >= 0 ? ",\"maxItems\":" + least : "") + "}";
  }
  return out;
}

Tensor read_array(const JsonDocument& document, const JsonDocument::Node& node, const ArraySchema& schema, Loc loc,
                  std::vector<Detail>& details) {
  const ArraySchema exact = schema.has_shape ? schema : measured(document, node, schema.dtype);
  Reader reader{document, exact, details, {}, {}};
  const size_t before = details.size();
  reader.level(node, 0, loc);
  if (details.size() != before) return {};
  return tensor_of(reader.values, reader.shape, schema.dtype);
}

bool read_flag(const JsonDocument& document, const JsonDocument::Node& node, Loc loc, std::vector<Detail>& details) {
  bool typed = true;
  if (node.kind == Kind::kTrue || node.kind == Kind::kFalse) return node.kind == Kind::kTrue;
  if (node.kind == Kind::kInteger || node.kind == Kind::kReal) {
    const double value = document.number(node);
    if (value == 0 || value == 1) return value == 1;
    typed = value == std::floor(value);
  } else if (node.kind == Kind::kString) {
    std::string text = document.text(node);
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (const std::string_view yes : {"1", "true", "t", "yes", "y", "on"}) {
      if (text == yes) return true;
    }
    for (const std::string_view no : {"0", "false", "f", "no", "n", "off"}) {
      if (text == no) return false;
    }
  } else {
    typed = false;
  }
  std::string input;
  document.write(node, input);
  details.push_back({typed ? "bool_parsing" : "bool_type", std::move(loc),
                     typed ? "Input should be a valid boolean, unable to interpret input" : "Input should be a valid boolean",
                     std::move(input), ""});
  return false;
}

}  // namespace lanthorn
