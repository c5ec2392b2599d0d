#include "codec/inner_path.h"

#include <algorithm>

namespace lanthorn {

bool stays_in_folder(std::string_view location) {
  if (location.find_first_of(std::string_view("\\\0", 2)) != location.npos) return false;
  const std::filesystem::path path(location);
  return !path.has_root_path() &&
         std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
}

bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end() && rest != path.end();
}

}  // namespace lanthorn
