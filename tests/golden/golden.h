#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lanthorn {

/// A committed file that another program wrote: golden("torch/state.pth").
inline std::filesystem::path golden(std::string_view name) {
  return std::filesystem::path(LANTHORN_SOURCE_DIR) / "tests" / "golden" / name;
}

}  // namespace lanthorn
