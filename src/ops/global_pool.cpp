// OPS: global_average_pool global_max_pool global_lp_pool
// Pools over all spatial axes. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html

#include <cmath>
#include <limits>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  if (c.rank(0) < 2) return shape_error("a global pool needs a batch and channels");
  Dims y(c.dims(0).size(), Dim(1));
  y[0] = c.dims(0)[0];
  y[1] = c.dims(0)[1];
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

// One number for each plane.
template <class Reduce>
Status reduce_planes(const RunContext& c, Reduce reduce) {
  const std::vector<double> x = read_doubles(c.input(0));
  const auto size = static_cast<size_t>(count_between(c.input(0).shape, 2, c.input(0).rank()));
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  for (size_t i = 0; i < y.size(); ++i) y[i] = reduce(std::span(x).subspan(i * size, size));
  write_doubles(c.output(0), y);
  return ok();
}

Status average(const RunContext& c) {
  return reduce_planes(c, [](std::span<const double> plane) {
    double sum = 0;
    for (const double value : plane) sum += value;
    return sum / static_cast<double>(plane.size());
  });
}

Status maximum(const RunContext& c) {
  return reduce_planes(c, [](std::span<const double> plane) {
    double largest = -std::numeric_limits<double>::infinity();
    for (const double value : plane) {
      if (value > largest || std::isnan(value)) largest = value;
    }
    return largest;
  });
}

Status norm(const RunContext& c) {
  const auto p = static_cast<double>(c.attributes().integer("p", 2));
  return reduce_planes(c, [p](std::span<const double> plane) {
    double sum = 0;
    for (const double value : plane) sum += std::pow(std::fabs(value), p);
    return std::pow(sum, 1 / p);
  });
}

}  // namespace

extern constinit const OpDef op_global_average_pool{
    .name = "GlobalAveragePool",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = average,
};

extern constinit const OpDef op_global_max_pool{
    .name = "GlobalMaxPool",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = maximum,
};

extern constinit const OpDef op_global_lp_pool{
    .name = "GlobalLpPool",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = norm,
};

}  // namespace lanthorn
