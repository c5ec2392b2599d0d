// LpPool: the p-norm of each window. https://onnx.ai/onnx/operators/onnx__LpPool.html

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/pool_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_pool(c.attributes(), c.dims(0)));
  if (c.attributes().integer("p", 2) < 1) return attribute_error("p", "it must be positive");
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const PoolShape s = pool_shape(c.attributes(), c.input(0).shape, y.shape);
  const auto p = static_cast<double>(c.attributes().integer("p", 2));
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> norms(static_cast<size_t>(y.count()));
  for_each_position(s, [&](int64_t position, const PoolTaps& taps) {
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      double sum = 0;
      for (const int64_t at : taps.inside) {
        sum += std::pow(std::fabs(x[static_cast<size_t>(plane * s.in_size + at)]), p);
      }
      norms[static_cast<size_t>(plane * s.out_size + position)] = std::pow(sum, 1 / p);
    }
  });
  write_doubles(y, norms);
  return ok();
}

}  // namespace

extern constinit const OpDef op_lp_pool{
    .name = "LpPool",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
