#pragma once

#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// A string; what is no UTF-8 in it (a name out of a file) becomes U+FFFD, so that the document is JSON.
void json_text(JsonWriter& writer, std::string_view text);
void json_key(JsonWriter& writer, std::string_view key);
/// {"name", "dtype", "shape": [int | "symbol" | null]}
void json_port(JsonWriter& writer, const Port& port);

}  // namespace lanthorn
