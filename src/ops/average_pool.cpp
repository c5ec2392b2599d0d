// AveragePool: https://onnx.ai/onnx/operators/onnx__AveragePool.html

#include "ops/numbers_shared.h"
#include "ops/pool_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_pool(c.attributes(), c.dims(0)));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const PoolShape s = pool_shape(c.attributes(), c.input(0).shape, y.shape);
  const bool count_padding = c.attributes().integer("count_include_pad", 0) != 0;
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> means(static_cast<size_t>(y.count()));
  for_each_position(s, [&](int64_t position, const PoolTaps& taps) {
    // With ceil_mode the window may reach past the padding; what lies there is not counted.
    const double divisor = count_padding ? taps.padded : static_cast<double>(taps.inside.size());
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      double sum = 0;
      for (const int64_t at : taps.inside) sum += x[static_cast<size_t>(plane * s.in_size + at)];
      means[static_cast<size_t>(plane * s.out_size + position)] = divisor == 0 ? 0 : sum / divisor;
    }
  });
  write_doubles(y, means);
  return ok();
}

}  // namespace

extern constinit const OpDef op_average_pool{
    .name = "AveragePool",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
