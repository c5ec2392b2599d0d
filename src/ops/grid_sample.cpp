// GridSample: https://onnx.ai/onnx/operators/onnx__GridSample.html

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {
namespace {

enum class Padding : uint8_t { kZeros, kBorder, kReflection };
enum class Mode : uint8_t { kNearest, kLinear, kCubic };

struct Settings {
  Mode mode = Mode::kLinear;
  Padding padding = Padding::kZeros;
  bool align_corners = false;

  static Result<Settings> of(const Attributes& a) {
    Settings s;
    const std::string_view mode = a.text("mode", "linear"),
                           padding = a.text("padding_mode", "zeros");
    s.align_corners = a.integer("align_corners", 0) != 0;
    if (mode == "nearest") {
      s.mode = Mode::kNearest;
    } else if (mode == "cubic" || mode == "bicubic") {
      s.mode = Mode::kCubic;
    } else if (mode != "linear" && mode != "bilinear") {
      return attribute_error("mode", "'" + std::string(mode) + "' is not known");
    }
    if (padding == "border") {
      s.padding = Padding::kBorder;
    } else if (padding == "reflection") {
      s.padding = Padding::kReflection;
    } else if (padding != "zeros") {
      return attribute_error("padding_mode", "'" + std::string(padding) + "' is not known");
    }
    return s;
  }
};

Status infer(InferContext& c) {
  LAN_OK(Settings::of(c.attributes()));
  const Dims &x = c.dims(0), &grid = c.dims(1);
  if (x.size() < 3 || grid.size() != x.size() || !may_equal(grid[0], x[0]) ||
      !may_equal(grid.back(), static_cast<int64_t>(x.size()) - 2)) {
    return shape_error("X " + dims_text(x) + " and grid " + dims_text(grid) + " do not fit");
  }
  Dims y{x[0], x[1]};
  y.insert(y.end(), grid.begin() + 1, grid.end() - 1);
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

double reflected(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double away = std::fabs(x - low);
  const double rest = std::fmod(away, range);
  return std::fmod(std::floor(away / range), 2) == 0 ? low + rest : high - rest;
}

// Where along one axis a point is mixed from: positions (-1: zero) and weights.
struct Taps {
  int count = 0;
  int64_t at[4] = {};
  double weight[4] = {};
};

int64_t padded(const Settings& s, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (s.padding == Padding::kZeros) return -1;
  if (s.padding == Padding::kBorder) return std::clamp<int64_t>(i, 0, size - 1);
  const double low = s.align_corners ? 0 : -0.5;
  const double high = static_cast<double>(size) - 1 - low;
  return std::clamp<int64_t>(static_cast<int64_t>(reflected(static_cast<double>(i), low, high)), 0,
                             size - 1);
}

Taps taps_of(const Settings& s, double normal, int64_t size) {
  const auto length = static_cast<double>(size);
  double x = s.align_corners ? (normal + 1) / 2 * (length - 1) : ((normal + 1) * length - 1) / 2;
  if (!(std::fabs(x) < 1e9)) x = std::isnan(x) ? -1e9 : std::copysign(1e9, x);
  if (s.mode == Mode::kNearest) x = std::nearbyint(x);
  const double low = s.align_corners ? 0 : -0.5, high = length - 1 - low;
  // PyTorch and ONNX Runtime pad the taps of a cubic one by one.
  if (s.mode != Mode::kCubic && (x < low || x > high)) {
    if (s.padding == Padding::kBorder) x = std::clamp(x, 0.0, length - 1);
    if (s.padding == Padding::kReflection) x = reflected(x, low, high);
  }
  Taps taps;
  const double floor = std::floor(x);
  const double r = x - floor;
  const auto first = static_cast<int64_t>(floor);
  if (s.mode == Mode::kNearest) {
    taps = {1, {padded(s, static_cast<int64_t>(x), size)}, {1}};
  } else if (s.mode == Mode::kLinear) {
    taps = {2, {padded(s, first, size), padded(s, first + 1, size)}, {1 - r, r}};
  } else {
    constexpr double kA = -0.75;
    taps.count = 4;
    for (int i = 0; i < 4; ++i) taps.at[i] = padded(s, first - 1 + i, size);
    const auto outer = [](double d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; };
    const auto inner = [](double d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; };
    taps.weight[0] = outer(r + 1);
    taps.weight[1] = inner(r);
    taps.weight[2] = inner(1 - r);
    taps.weight[3] = outer(2 - r);
  }
  return taps;
}

// The mixed value at a point: one Taps an axis.
double sampled(const double* plane, std::span<const int64_t> sizes, const std::vector<Taps>& taps,
               size_t axis, int64_t base) {
  if (axis == sizes.size()) return plane[base];
  double sum = 0;
  for (int i = 0; i < taps[axis].count; ++i) {
    if (taps[axis].at[i] < 0) continue;
    sum += taps[axis].weight[i] *
           sampled(plane, sizes, taps, axis + 1, base * sizes[axis] + taps[axis].at[i]);
  }
  return sum;
}

Status reference(const RunContext& c) {
  LAN_TRY(const Settings s, Settings::of(c.attributes()));
  const TensorView& view = c.input(0);
  const std::vector<double> x = read_doubles(view), grid = read_doubles(c.input(1));
  const MutableTensorView& y_view = c.output(0);
  std::vector<double> y(static_cast<size_t>(y_view.count()));
  if (y.empty()) return ok();
  if (x.empty()) return shape_error("nothing can be sampled from an empty input");
  const std::span<const int64_t> sizes = view.shape.subspan(2);
  const size_t axes = sizes.size();
  const int64_t plane = count_between(view.shape, 2, view.rank());
  const int64_t points = count_between(y_view.shape, 2, y_view.rank());
  std::vector<Taps> taps(axes);
  for (int64_t n = 0; n < view.shape[0]; ++n) {
    for (int64_t p = 0; p < points; ++p) {
      const double* point = grid.data() + (n * points + p) * static_cast<int64_t>(axes);
      // Coordinates of a point come last axis first.
      for (size_t a = 0; a < axes; ++a) taps[a] = taps_of(s, point[axes - 1 - a], sizes[a]);
      for (int64_t ch = 0; ch < view.shape[1]; ++ch) {
        const int64_t index = n * view.shape[1] + ch;
        y[static_cast<size_t>(index * points + p)] =
            sampled(x.data() + index * plane, sizes, taps, 0, 0);
      }
    }
  }
  write_doubles(y_view, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_grid_sample{
    .name = "GridSample",
    .since = 22,
    .inputs = {{"X", kNumbers | kBoolType}, {"grid", kFloats}},
    .outputs = {{"Y", kNumbers | kBoolType}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
