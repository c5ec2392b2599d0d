#include "cli/json_shared.h"

#include "base/utf8.h"

namespace lanthorn {
namespace {

/// Byte by byte where it is no UTF-8: every letter that is stays, every other byte is U+FFFD.
std::string repaired(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    size_t length = 1;
    while (length <= 4 && length <= text.size() && !is_utf8(text.substr(0, length))) ++length;
    const bool letter = length <= 4 && length <= text.size();
    if (!letter) length = 1;
    letter ? static_cast<void>(made += text.substr(0, length)) : append_utf8(made, 0xfffd);
    text.remove_prefix(length);
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

void json_port(JsonWriter& writer, const Port& port) {
  writer.StartObject();
  json_key(writer, "name");
  json_text(writer, port.name);
  json_key(writer, "type");
  json_text(writer, port.type);
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

}  // namespace lanthorn
