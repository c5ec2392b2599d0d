#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lanthorn {

/// One mistake of a request's body, in FastAPI's shape: {"type", "loc", "msg", "input", "ctx"?}.
struct Detail {
  std::string type;                                    // "missing", "list_type", "float_parsing"
  std::vector<std::variant<int64_t, std::string>> loc; // "body", "data", 0
  std::string message;
  std::string input;                                   // the offending part, as JSON
  std::string context;                                 // a JSON object, or empty
};

/// {"detail": [...]} of a 422.
std::string details_json(const std::vector<Detail>& details);
/// {"detail": "Not Found"}
std::string detail_json(std::string_view text);

}  // namespace lanthorn
