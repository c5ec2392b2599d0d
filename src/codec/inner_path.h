#pragma once

#include <filesystem>
#include <string_view>

namespace lanthorn {

/// True if a location that a file names stays in that file's folder: relative, without "..", and
/// without signs that other systems read otherwise (backslashes, NUL). Links are not looked at.
bool stays_in_folder(std::string_view location);

/// True if `path` lies below `folder`; both are canonical.
bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace lanthorn
