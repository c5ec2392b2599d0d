#include "serve/validation.h"

#include "serve/json_document.h"

namespace lanthorn {

std::string details_json(const std::vector<Detail>& details) {
  std::string out = "{\"detail\":[";
  for (size_t i = 0; i < details.size(); ++i) {
    const Detail& detail = details[i];
    out += i == 0 ? "{\"type\":" : ",{\"type\":";
    append_json_string(out, detail.type);
    out += ",\"loc\":[";
    for (size_t k = 0; k < detail.loc.size(); ++k) {
      if (k > 0) out += ',';
      if (const auto* number = std::get_if<int64_t>(&detail.loc[k])) {
        out += std::to_string(*number);
      } else {
        append_json_string(out, std::get<std::string>(detail.loc[k]));
      }
    }
    out += "],\"msg\":";
    append_json_string(out, detail.message);
    out += ",\"input\":" + detail.input;
    if (!detail.context.empty()) out += ",\"ctx\":" + detail.context;
    out += '}';
  }
  return out + "]}";
}

std::string detail_json(std::string_view text) {
  std::string out = "{\"detail\":";
  append_json_string(out, text);
  return out + "}";
}

}  // namespace lanthorn
