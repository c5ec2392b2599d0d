// DeformConv: a convolution whose taps are moved by offsets.
// https://onnx.ai/onnx/operators/onnx__DeformConv.html

#include <cmath>

#include "ops/conv_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_TRY(const Dims y, infer_conv(c.attributes(), c.dims(0), c.dims(1)));
  if (y.size() != 4) {
    return Error{ErrorCode::kUnsupported, "only images (two spatial axes) are supported", "", ""};
  }
  const int64_t groups = c.attributes().integer("offset_group", 1);
  if (groups < 1 || (c.dims(0)[1].is_known() && c.dims(0)[1].value() % groups != 0)) {
    return attribute_error("offset_group", "it does not divide the channels");
  }
  const Dim taps = c.dims(1)[2] * c.dims(1)[3] * Dim(groups);
  const auto fits = [&](const Dims& map, const Dim& channels) {
    return map.size() == 4 && may_equal(map[0], y[0]) && may_equal(map[1], channels) &&
           may_equal(map[2], y[2]) && may_equal(map[3], y[3]);
  };
  if (!fits(c.dims(2), taps * Dim(2)) || (c.has_input(4) && !fits(c.dims(4), taps))) {
    return shape_error("offset " + dims_text(c.dims(2)) + " or mask does not fit output " +
                       dims_text(y));
  }
  if (c.has_input(3) && (c.rank(3) != 1 || !may_equal(c.dims(3)[0], y[1]))) {
    return shape_error("bias " + dims_text(c.dims(3)) + " does not fit");
  }
  c.set_output(0, c.dtype(0), y);
  return ok();
}

// Bilinear, with zeros around the plane.
double sampled(const double* plane, int64_t height, int64_t width, double y, double x) {
  if (!(y > -1 && y < static_cast<double>(height) && x > -1 && x < static_cast<double>(width)))
    return 0;
  const auto top = static_cast<int64_t>(std::floor(y)), left = static_cast<int64_t>(std::floor(x));
  const double down = y - static_cast<double>(top), along = x - static_cast<double>(left);
  const auto at = [&](int64_t i, int64_t j) {
    return i < 0 || j < 0 || i >= height || j >= width ? 0 : plane[i * width + j];
  };
  return (1 - down) * ((1 - along) * at(top, left) + along * at(top, left + 1)) +
         down * ((1 - along) * at(top + 1, left) + along * at(top + 1, left + 1));
}

Status reference(const RunContext& c) {
  const MutableTensorView& out = c.output(0);
  const ConvShape s = conv_shape(c.attributes(), c.input(0).shape, c.input(1).shape, out.shape);
  const int64_t offset_groups = c.attributes().integer("offset_group", 1);
  const std::vector<double> x = read_doubles(c.input(0)), w = read_doubles(c.input(1)),
                            offset = read_doubles(c.input(2));
  std::vector<double> mask, bias;
  if (c.has_input(4)) mask = read_doubles(c.input(4));
  if (c.has_input(3)) bias = read_doubles(c.input(3));
  const int64_t height = s.in[0], width = s.in[1], rows = s.out[0], columns = s.out[1];
  const int64_t taps = s.window.kernel[0] * s.window.kernel[1];
  const int64_t group_in = s.channels / s.group, group_out = s.maps / s.group;
  std::vector<double> y(static_cast<size_t>(out.count()));
  if (y.empty()) return ok();
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t m = 0; m < s.maps; ++m) {
          double& sum = y[static_cast<size_t>(((n * s.maps + m) * rows + i) * columns + j)];
          if (!bias.empty()) sum = bias[static_cast<size_t>(m)];
          for (int64_t ch = 0; ch < group_in; ++ch) {
            const int64_t channel = m / group_out * group_in + ch;
            const int64_t moved = channel / (s.channels / offset_groups);
            const double* plane = x.data() + (n * s.channels + channel) * height * width;
            for (int64_t k = 0; k < taps; ++k) {
              const int64_t map = (n * offset_groups + moved) * taps + k;
              const auto at = [&](int64_t index) {
                return static_cast<size_t>((index * rows + i) * columns + j);
              };
              const double py = static_cast<double>(i * s.window.stride[0] - s.window.pad_begin[0] +
                                                    k / s.window.kernel[1] * s.window.dilation[0]) +
                                offset[at(2 * map)];
              const double px = static_cast<double>(j * s.window.stride[1] - s.window.pad_begin[1] +
                                                    k % s.window.kernel[1] * s.window.dilation[1]) +
                                offset[at(2 * map + 1)];
              const double value =
                  sampled(plane, height, width, py, px) * (mask.empty() ? 1 : mask[at(map)]);
              sum += value * w[static_cast<size_t>((m * group_in + ch) * taps + k)];
            }
          }
        }
      }
    }
  }
  write_doubles(out, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_deform_conv{
    .name = "DeformConv",
    .since = 22,
    .inputs = {{"X", kFloats},
               {"W", kFloats},
               {"offset", kFloats},
               {"B", kFloats, true},
               {"mask", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
