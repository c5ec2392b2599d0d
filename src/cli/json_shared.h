#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "formats/write.h"
#include "lanthorn/lanthorn.h"

namespace lanthorn {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// A string; what is no UTF-8 in it (a name out of a file) becomes U+FFFD, so that the document is JSON: one for each byte, and for each
/// surrogate of a text that Python wrote with `surrogatepass`.
void json_text(JsonWriter& writer, std::string_view text);
void json_key(JsonWriter& writer, std::string_view key);

// Members of an object.
void json_member(JsonWriter& writer, std::string_view key, std::string_view text);
void json_texts(JsonWriter& writer, std::string_view key, std::span<const std::string> texts);
void json_sizes(JsonWriter& writer, std::string_view key, std::span<const int64_t> sizes);
/// Of what JSON has no number for, its name: "inf", "-inf", "nan".
void json_number(JsonWriter& writer, std::string_view key, double value);
/// The same as an item of a list.
void json_number(JsonWriter& writer, double value);
/// {"name", "dtype", "shape": [int | "symbol" | null]}
void json_port(JsonWriter& writer, const Port& port);

/// What a conversion wrote: "dry_run", "files", "bytes".
void json_written(JsonWriter& writer, const WriteReport& report, bool dry_run);

/// A finished document on stdout, with a line feed.
void print_json(const rapidjson::StringBuffer& buffer);

}  // namespace lanthorn
