// AffineGrid: https://onnx.ai/onnx/operators/onnx__AffineGrid.html

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const Dims& theta = c.dims(0);
  if (theta.size() != 3 || !theta[1].is_known() || (!theta[1].is(2) && !theta[1].is(3)) ||
      !may_equal(theta[2], theta[1] + Dim(1))) {
    return shape_error("theta " + dims_text(theta) + " must be [N, 2, 3] or [N, 3, 4]");
  }
  const auto axes = static_cast<size_t>(theta[1].value());
  const auto size = c.elements(1);
  if (size && size->size() != axes + 2)
    return shape_error("size must have " + std::to_string(axes + 2) + " numbers");
  Dims grid{theta[0]};
  for (size_t i = 0; i < axes; ++i) grid.push_back(size ? (*size)[2 + i] : Dim::unknown());
  grid.emplace_back(static_cast<int64_t>(axes));
  c.set_output(0, c.dtype(0), std::move(grid));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  if (y.count() == 0) return ok();
  const std::vector<double> theta = read_doubles(c.input(0));
  const bool align = c.attributes().integer("align_corners", 0) != 0;
  const std::span<const int64_t> sizes = y.shape.subspan(1, y.rank() - 2);
  const size_t axes = sizes.size();
  std::vector<double> grid;
  grid.reserve(static_cast<size_t>(y.count()));
  for (int64_t n = 0; n < y.shape[0]; ++n) {
    Counter at(sizes);
    do {
      double point[4] = {};
      for (size_t a = 0; a < axes; ++a) {  // x is the last axis
        const auto length = static_cast<double>(sizes[axes - 1 - a]);
        const auto i = static_cast<double>(at[axes - 1 - a]);
        point[a] =
            align ? (length > 1 ? -1 + 2 * i / (length - 1) : -1) : -1 + (2 * i + 1) / length;
      }
      point[axes] = 1;
      for (size_t row = 0; row < axes; ++row) {
        double sum = 0;
        for (size_t k = 0; k <= axes; ++k) {
          sum += theta[(static_cast<size_t>(n) * axes + row) * (axes + 1) + k] * point[k];
        }
        grid.push_back(sum);
      }
    } while (at.next());
  }
  write_doubles(y, grid);
  return ok();
}

}  // namespace

extern constinit const OpDef op_affine_grid{
    .name = "AffineGrid",
    .since = 20,
    .inputs = {{"theta", kFloats}, {"size", kI64Type}},
    .outputs = {{"grid", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
