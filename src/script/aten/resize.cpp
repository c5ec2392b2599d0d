// Interpolation.
#include <algorithm>
#include <cmath>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

enum class Kind : uint8_t { kNearest, kNearestExact, kLinear, kCubic, kLinearSmooth, kCubicSmooth };

constexpr bool has_corners(Kind kind) { return kind != Kind::kNearest && kind != Kind::kNearestExact; }

Attributes resize_attributes(Kind kind, bool align_corners, size_t rank) {
  Attributes attributes;
  std::vector<int64_t> axes;
  for (size_t i = 2; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  attributes.set("axes", std::move(axes));
  const bool cubic = kind == Kind::kCubic || kind == Kind::kCubicSmooth;
  switch (kind) {
    case Kind::kNearest:
      attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
      attributes.set("nearest_mode", std::string("floor"));
      return attributes;
    case Kind::kNearestExact:
      attributes.set("coordinate_transformation_mode", std::string("half_pixel"));
      attributes.set("nearest_mode", std::string("round_prefer_ceil"));
      return attributes;
    default: break;
  }
  attributes.set("mode", std::string(cubic ? "cubic" : "linear"));
  attributes.set("coordinate_transformation_mode", std::string(align_corners ? "align_corners" : "half_pixel"));
  const bool smooth = kind == Kind::kLinearSmooth || kind == Kind::kCubicSmooth;
  // The smooth forms are Pillow's filters, whose weights are taken inside of the picture only.
  if (cubic) attributes.set("cubic_coeff_a", smooth ? -0.5f : -0.75f);
  if (smooth) {
    attributes.set("antialias", int64_t{1});
    attributes.set("exclude_outside", int64_t{1});
  }
  return attributes;
}

/// The sizes that scales give, rounded down.
Result<Dims> scaled_sizes(Lowering& lowering, const TensorRef& x, const std::vector<double>& scales) {
  Dims sizes;
  for (size_t i = 0; i < scales.size(); ++i) {
    const Dim& in = x->dims[i + 2];
    if (scales[i] == std::floor(scales[i]) && std::abs(scales[i]) < 1e9) {
      sizes.push_back(in * Dim(static_cast<int64_t>(scales[i])));
      continue;
    }
    LAN_TRY(const int64_t size, lowering.concrete(in));
    sizes.push_back(Dim(static_cast<int64_t>(std::floor(static_cast<double>(size) * scales[i]))));
  }
  return sizes;
}

/// Nearest elements by fractional scales: PyTorch multiplies by the rounded float 1 / scale, and at
/// whole numbers that decides which neighbour it is, so the positions are worked out here.
Result<Value> pick_nearest(Lowering& lowering, const TensorRef& x, bool exact, const Dims& sizes,
                           const std::vector<double>& scales) {
  Emitter e(lowering);
  ValueId value = e.read(x);
  for (size_t i = 0; i < scales.size(); ++i) {
    LAN_TRY(const int64_t in, lowering.concrete(x->dims[i + 2]));
    LAN_TRY(const int64_t out, lowering.concrete(sizes[i]));
    if (in < 1 || out < 0 || out > (int64_t{1} << 20)) {
      return lowering.error(ErrorCode::kLimit, "interpolation to a size of " + std::to_string(out));
    }
    const auto step = static_cast<float>(1.0 / scales[i]);
    std::vector<int64_t> places;
    for (int64_t at = 0; at < out; ++at) {
      const float source = exact ? (static_cast<float>(at) + 0.5f) * step : static_cast<float>(at) * step;
      places.push_back(std::min(static_cast<int64_t>(std::floor(source)), in - 1));
    }
    value = e.op("Gather", {value, e.ints(std::move(places))}, {{"axis", static_cast<int64_t>(i) + 2}});
  }
  return e.result(value);
}

/// Scales hold where all of them are given (PyTorch then computes with them, not with the ratio of
/// sizes); otherwise the sizes do. With aligned corners scales play no part.
Result<Value> resize(Lowering& lowering, const TensorRef& x, Kind kind, bool align_corners,
                     const std::optional<Dims>& sizes, const std::vector<double>& scales) {
  Emitter e(lowering);
  const size_t rank = x->dims.size();
  const size_t spatial = rank - 2;
  if (rank < 3 || (sizes && sizes->size() != spatial) || (!sizes && scales.size() != spatial)) {
    return lowering.error(ErrorCode::kInvalidInput, "interpolation of a tensor of rank " + std::to_string(rank));
  }
  const bool fractional = std::any_of(scales.begin(), scales.end(), [](double s) { return s != std::floor(s); });
  if (!has_corners(kind) && scales.size() == spatial && fractional) {
    LAN_TRY(const Dims wanted, sizes ? Result<Dims>(*sizes) : scaled_sizes(lowering, x, scales));
    return pick_nearest(lowering, x, kind == Kind::kNearestExact, wanted, scales);
  }
  std::vector<ValueId> inputs = {e.read(x), kNoValue};
  if (scales.size() == spatial && !align_corners) {
    const std::vector<float> factors(scales.begin(), scales.end());
    inputs.push_back(e.constant(Tensor::of_floats(factors)));
  } else {
    Dims wanted;
    if (sizes) {
      wanted = *sizes;
    } else {
      LAN_TRY(wanted, scaled_sizes(lowering, x, scales));
    }
    inputs.push_back(kNoValue);
    inputs.push_back(e.shape(wanted));
  }
  return e.result(e.op("Resize", std::move(inputs), resize_attributes(kind, align_corners, rank)));
}

// (self, output_size, [align_corners], scale of each dimension)
template <Kind kKind, size_t kSpatial>
Result<Value> upsample(Lowering& lowering, const Args& args) {
  constexpr size_t kFirst = has_corners(kKind) ? 3 : 2;
  std::vector<double> scales;
  for (size_t i = 0; i < kSpatial; ++i) {
    if (!args.is_none(kFirst + i)) scales.push_back(args.real(kFirst + i));
  }
  Dims sizes = args.ints(1);
  if (sizes.size() == 1) sizes.resize(kSpatial, sizes[0]);
  // Sizes rounded otherwise than the scales would give have the last word.
  bool fits = scales.size() == kSpatial;
  for (size_t i = 0; fits && i < kSpatial; ++i) {
    const Dim& in = args.tensor(0)->dims.at(i + 2);
    fits = in.is_known() && sizes[i].is_known() &&
           static_cast<int64_t>(static_cast<double>(in.value()) * scales[i]) == sizes[i].value();
  }
  if (!fits) scales.clear();
  return resize(lowering, args.tensor(0), kKind, has_corners(kKind) && args.flag(2), sizes, scales);
}

// (input, output_size, [align_corners], scale_factors)
template <Kind kKind>
Result<Value> upsample_vec(Lowering& lowering, const Args& args) {
  constexpr size_t kScales = has_corners(kKind) ? 3 : 2;
  std::vector<double> scales;
  if (!args.is_none(kScales)) scales = args.reals(kScales);
  return resize(lowering, args.tensor(0), kKind, has_corners(kKind) && args.flag(2), args.optional_ints(1), scales);
}

constexpr AtenRow kRows[] = {
    {"aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor",
     upsample<Kind::kNearest, 1>},
    {"aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearest>},
    {"aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> "
     "Tensor",
     upsample<Kind::kNearest, 2>},
    {"aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearest>},
    {"aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? scales_h=None, "
     "float? scales_w=None) -> Tensor",
     upsample<Kind::kNearest, 3>},
    {"aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearest>},
    {"aten::_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor",
     upsample<Kind::kNearestExact, 1>},
    {"aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearestExact>},
    {"aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
     "scales_w=None) -> Tensor",
     upsample<Kind::kNearestExact, 2>},
    {"aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearestExact>},
    {"aten::_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
     "scales_h=None, float? scales_w=None) -> Tensor",
     upsample<Kind::kNearestExact, 3>},
    {"aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     upsample_vec<Kind::kNearestExact>},
    {"aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? scales=None) -> "
     "Tensor",
     upsample<Kind::kLinear, 1>},
    {"aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kLinear>},
    {"aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None) -> Tensor",
     upsample<Kind::kLinear, 2>},
    {"aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kLinear>},
    {"aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? scales_d=None, "
     "float? scales_h=None, float? scales_w=None) -> Tensor",
     upsample<Kind::kLinear, 3>},
    {"aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kLinear>},
    {"aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None) -> Tensor",
     upsample<Kind::kCubic, 2>},
    {"aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kCubic>},
    {"aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, float? scales_w=None) -> Tensor",
     upsample<Kind::kLinearSmooth, 2>},
    {"aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kLinearSmooth>},
    {"aten::_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None) -> Tensor",
     upsample<Kind::kCubicSmooth, 2>},
    {"aten::_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     upsample_vec<Kind::kCubicSmooth>},
};

}  // namespace

extern const std::span<const AtenRow> aten_resize = kRows;

}  // namespace lanthorn::script
