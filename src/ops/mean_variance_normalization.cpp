// MeanVarianceNormalization: (X - E[X]) / sqrt(E[(X - E[X])^2]) over some axes.
// https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {
namespace {

Result<std::vector<bool>> reduced_axes(const Attributes& attributes, int64_t rank) {
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (const int64_t given : attributes.ints("axes", {0, 2, 3})) {
    LAN_TRY(const int64_t axis, checked_axis(given, rank, "axes"));
    reduced[static_cast<size_t>(axis)] = true;
  }
  return reduced;
}

Status infer(InferContext& c) {
  LAN_OK(reduced_axes(c.attributes(), c.rank(0)));
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& input = c.input(0);
  LAN_TRY(const std::vector<bool> reduced,
          reduced_axes(c.attributes(), static_cast<int64_t>(input.rank())));
  std::vector<double> x = read_doubles(input);
  if (x.empty()) return ok();
  std::vector<size_t> group_of(x.size());
  Counter at(input.shape);
  for (size_t i = 0; i < x.size(); ++i, at.next()) {
    for (size_t axis = 0; axis < input.rank(); ++axis) {
      if (!reduced[axis]) {
        group_of[i] =
            group_of[i] * static_cast<size_t>(input.shape[axis]) + static_cast<size_t>(at[axis]);
      }
    }
  }
  std::vector<double> mean(x.size()), square(x.size()), count(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    mean[group_of[i]] += x[i];
    count[group_of[i]] += 1;
  }
  for (size_t i = 0; i < x.size(); ++i) x[i] -= mean[group_of[i]] / count[group_of[i]];
  for (size_t i = 0; i < x.size(); ++i) square[group_of[i]] += x[i] * x[i];
  // The function body that defines the operator adds this to the deviation.
  constexpr double kEpsilon = 1e-9;
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] /= std::sqrt(square[group_of[i]] / count[group_of[i]]) + kEpsilon;
  }
  write_doubles(c.output(0), x);
  return ok();
}

}  // namespace

extern constinit const OpDef op_mean_variance_normalization{
    .name = "MeanVarianceNormalization",
    .since = 13,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
