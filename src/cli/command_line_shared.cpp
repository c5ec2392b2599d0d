#include "cli/command_line_shared.h"

#include <charconv>
#include <cstdio>

namespace lanthorn {

int report(const Error& error) {
  std::fprintf(stderr, "lanthorn: error: %s\n", error.text().c_str());
  if (error.code == ErrorCode::kInternal) {
    std::fprintf(stderr, "  This is a bug of lanthorn. Please report it with the file, if you can share it.\n");
  }
  return exit_status(error.code);
}

bool parse_arguments(CLI::App& app, int argc, char** argv, int& status) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::CallForHelp&) {
    std::printf("%s", app.help().c_str());
    status = 0;
  } catch (const CLI::ParseError& problem) {
    std::fprintf(stderr, "lanthorn: error: %s\n  See `%s --help`.\n", problem.what(), app.get_name().c_str());
    status = 2;
  }
  return false;
}

Result<std::vector<std::pair<std::string, Shape>>> parse_input_shapes(std::span<const std::string> texts) {
  std::vector<std::pair<std::string, Shape>> found;
  for (const std::string& text : texts) {
    const size_t split = text.find_first_of(":=");
    const std::string name = split == text.npos ? "" : text.substr(0, split);
    std::string_view rest = std::string_view(text).substr(split == text.npos ? 0 : split + 1);
    Shape shape;
    while (true) {
      const size_t comma = rest.find(',');
      const std::string_view item = rest.substr(0, comma);
      int64_t size = -1;
      const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), size);
      if (item.empty()) {
        return Error{ErrorCode::kUsage, "has an empty dimension", "--input-shape " + text,
                     "Write NAME:batch,3,224,224; a word is a dimension that is free."};
      }
      const bool number = error == std::errc() && end == item.data() + item.size() && size >= 0;
      shape.push_back(number ? size : -1);
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
    found.emplace_back(name, std::move(shape));
  }
  return found;
}

std::string port_text(const Port& port) {
  if (port.type != "tensor") return port.type;
  std::string text(port.dtype == DType::kUndefined ? "tensor" : dtype_name(port.dtype));
  if (!port.has_shape) return text;
  text += "[";
  for (size_t i = 0; i < port.shape.size(); ++i) {
    if (i > 0) text += ", ";
    const Port::Dim& dim = port.shape[i];
    text += dim.size >= 0 ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return text + "]";
}

std::string bytes_text(uint64_t bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

Result<uint64_t> parse_bytes(std::string_view text, std::string_view option) {
  constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"", 1},          {"B", 1},           {"KB", 1'000},  {"MB", 1'000'000}, {"GB", 1'000'000'000},   {"KIB", 1 << 10},
      {"MIB", 1 << 20}, {"GIB", 1U << 30}, {"K", 1 << 10}, {"M", 1 << 20},    {"G", uint64_t{1} << 30}};
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  for (char& c : unit) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (const auto& [name, bytes] : kUnits) {
    uint64_t size = 0;
    if (error == std::errc() && unit == name && !__builtin_mul_overflow(number, bytes, &size) && size > 0) return size;
  }
  return Error{ErrorCode::kUsage, "is no size", std::string(option) + " " + std::string(text), "Write a number of bytes, or 512M, or 2G."};
}

std::string printable(std::string_view text) {
  constexpr size_t kMostBytes = 2000;
  std::string shown(text.substr(0, kMostBytes));
  for (size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F in UTF-8.
    const bool after_c2 = i > 0 && shown[i - 1] == '\xc2';
    if (byte < 0x20 || byte == 0x7f || (after_c2 && byte < 0xa0)) shown[i] = '?';
    if (after_c2 && shown[i] == '?') shown[i - 1] = '?';
  }
  return text.size() > kMostBytes ? shown + "..." : shown;
}

}  // namespace lanthorn
