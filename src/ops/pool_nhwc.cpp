// Pools of NHWC images with ONNX's attributes; Y is [N, oH, oW, C].
// OPS: average_pool_nhwc max_pool_nhwc
#include <cmath>
#include <limits>

#include "ops/channels_last.h"
#include "ops/elementwise.h"
#include "ops/pool_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 4, 4));
  LAN_TRY(const Dims out, infer_pool(context.attributes(), channels_first(context.dims(0))));
  context.set_output(0, context.dtype(0), channels_last(out));
  return ok();
}

double average(const double* plane, const PoolTaps& taps, bool count_padding) {
  double sum = 0;
  for (const int64_t at : taps.inside) sum += plane[at];
  return sum / static_cast<double>(count_padding ? taps.padded
                                                 : static_cast<int64_t>(taps.inside.size()));
}

// NaN wins, as in PyTorch.
double largest(const double* plane, const PoolTaps& taps) {
  double best = -std::numeric_limits<double>::infinity();
  for (const int64_t at : taps.inside)
    best = std::isnan(best) || best >= plane[at] ? best : plane[at];
  return best;
}

template <bool max>
Status reference(const RunContext& context) {
  const std::span<const int64_t> out = context.output(0).shape;
  const PoolShape shape =
      pool_shape(context.attributes(), channels_first(context.input(0).shape), channels_first(out));
  const bool count_padding = context.attributes().integer("count_include_pad", 0) != 0;
  const std::vector<double> x = read_channels_first(context.input(0));
  std::vector<double> y(static_cast<size_t>(context.output(0).count()));
  for_each_position(shape, [&](int64_t position, const PoolTaps& taps) {
    for (int64_t plane = 0; plane < shape.planes; ++plane) {
      const double* from = x.data() + plane * shape.in_size;
      y[static_cast<size_t>(plane * shape.out_size + position)] =
          max ? largest(from, taps) : average(from, taps, count_padding);
    }
  });
  const std::vector<double> moved = to_channels_last(y, out);
  store_wide(moved.data(), context.output(0), 0, moved.size());
  return ok();
}

}  // namespace

extern constinit const OpDef op_average_pool_nhwc = {.name = "AveragePoolNhwc",
                                                     .domain = "lanthorn",
                                                     .inputs = {{"X", kFloats}},
                                                     .outputs = {{"Y"}},
                                                     .accuracy = Accuracy::kRounding,
                                                     .infer = infer,
                                                     .reference = reference<false>};
extern constinit const OpDef op_max_pool_nhwc = {.name = "MaxPoolNhwc",
                                                 .domain = "lanthorn",
                                                 .inputs = {{"X", kFloats}},
                                                 .outputs = {{"Y"}},
                                                 .infer = infer,
                                                 .reference = reference<true>};

}  // namespace lanthorn
