#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// How one axis of a Resize is interpolated.
struct ResizeAxis {
  int64_t in = 0, out = 0;
  double scale = 1;
  double roi_start = 0, roi_end = 1;
};

/// For each output position of an axis the input positions it is mixed from, `taps` each.
struct ResizeTable {
  size_t taps = 0;
  std::vector<int64_t> positions;
  std::vector<double> weights;
  std::vector<bool> outside;  // tf_crop_and_resize: the position takes the extrapolation value
};

/// The table that attributes mode, nearest_mode, coordinate_transformation_mode, cubic_coeff_a,
/// antialias and exclude_outside ask for. https://onnx.ai/onnx/operators/onnx__Resize.html
Result<ResizeTable> resize_table(const Attributes& attributes, const ResizeAxis& axis);

}  // namespace lanthorn
