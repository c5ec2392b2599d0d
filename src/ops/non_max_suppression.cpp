// NonMaxSuppression: https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html

#include <algorithm>
#include <numeric>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kF32 = type_bit(DType::kF32);

Status infer(InferContext& c) {
  const Dims &boxes = c.dims(0), &scores = c.dims(1);
  if (boxes.size() != 3 || scores.size() != 3 || !may_equal(boxes[2], 4) ||
      !may_equal(boxes[0], scores[0]) || !may_equal(boxes[1], scores[2])) {
    return shape_error("boxes " + dims_text(boxes) + " and scores " + dims_text(scores) +
                       " do not fit");
  }
  c.set_output(0, DType::kI64, {Dim::unknown(), Dim(3)});
  return ok();
}

struct Box {
  float top = 0, left = 0, bottom = 0, right = 0;
};

Box box_of(const float* b, bool centered) {
  if (centered) {
    return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  }
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (!(height > 0) || !(width > 0)) return false;
  const float area_a = (a.bottom - a.top) * (a.right - a.left);
  const float area_b = (b.bottom - b.top) * (b.right - b.left);
  const float both = height * width, either = area_a + area_b - both;
  if (area_a <= 0 || area_b <= 0 || either <= 0) return false;
  return both / either > threshold;
}

double number_or(const RunContext& c, size_t i, double fallback) {
  if (!c.has_input(i) || c.input(i).count() < 1) return fallback;
  return read_doubles(c.input(i))[0];
}

Status reference(const RunContext& c) {
  const auto boxes = c.input(0).as<float>(), scores = c.input(1).as<float>();
  const int64_t batch = c.input(1).shape[0], classes = c.input(1).shape[1],
                count = c.input(1).shape[2];
  const bool centered = c.attributes().integer("center_point_box", 0) != 0;
  const int64_t most = c.has_input(2) && c.input(2).count() > 0 ? read_ints(c.input(2))[0] : 0;
  const auto threshold = static_cast<float>(number_or(c, 3, 0));
  const bool has_floor = c.has_input(4) && c.input(4).count() > 0;
  const auto floor = static_cast<float>(number_or(c, 4, 0));
  std::vector<int64_t> selected;
  std::vector<int64_t> order;
  std::vector<Box> kept;
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t k = 0; k < classes && most > 0; ++k) {
      const float* score = scores.data() + (n * classes + k) * count;
      order.clear();
      for (int64_t i = 0; i < count; ++i) {
        if (!has_floor || score[i] > floor) order.push_back(i);
      }
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return score[a] > score[b]; });
      kept.clear();
      for (const int64_t i : order) {
        if (static_cast<int64_t>(kept.size()) >= most) break;
        const Box box = box_of(boxes.data() + (n * count + i) * 4, centered);
        const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const Box& other) {
          return overlap(box, other, threshold);
        });
        if (hidden) continue;
        kept.push_back(box);
        selected.insert(selected.end(), {n, k, i});
      }
    }
  }
  const auto rows = static_cast<int64_t>(selected.size() / 3);
  c.set_output_value(0, Tensor::of<int64_t>(DType::kI64, {rows, 3}, selected));
  return ok();
}

}  // namespace

extern constinit const OpDef op_non_max_suppression{
    .name = "NonMaxSuppression",
    .since = 11,
    .inputs = {{"boxes", kF32},
               {"scores", kF32},
               {"max_output_boxes_per_class", kI64Type, true},
               {"iou_threshold", kF32, true},
               {"score_threshold", kF32, true}},
    .outputs = {{"selected_indices", kI64Type}},
    .infer = infer,
    .reference = reference,
    .data_dependent = true,
};

}  // namespace lanthorn
