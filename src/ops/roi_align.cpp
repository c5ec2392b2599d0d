// RoiAlign: https://onnx.ai/onnx/operators/onnx__RoiAlign.html

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kIndices = type_bit(DType::kI64);
constexpr int64_t kLargest = int64_t{1} << 20;

Status infer(InferContext& c) {
  const Attributes& a = c.attributes();
  const int64_t height = a.integer("output_height", 1), width = a.integer("output_width", 1);
  if (c.rank(0) != 4 || c.rank(1) != 2 || c.rank(2) != 1 || !may_equal(c.dims(1)[1], 4) ||
      !may_equal(c.dims(1)[0], c.dims(2)[0])) {
    return shape_error("X " + dims_text(c.dims(0)) + ", rois " + dims_text(c.dims(1)) +
                       " and batch_indices " + dims_text(c.dims(2)) + " do not fit");
  }
  if (height < 1 || width < 1 || height > kLargest || width > kLargest) {
    return attribute_error("output_height", "the output's sizes must be positive");
  }
  const std::string_view mode = a.text("mode", "avg");
  if (mode != "avg" && mode != "max") return attribute_error("mode", "it must be avg or max");
  c.set_output(0, c.dtype(0), {c.dims(1)[0], c.dims(0)[1], Dim(height), Dim(width)});
  return ok();
}

// The four neighbors of a point and their weights; all zero outside the map.
struct Corners {
  int64_t at[4] = {};
  double weight[4] = {};
};

Corners corners_of(double y, double x, int64_t height, int64_t width) {
  Corners corners;
  if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
        x <= static_cast<double>(width))) {
    return corners;
  }
  y = std::max(y, 0.0);
  x = std::max(x, 0.0);
  const int64_t top = std::min(static_cast<int64_t>(y), height - 1);
  const int64_t left = std::min(static_cast<int64_t>(x), width - 1);
  const int64_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
  const double down = top >= height - 1 ? 0 : y - static_cast<double>(top);
  const double along = left >= width - 1 ? 0 : x - static_cast<double>(left);
  corners = {
      {top * width + left, top * width + right, bottom * width + left, bottom * width + right},
      {(1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along}};
  return corners;
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  const TensorView& view = c.input(0);
  const MutableTensorView& out = c.output(0);
  const int64_t channels = view.shape[1], height = view.shape[2], width = view.shape[3];
  const int64_t rows = out.shape[2], columns = out.shape[3];
  const double scale = a.real("spatial_scale", 1);
  const double shift =
      a.text("coordinate_transformation_mode", "half_pixel") == "half_pixel" ? 0.5 : 0;
  const int64_t ratio = a.integer("sampling_ratio", 0);
  const bool average = a.text("mode", "avg") == "avg";
  const std::vector<double> x = read_doubles(view), rois = read_doubles(c.input(1));
  const std::vector<int64_t> batches = read_ints(c.input(2));
  std::vector<double> y(static_cast<size_t>(out.count()));
  if (!y.empty() && x.empty()) return shape_error("the input is empty");
  for (size_t r = 0; !y.empty() && r < batches.size(); ++r) {
    if (batches[r] < 0 || batches[r] >= view.shape[0]) {
      return shape_error("batch index " + std::to_string(batches[r]) + " is out of range");
    }
    const double left = rois[4 * r] * scale - shift, top = rois[4 * r + 1] * scale - shift;
    double roi_width = rois[4 * r + 2] * scale - shift - left;
    double roi_height = rois[4 * r + 3] * scale - shift - top;
    if (shift == 0) {
      roi_width = std::max(roi_width, 1.0);
      roi_height = std::max(roi_height, 1.0);
    }
    const double bin_height = roi_height / static_cast<double>(rows);
    const double bin_width = roi_width / static_cast<double>(columns);
    const auto samples = [&](double bin) {
      if (ratio > 0) return std::min(ratio, kLargest);
      return static_cast<int64_t>(std::clamp(std::ceil(bin), 0.0, 4096.0));
    };
    const int64_t down = samples(bin_height), along = samples(bin_width);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t ch = 0; ch < channels; ++ch) {
          const double* plane = x.data() + (batches[r] * channels + ch) * height * width;
          double sum = 0, largest = -std::numeric_limits<double>::infinity();
          for (int64_t iy = 0; iy < down; ++iy) {
            for (int64_t ix = 0; ix < along; ++ix) {
              const double sy = top + (static_cast<double>(i) + (static_cast<double>(iy) + 0.5) /
                                                                    static_cast<double>(down)) *
                                          bin_height;
              const double sx = left + (static_cast<double>(j) + (static_cast<double>(ix) + 0.5) /
                                                                     static_cast<double>(along)) *
                                           bin_width;
              const Corners corners = corners_of(sy, sx, height, width);
              double value = 0;
              for (int k = 0; k < 4; ++k) {
                const double part = corners.weight[k] * plane[corners.at[k]];
                value += part;
                // The text's max is that of the weighted corners, not of the mixed samples.
                largest = std::max(largest, part);
              }
              sum += value;
            }
          }
          const int64_t count = std::max<int64_t>(down * along, 1);
          const double result =
              average ? sum / static_cast<double>(count) : (down * along > 0 ? largest : 0);
          y[static_cast<size_t>(((static_cast<int64_t>(r) * channels + ch) * rows + i) * columns +
                                j)] = result;
        }
      }
    }
  }
  write_doubles(out, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_roi_align{
    .name = "RoiAlign",
    .since = 22,
    .inputs = {{"X", kFloats}, {"rois", kFloats}, {"batch_indices", kIndices}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
