#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

struct Comparison {
  bool same = false;
  std::string text;  // what was compared and the largest difference, or where they part
};

/// Compares outputs with the arrays of an .npz file: of the same names, else out0, out1, ... by
/// position. Floating-point values may differ by `tolerance` of the array's largest magnitude, all
/// others not at all.
Result<Comparison> compare_with(const std::filesystem::path& path, std::span<const NamedValue> outputs, double tolerance);

}  // namespace lanthorn
