#include "cli/json_shared.h"

#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "formats/torch/object_text.h"

namespace lanthorn {
namespace {

std::string repaired(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    size_t size = 1;
    while (size <= 4 && size <= text.size() && !is_utf8(text.substr(0, size), true)) ++size;
    if (size > 4 || size > text.size()) size = 1;
    const std::string_view point = text.substr(0, size);
    is_utf8(point) ? static_cast<void>(made += point) : append_utf8(made, 0xfffd);
    text.remove_prefix(size);
  }
  return made;
}

}  // namespace

void json_text(JsonWriter& writer, std::string_view text) {
  if (!is_utf8(text)) return json_text(writer, repaired(text));
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void json_key(JsonWriter& writer, std::string_view key) {
  if (!is_utf8(key)) return json_key(writer, repaired(key));
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void json_member(JsonWriter& writer, std::string_view key, std::string_view text) {
  json_key(writer, key);
  json_text(writer, text);
}

void json_texts(JsonWriter& writer, std::string_view key, std::span<const std::string> texts) {
  json_key(writer, key);
  writer.StartArray();
  for (const std::string& text : texts) json_text(writer, text);
  writer.EndArray();
}

void json_sizes(JsonWriter& writer, std::string_view key, std::span<const int64_t> sizes) {
  json_key(writer, key);
  writer.StartArray();
  for (const int64_t size : sizes) writer.Int64(size);
  writer.EndArray();
}

void json_number(JsonWriter& writer, std::string_view key, double value) {
  json_key(writer, key);
  json_number(writer, value);
}

void json_number(JsonWriter& writer, double value) {
  std::isfinite(value) ? static_cast<void>(writer.Double(value)) : json_text(writer, python_float_text(value));
}

void json_port(JsonWriter& writer, const Port& port) {
  writer.StartObject();
  json_member(writer, "name", port.name);
  json_member(writer, "type", port.type);
  json_key(writer, "dtype");
  if (port.dtype == DType::kUndefined) {
    writer.Null();
  } else {
    json_text(writer, dtype_name(port.dtype));
  }
  json_key(writer, "shape");
  if (port.has_shape) {
    writer.StartArray();
    for (const Port::Dim& dim : port.shape) {
      if (dim.size >= 0) {
        writer.Int64(dim.size);
      } else if (dim.symbol.empty()) {
        writer.Null();
      } else {
        json_text(writer, dim.symbol);
      }
    }
    writer.EndArray();
  } else {
    writer.Null();
  }
  writer.EndObject();
}

void json_written(JsonWriter& writer, const WriteReport& report, bool dry_run) {
  json_key(writer, "dry_run");
  writer.Bool(dry_run);
  json_key(writer, "files");
  writer.StartArray();
  for (const auto& file : report.files) json_text(writer, file.string());
  writer.EndArray();
  json_key(writer, "bytes");
  writer.Uint64(report.bytes);
}

void print_json(const rapidjson::StringBuffer& buffer) {
  std::fwrite(buffer.GetString(), 1, buffer.GetSize(), stdout);
  std::printf("\n");
}

}  // namespace lanthorn
