// MaxRoiPool: https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const std::vector<int64_t> pooled = c.attributes().ints("pooled_shape");
  constexpr int64_t kLargest = int64_t{1} << 20;
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1 || pooled[0] > kLargest ||
      pooled[1] > kLargest) {
    return attribute_error("pooled_shape", "it must be two positive numbers");
  }
  if (c.rank(0) != 4 || c.rank(1) != 2 || !may_equal(c.dims(1)[1], 5)) {
    return shape_error("X " + dims_text(c.dims(0)) + " and rois " + dims_text(c.dims(1)) +
                       " do not fit");
  }
  c.set_output(0, c.dtype(0), {c.dims(1)[0], c.dims(0)[1], Dim(pooled[0]), Dim(pooled[1])});
  return ok();
}

// The rows [begin, end) of bin `i` of `bins` over `size` rows that begin at `start`.
std::pair<int64_t, int64_t> bin(int64_t i, double size, int64_t bins, int64_t start,
                                int64_t limit) {
  const double step = size / static_cast<double>(bins);
  const auto begin = static_cast<int64_t>(std::floor(static_cast<double>(i) * step));
  const auto end = static_cast<int64_t>(std::ceil(static_cast<double>(i + 1) * step));
  return {std::clamp<int64_t>(begin + start, 0, limit), std::clamp<int64_t>(end + start, 0, limit)};
}

Status reference(const RunContext& c) {
  const TensorView& view = c.input(0);
  const MutableTensorView& out = c.output(0);
  const int64_t channels = view.shape[1], height = view.shape[2], width = view.shape[3];
  const double scale = c.attributes().real("spatial_scale", 1);
  const std::vector<double> x = read_doubles(view), rois = read_doubles(c.input(1));
  std::vector<double> y;
  y.reserve(static_cast<size_t>(out.count()));
  for (int64_t r = 0; r < out.shape[0]; ++r) {
    const double* roi = rois.data() + r * 5;
    if (!(roi[0] >= 0 && roi[0] < static_cast<double>(view.shape[0]))) {
      return shape_error("a region's batch index is out of range");
    }
    int64_t box[4];
    for (int i = 0; i < 4; ++i) {
      box[i] = static_cast<int64_t>(std::round(std::clamp(roi[1 + i] * scale, -1e9, 1e9)));
    }
    const auto roi_width = static_cast<double>(std::max<int64_t>(box[2] - box[0] + 1, 1));
    const auto roi_height = static_cast<double>(std::max<int64_t>(box[3] - box[1] + 1, 1));
    for (int64_t ch = 0; ch < channels; ++ch) {
      const double* plane =
          x.data() + (static_cast<int64_t>(roi[0]) * channels + ch) * height * width;
      for (int64_t i = 0; i < out.shape[2]; ++i) {
        const auto [top, bottom] = bin(i, roi_height, out.shape[2], box[1], height);
        for (int64_t j = 0; j < out.shape[3]; ++j) {
          const auto [left, right] = bin(j, roi_width, out.shape[3], box[0], width);
          const bool empty = bottom <= top || right <= left;
          double largest = empty ? 0 : -std::numeric_limits<double>::infinity();
          for (int64_t h = top; h < bottom; ++h) {
            for (int64_t w = left; w < right; ++w)
              largest = std::max(largest, plane[h * width + w]);
          }
          y.push_back(largest);
        }
      }
    }
  }
  write_doubles(out, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_max_roi_pool{
    .name = "MaxRoiPool",
    .since = 22,
    .inputs = {{"X", kFloats}, {"rois", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
