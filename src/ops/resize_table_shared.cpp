#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/resize_shared.h"

namespace lanthorn {
namespace {

// Where output position `x` lies in the input.
Result<double> source(std::string_view mode, const ResizeAxis& a, double x) {
  const auto in = static_cast<double>(a.in);
  const double out = a.scale * in;  // may be fractional
  if (mode == "half_pixel") return (x + 0.5) / a.scale - 0.5;
  if (mode == "pytorch_half_pixel") return out == 1 ? -0.5 : (x + 0.5) / a.scale - 0.5;
  if (mode == "asymmetric") return x / a.scale;
  if (mode == "align_corners") return out == 1 ? 0.0 : x * (in - 1) / (out - 1);
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;  // until opset 13
  if (mode == "half_pixel_symmetric") {
    const double center = in / 2;
    return center * (1 - static_cast<double>(a.out) / out) + (x + 0.5) / a.scale - 0.5;
  }
  if (mode == "tf_crop_and_resize") {
    const double width = a.roi_end - a.roi_start;
    const double offset = a.roi_start * (in - 1);
    return offset + (out == 1 ? width * (in - 1) / 2 : x * width * (in - 1) / (out - 1));
  }
  return attribute_error("coordinate_transformation_mode",
                         "'" + std::string(mode) + "' is not known");
}

double cubic(double a, double x) {
  x = std::fabs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

double triangle(double x) { return std::max(0.0, 1 - std::fabs(x)); }

// True if a position `ratio` of the way from one pixel to the next belongs to the next.
Result<bool> takes_next(std::string_view mode, double ratio) {
  if (ratio == 1) return true;
  if (mode == "round_prefer_floor") return ratio > 0.5;
  if (mode == "round_prefer_ceil") return ratio >= 0.5;
  if (mode == "floor") return false;
  if (mode == "ceil") return true;
  return attribute_error("nearest_mode", "'" + std::string(mode) + "' is not known");
}

}  // namespace

Result<ResizeTable> resize_table(const Attributes& attributes, const ResizeAxis& axis) {
  const std::string_view mode = attributes.text("mode", "nearest");
  const std::string_view nearest = attributes.text("nearest_mode", "round_prefer_floor");
  const std::string_view where = attributes.text("coordinate_transformation_mode", "half_pixel");
  const double a = attributes.real("cubic_coeff_a", -0.75f);
  const bool antialias = attributes.integer("antialias", 0) != 0;
  const bool exclude = attributes.integer("exclude_outside", 0) != 0;
  if (mode != "nearest" && mode != "linear" && mode != "cubic") {
    return attribute_error("mode", "'" + std::string(mode) + "' is not known");
  }
  // Antialiasing widens the kernel when the image shrinks.
  const double squeeze = antialias && mode != "nearest" ? std::min(axis.scale, 1.0) : 1.0;
  const double reach = mode == "cubic" ? 2 : 1;
  const auto first = static_cast<int64_t>(std::floor(-reach / squeeze)) + 1;
  ResizeTable table;
  table.taps = mode == "nearest" ? 1 : static_cast<size_t>(2 - 2 * first);
  for (int64_t o = 0; o < axis.out; ++o) {
    LAN_TRY(const double x, source(where, axis, static_cast<double>(o)));
    table.outside.push_back(where == "tf_crop_and_resize" &&
                            (x < 0 || x > static_cast<double>(axis.in - 1)));
    const double bounded = std::clamp(x, -1e15, 1e15);
    double base = std::floor(bounded);
    double ratio = bounded - base;
    if (ratio == 0) {  // seen as the far end of the step before
      base -= 1;
      ratio = 1;
    }
    const auto left = static_cast<int64_t>(base);
    if (mode == "nearest") {
      LAN_TRY(const bool next, takes_next(nearest, ratio));
      table.positions.push_back(std::clamp<int64_t>(left + next, 0, axis.in - 1));
      table.weights.push_back(1);
      continue;
    }
    const size_t begin = table.weights.size();
    double sum = 0;
    for (size_t i = 0; i < table.taps; ++i) {
      const int64_t offset = first + static_cast<int64_t>(i);
      const double distance = (static_cast<double>(offset) - ratio) * squeeze;
      const int64_t at = left + offset;
      const bool inside = at >= 0 && at < axis.in;
      const double weight = mode == "cubic" ? cubic(a, distance) : triangle(distance);
      table.weights.push_back(exclude && !inside ? 0 : weight);
      table.positions.push_back(std::clamp<int64_t>(at, 0, axis.in - 1));
      sum += table.weights.back();
    }
    if (sum == 0 || !(antialias || exclude)) continue;
    for (size_t i = begin; i < table.weights.size(); ++i) table.weights[i] /= sum;
  }
  return table;
}

}  // namespace lanthorn
