#pragma once

#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

inline void json_text(JsonWriter& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
inline void json_key(JsonWriter& writer, std::string_view key) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}
/// {"name", "dtype", "shape": [int | "symbol" | null]}
void json_port(JsonWriter& writer, const Port& port);

}  // namespace lanthorn
