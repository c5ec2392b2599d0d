// torchvision's pooling of regions and its deformable convolution; the way back from a max pool.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

// (input, weight, offset, mask, bias, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups,
//  offset_groups, use_mask)
Result<Value> deform_conv(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  std::vector<int64_t> numbers;
  for (size_t i = 5; i < 13; ++i) {
    LAN_TRY(const int64_t number, lowering.concrete(args.integer(i)));
    numbers.push_back(number);
  }
  const Dims& kernel = args.tensor(1)->dims;
  if (kernel.size() != 4) return lowering.error(ErrorCode::kInvalidInput, "deform_conv2d wants weights of four dimensions");
  LAN_TRY(const int64_t height, lowering.concrete(kernel[2]));
  LAN_TRY(const int64_t width, lowering.concrete(kernel[3]));
  const DType dtype = args.tensor(0)->dtype;
  std::vector<ValueId> inputs = {e.read(args.tensor(0)), e.read(args.tensor(1)), e.read(args.tensor(2), dtype),
                                 e.read(args.tensor(4), dtype)};
  if (args.flag(13)) inputs.push_back(e.read(args.tensor(3), dtype));
  return e.result(e.op("DeformConv", std::move(inputs),
                       {{"kernel_shape", std::vector<int64_t>{height, width}},
                        {"strides", std::vector<int64_t>{numbers[0], numbers[1]}},
                        {"pads", std::vector<int64_t>{numbers[2], numbers[3], numbers[2], numbers[3]}},
                        {"dilations", std::vector<int64_t>{numbers[4], numbers[5]}},
                        {"group", numbers[6]},
                        {"offset_group", numbers[7]}}));
}

// (input, rois, spatial_scale, pooled_height, pooled_width): the places of the maxima are not given
Result<Value> roi_pool(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t height, lowering.concrete(args.integer(3)));
  LAN_TRY(const int64_t width, lowering.concrete(args.integer(4)));
  const ValueId made = e.op("MaxRoiPool", {e.read(args.tensor(0)), e.read(args.tensor(1))},
                            {{"pooled_shape", std::vector<int64_t>{height, width}},
                             {"spatial_scale", static_cast<float>(args.real(2))}});
  if (e.failed()) return e.error();
  return make_tuple({Value(lowering.tensor(made)), Value(None{})});
}

// (input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio): each cell has channels of its own
Result<Value> position_sensitive(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t height, lowering.concrete(args.integer(3)));
  LAN_TRY(const int64_t width, lowering.concrete(args.integer(4)));
  LAN_TRY(const int64_t ratio, lowering.concrete(args.integer(5)));
  LAN_TRY(const int64_t channels, lowering.concrete(args.tensor(0)->dims.at(1)));
  if (height < 1 || width < 1 || height > 1024 || width > 1024 || channels % (height * width) != 0) {
    return lowering.error(ErrorCode::kInvalidInput, "the channels are no multiple of the cells");
  }
  const ValueId rois = e.read(args.tensor(1));
  const ValueId batch = e.cast(e.select(rois, 1, 0), DType::kI64);
  const ValueId pooled = e.op("RoiAlign", {e.read(args.tensor(0)), e.slice(rois, 1, 1, 5), batch},
                              {{"coordinate_transformation_mode", std::string("half_pixel")},
                               {"output_height", height},
                               {"output_width", width},
                               {"sampling_ratio", std::max<int64_t>(ratio, 0)},
                               {"spatial_scale", static_cast<float>(args.real(2))}});
  const int64_t cells = height * width;
  std::vector<int64_t> own;
  for (int64_t i = 0; i < cells; ++i) own.push_back(i * cells + i);
  const Dim count = args.tensor(1)->dims.at(0), made(channels / cells);
  const ValueId flat = e.reshape(pooled, {count, made, Dim(cells * cells)});
  const ValueId picked = e.op("Gather", {flat, e.ints(std::move(own))}, {{"axis", int64_t{2}}});
  const ValueId result = e.reshape(picked, {count, made, Dim(height), Dim(width)});
  if (e.failed()) return e.error();
  return make_tuple({Value(lowering.tensor(result)), Value(None{})});
}

/// Values put back to the places that a max pool took them from, counted in each plane.
Result<Value> unpooled(Lowering& lowering, const Args& args, size_t spatial) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const Dims size = args.ints(2);
  if (x->dims.size() < spatial || size.size() != spatial) {
    return lowering.error(ErrorCode::kInvalidInput, "the size of an unpooled plane does not fit");
  }
  Dims planes(x->dims.begin(), x->dims.end() - static_cast<std::ptrdiff_t>(spatial));
  const Dim count = product(planes);
  const Dim held = product(std::span(x->dims).last(spatial));
  const ValueId values = e.reshape(e.read(x), {count, held});
  const ValueId places = e.reshape(e.read(args.tensor(1), DType::kI64), {count, held});
  const ValueId zeros = e.expand(e.number(0, x->dtype), {count, product(size)});
  const ValueId made = e.op("ScatterElements", {zeros, places, values}, {{"axis", int64_t{1}}});
  planes.insert(planes.end(), size.begin(), size.end());
  return e.result(e.reshape(made, planes));
}

Result<Value> max_unpool2d(Lowering& lowering, const Args& args) { return unpooled(lowering, args, 2); }
Result<Value> max_unpool3d(Lowering& lowering, const Args& args) { return unpooled(lowering, args, 3); }

constexpr AtenRow kRows[] = {
    {"torchvision::deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
     "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, SymInt "
     "offset_groups, bool use_mask) -> Tensor",
     deform_conv},
    {"torchvision::roi_pool(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width) "
     "-> (Tensor, Tensor)",
     roi_pool},
    {"torchvision::ps_roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt "
     "pooled_width, int sampling_ratio) -> (Tensor, Tensor)",
     position_sensitive},
    {"aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor", max_unpool2d},
    {"aten::max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> Tensor",
     max_unpool3d},
};

}  // namespace

extern const std::span<const AtenRow> aten_regions = kRows;

}  // namespace lanthorn::script
