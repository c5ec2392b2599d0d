// Resize: https://onnx.ai/onnx/operators/onnx__Resize.html

#include <algorithm>
#include <cmath>
#include <optional>

#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"
#include "ops/resize_shared.h"

namespace lanthorn {
namespace {

constexpr size_t kRoi = 1, kScales = 2, kSizes = 3;
constexpr uint64_t kRoiTypes = kFloats;

// Attribute axes, or all of them.
Result<std::vector<size_t>> resized_axes(const Attributes& attributes, size_t rank) {
  std::vector<size_t> axes;
  if (!attributes.has("axes")) {
    for (size_t i = 0; i < rank; ++i) axes.push_back(i);
    return axes;
  }
  for (const int64_t given : attributes.ints("axes")) {
    LAN_TRY(const int64_t axis, checked_axis(given, static_cast<int64_t>(rank), "axes"));
    axes.push_back(static_cast<size_t>(axis));
  }
  return axes;
}

// floor(size * scale)
Dim scaled(const Dim& size, double scale) {
  if (size.is_known()) {
    const double exact = std::floor(static_cast<double>(size.value()) * scale);
    return exact >= 0 && exact < 9e15 ? Dim(static_cast<int64_t>(exact)) : Dim::unknown();
  }
  for (int64_t parts = 1; parts <= 64; ++parts) {
    const double whole = scale * static_cast<double>(parts);
    if (whole == std::floor(whole) && whole > 0 && whole < 1e9) {
      return floor_div(size * Dim(static_cast<int64_t>(whole)), Dim(parts));
    }
  }
  return Dim::unknown();
}

// The one factor of all axes that keep_aspect_ratio_policy asks for; nothing for "stretch".
std::optional<double> common_scale(const Attributes& attributes, const std::vector<double>& each) {
  const std::string_view policy = attributes.text("keep_aspect_ratio_policy", "stretch");
  if (each.empty() || policy == "stretch") return std::nullopt;
  const auto [least, most] = std::minmax_element(each.begin(), each.end());
  return policy == "not_larger" ? *least : *most;
}

int64_t round_half_up(double value) { return static_cast<int64_t>(std::floor(value + 0.5)); }

Status infer_from_sizes(InferContext& c, const std::vector<size_t>& axes, Dims y) {
  const auto sizes = c.elements(kSizes);
  if (sizes && sizes->size() != axes.size()) return shape_error("sizes does not fit the axes");
  for (size_t i = 0; i < axes.size(); ++i) y[axes[i]] = sizes ? (*sizes)[i] : Dim::unknown();
  if (c.attributes().text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    std::vector<double> each;
    for (const size_t axis : axes) {
      const Dim& from = c.dims(0)[axis];
      if (from.is_known() && y[axis].is_known() && from.value() > 0) {
        each.push_back(static_cast<double>(y[axis].value()) / static_cast<double>(from.value()));
      }
    }
    const auto scale = common_scale(c.attributes(), each);
    for (const size_t axis : axes) {
      const Dim& from = c.dims(0)[axis];
      const bool known = scale && each.size() == axes.size() && from.is_known();
      y[axis] =
          known ? Dim(round_half_up(*scale * static_cast<double>(from.value()))) : Dim::unknown();
    }
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status infer(InferContext& c) {
  LAN_TRY(const std::vector<size_t> axes, resized_axes(c.attributes(), c.dims(0).size()));
  LAN_OK(resize_table(c.attributes(), {}));  // checks the attributes
  if (c.has_input(kScales) == c.has_input(kSizes)) {
    return shape_error("exactly one of scales and sizes must be given");
  }
  if (c.has_input(kSizes)) return infer_from_sizes(c, axes, c.dims(0));
  Dims y = c.dims(0);
  const Tensor* scales = c.constant(kScales);
  const auto values = scales ? scales->to_doubles() : std::nullopt;
  if (values && values->size() != axes.size()) return shape_error("scales does not fit the axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    if (values && !((*values)[i] > 0)) return shape_error("scales must be positive");
    y[axes[i]] = values ? scaled(y[axes[i]], (*values)[i]) : Dim::unknown();
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

// Mixes along one axis of an array seen as [outer, in, inner].
std::vector<double> mixed(const std::vector<double>& x, const ResizeTable& table,
                          const ResizeAxis& axis, size_t inner, double extrapolation) {
  const auto in = static_cast<size_t>(axis.in), out = static_cast<size_t>(axis.out);
  const size_t outer = x.size() / std::max<size_t>(in * inner, 1);
  std::vector<double> y(outer * out * inner);
  for (size_t o = 0; o < outer; ++o) {
    for (size_t p = 0; p < out; ++p) {
      double* to = y.data() + (o * out + p) * inner;
      if (table.outside[p]) {
        std::fill(to, to + inner, extrapolation);
        continue;
      }
      for (size_t t = 0; t < table.taps; ++t) {
        const auto from = static_cast<size_t>(table.positions[p * table.taps + t]);
        const double weight = table.weights[p * table.taps + t];
        const double* line = x.data() + (o * in + from) * inner;
        for (size_t i = 0; i < inner; ++i) to[i] += weight * line[i];
      }
    }
  }
  return y;
}

Status reference(const RunContext& c) {
  const TensorView& input = c.input(0);
  const MutableTensorView& y = c.output(0);
  if (y.count() == 0) return ok();
  if (input.count() == 0) return shape_error("nothing can be made of an empty input");
  LAN_TRY(const std::vector<size_t> axes, resized_axes(c.attributes(), input.rank()));
  std::vector<double> scales, roi;
  if (c.has_input(kScales)) scales = read_doubles(c.input(kScales));
  if (c.has_input(kRoi)) roi = read_doubles(c.input(kRoi));
  const bool crops =
      c.attributes().text("coordinate_transformation_mode", "") == "tf_crop_and_resize";
  if (crops && roi.size() != 2 * axes.size()) return shape_error("roi does not fit the axes");
  if (!c.has_input(kScales)) {
    const std::vector<int64_t> sizes = read_ints(c.input(kSizes));
    if (sizes.size() != axes.size()) return shape_error("sizes does not fit the axes");
    for (size_t i = 0; i < axes.size(); ++i) {
      scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(input.shape[axes[i]]));
    }
    if (const auto one = common_scale(c.attributes(), scales)) scales.assign(axes.size(), *one);
  }
  if (scales.size() != axes.size()) return shape_error("scales does not fit the axes");
  std::vector<double> x = read_doubles(input);
  Shape shape(input.shape.begin(), input.shape.end());
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis axis{shape[axes[i]], y.shape[axes[i]], scales[i]};
    if (crops) {
      axis.roi_start = roi[i];
      axis.roi_end = roi[axes.size() + i];
    }
    const bool whole = axis.roi_start == 0 && axis.roi_end == 1;
    if (axis.in == axis.out && std::fabs(axis.scale - 1) < 1e-9 && whole) continue;
    LAN_TRY(const ResizeTable table, resize_table(c.attributes(), axis));
    const auto inner = static_cast<size_t>(count_between(shape, axes[i] + 1, shape.size()));
    x = mixed(x, table, axis, inner, c.attributes().real("extrapolation_value", 0));
    shape[axes[i]] = axis.out;
  }
  if (is_integer(y.dtype)) {
    const IntegerRange range = integer_range(y.dtype);
    const bool small = dtype_bytes(y.dtype) < 4;
    for (double& value : x) {
      value = std::nearbyint(value);
      if (small)
        value = std::clamp(value, static_cast<double>(range.lowest),
                           static_cast<double>(range.highest));
    }
  }
  write_doubles(y, x);
  return ok();
}

}  // namespace

extern constinit const OpDef op_resize{
    .name = "Resize",
    .since = 19,
    .inputs = {{"X", kNumbers | kBoolType},
               {"roi", kRoiTypes, true},
               {"scales", type_bit(DType::kF32), true},
               {"sizes", kI64Type, true}},
    .outputs = {{"Y", kNumbers | kBoolType}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
