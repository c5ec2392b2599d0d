#include "lanthorn/result.h"

#include <string>

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

constexpr std::string_view kInto = " › ";

/// A place of so many steps that nobody reads them keeps the outermost and the innermost ones.
std::string shortened(std::string place) {
  constexpr size_t kMostBytes = 600, kOuterBytes = 200, kInnerBytes = 300;
  if (place.size() <= kMostBytes) return place;
  const size_t head = place.find(kInto, kOuterBytes);
  const size_t tail = place.rfind(kInto, place.size() - kInnerBytes);
  if (head == place.npos || tail == place.npos || head >= tail) return place;
  return place.substr(0, head) + std::string(kInto) + "..." + place.substr(tail);
}

}  // namespace

std::string_view error_code_name(ErrorCode code) { return row(code).name; }
int exit_status(ErrorCode code) { return row(code).exit_status; }
int http_status(ErrorCode code) { return row(code).http_status; }

Error Error::at(std::string_view place) && {
  std::string outer(place);
  if (!where.empty()) outer.append(kInto).append(where);
  where = shortened(std::move(outer));
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
