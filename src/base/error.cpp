#include "lanthorn/result.h"

namespace lanthorn {
namespace {

struct CodeRow {
  std::string_view name;
  int exit_status, http_status;
};

// In the order of ErrorCode.
constexpr CodeRow kCodes[] = {
    {"usage", 2, 400},       {"invalid_input", 2, 422}, {"corrupt", 3, 422},
    {"limit", 3, 413},       {"unsupported", 4, 501},   {"not_found", 5, 404},
    {"system", 5, 500},      {"out_of_memory", 5, 503}, {"internal", 70, 500},
};

const CodeRow& row(ErrorCode code) { return kCodes[static_cast<size_t>(code)]; }

}  // namespace

std::string_view error_code_name(ErrorCode code) { return row(code).name; }
int exit_status(ErrorCode code) { return row(code).exit_status; }
int http_status(ErrorCode code) { return row(code).http_status; }

Error Error::at(std::string_view place) && {
  std::string outer(place);
  if (!where.empty()) outer += " › " + where;
  where = std::move(outer);
  return std::move(*this);
}

Error Error::advise(std::string_view what_to_do) && {
  if (advice.empty()) advice = what_to_do;
  return std::move(*this);
}

std::string Error::text() const {
  std::string all = message;
  if (!where.empty()) all += "\n  at " + where;
  if (!advice.empty()) all += "\n  " + advice;
  return all;
}

}  // namespace lanthorn
