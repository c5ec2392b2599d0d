// Pictures and boxes: sampling grids, windows as columns, regions of interest.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

Result<std::string> sampling_mode(Lowering& lowering, int64_t mode) {
  switch (mode) {
    case 0: return std::string("linear");
    case 1: return std::string("nearest");
    case 2: return std::string("cubic");
    default: return lowering.error(ErrorCode::kInvalidInput, "the interpolation mode " + std::to_string(mode));
  }
}

Result<std::string> border_mode(Lowering& lowering, int64_t mode) {
  switch (mode) {
    case 0: return std::string("zeros");
    case 1: return std::string("border");
    case 2: return std::string("reflection");
    default: return lowering.error(ErrorCode::kInvalidInput, "the padding mode " + std::to_string(mode));
  }
}

// (input, grid, interpolation_mode, padding_mode, align_corners)
Result<Value> grid_sampler(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t interpolation, lowering.concrete(args.integer(2)));
  LAN_TRY(const int64_t border, lowering.concrete(args.integer(3)));
  LAN_TRY(const std::string mode, sampling_mode(lowering, interpolation));
  LAN_TRY(const std::string padding, border_mode(lowering, border));
  return e.result(e.op("GridSample", {e.read(args.tensor(0)), e.read(args.tensor(1))},
                       {{"mode", mode}, {"padding_mode", padding}, {"align_corners", int64_t{args.flag(4)}}}));
}

// (theta, size, align_corners)
Result<Value> affine_grid(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("AffineGrid", {e.read(args.tensor(0)), e.shape(args.ints(1))},
                       {{"align_corners", int64_t{args.flag(2)}}}));
}

// (self, kernel_size, dilation, padding, stride): one column a window
Result<Value> im2col(Lowering& lowering, const Args& args) {
  constexpr int64_t kMostOffsets = 4096;  // a slice each
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const auto kernel, spatial(lowering, args.ints(1), 2));
  LAN_TRY(const auto dilation, spatial(lowering, args.ints(2), 2));
  LAN_TRY(const auto padding, spatial(lowering, args.ints(3), 2));
  LAN_TRY(const auto stride, spatial(lowering, args.ints(4), 2));
  const size_t rank = x->dims.size();
  if ((rank != 3 && rank != 4) || kernel[0] < 1 || kernel[1] < 1 || kernel[0] > kMostOffsets / kernel[1]) {
    return lowering.error(ErrorCode::kUnsupported, "im2col of a tensor of rank " + std::to_string(rank) +
                                                       " with a window of " + shape_text(kernel));
  }
  ValueId image = e.read(x);
  if (rank == 3) image = e.unsqueeze(image, {0});
  image = e.op("Pad", {image, e.ints({0, 0, padding[0], padding[1], 0, 0, padding[0], padding[1]})});
  const Dims dims = e.dims(image);
  if (e.failed()) return e.error();
  Dim sizes[2];
  for (size_t i = 0; i < 2; ++i) {
    sizes[i] = floor_div(dims[i + 2] - Dim(dilation[i] * (kernel[i] - 1) + 1), stride[i]) + 1;
  }
  std::vector<ValueId> offsets;
  for (int64_t i = 0; i < kernel[0]; ++i) {
    for (int64_t j = 0; j < kernel[1]; ++j) {
      const Dim top(i * dilation[0]), left(j * dilation[1]);
      const ValueId rows = e.slice(image, 2, top, top + (sizes[0] - 1) * Dim(stride[0]) + 1, stride[0]);
      const ValueId part = e.slice(rows, 3, left, left + (sizes[1] - 1) * Dim(stride[1]) + 1, stride[1]);
      offsets.push_back(e.unsqueeze(part, {2}));
    }
  }
  Dims columns = {dims[0], dims[1] * Dim(kernel[0] * kernel[1]), sizes[0] * sizes[1]};
  if (rank == 3) columns.erase(columns.begin());
  return e.result(e.reshape(e.concat(std::move(offsets), 2), columns));
}

// (self, output_size, kernel_size, dilation, padding, stride): the columns added up
Result<Value> col2im(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const auto kernel, spatial(lowering, args.ints(2), 2));
  LAN_TRY(const auto dilation, spatial(lowering, args.ints(3), 2));
  LAN_TRY(const auto padding, spatial(lowering, args.ints(4), 2));
  LAN_TRY(const auto stride, spatial(lowering, args.ints(5), 2));
  ValueId columns = e.read(x);
  if (x->dims.size() == 2) columns = e.unsqueeze(columns, {0});
  const std::vector<int64_t> pads = {padding[0], padding[1], padding[0], padding[1]};
  const ValueId image = e.op("Col2Im", {columns, e.shape(args.ints(1)), e.ints(kernel)},
                             {{"dilations", dilation}, {"pads", pads}, {"strides", stride}});
  return e.result(x->dims.size() == 2 ? e.squeeze(image, {0}) : image);
}

// (self, dimension, size, step): windows along a dimension, in a new last one
Result<Value> unfold(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  LAN_TRY(const int64_t size, lowering.concrete(args.integer(2)));
  LAN_TRY(const int64_t step, lowering.concrete(args.integer(3)));
  if (x->dims.empty()) return e.result(e.unsqueeze(e.read(x), {0}));
  LAN_TRY(const int64_t length, lowering.concrete(x->dims[static_cast<size_t>(axis)]));
  if (size < 0 || size > length || step < 1) {
    return lowering.error(ErrorCode::kInvalidInput, "windows of " + std::to_string(size) + " in a dimension of " +
                                                        std::to_string(length));
  }
  const int64_t count = (length - size) / step + 1;
  if (size > 0 && count > (int64_t{1} << 24) / size) {
    return lowering.error(ErrorCode::kLimit, "unfold into " + std::to_string(count) + " windows");
  }
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < size; ++j) positions.push_back(i * step + j);
  }
  const ValueId windows = e.constant(Tensor::of_ints(positions).reshaped({count, size}));
  const ValueId made = e.op("Gather", {e.read(x), windows}, {{"axis", axis}});
  auto order = all_axes(x->dims.size() + 1);
  order.erase(order.begin() + axis + 1);
  order.push_back(axis + 1);
  if (std::is_sorted(order.begin(), order.end())) return e.result(made);
  return e.result(e.transpose(made, std::move(order)));
}

// (dets, scores, iou_threshold): which boxes stay, best first
Result<Value> nms(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  // A box whose second corner lies before its first overlaps nothing; the operator would swap them.
  const ValueId given = e.read(args.tensor(0), DType::kF32);
  const ValueId first = e.slice(given, 1, Dim(0), Dim(2));
  const ValueId second = e.op("Max", {first, e.slice(given, 1, Dim(2), Dim(4))});
  const ValueId boxes = e.unsqueeze(e.concat({first, second}, 1), {0});
  const ValueId scores = e.unsqueeze(e.read(args.tensor(1), DType::kF32), {0, 1});
  const std::vector<float> threshold = {static_cast<float>(args.real(2))};
  const ValueId chosen = e.op("NonMaxSuppression", {boxes, scores, e.shape({args.tensor(0)->dims.at(0)}),
                                                    e.constant(Tensor::of_floats(threshold))});
  return e.result(e.select(chosen, 1, 2));
}

// (input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned)
Result<Value> roi_align(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t height, lowering.concrete(args.integer(3)));
  LAN_TRY(const int64_t width, lowering.concrete(args.integer(4)));
  LAN_TRY(const int64_t ratio, lowering.concrete(args.integer(5)));
  const ValueId rois = e.read(args.tensor(1));
  const ValueId batch = e.cast(e.select(rois, 1, 0), DType::kI64);
  const std::string mode = args.flag(6) ? "half_pixel" : "output_half_pixel";
  return e.result(e.op("RoiAlign", {e.read(args.tensor(0)), e.slice(rois, 1, 1, 5), batch},
                       {{"coordinate_transformation_mode", mode},
                        {"output_height", height},
                        {"output_width", width},
                        {"sampling_ratio", std::max<int64_t>(ratio, 0)},
                        {"spatial_scale", static_cast<float>(args.real(2))}}));
}

constexpr AtenRow kRows[] = {
    {"aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) "
     "-> Tensor",
     grid_sampler},
    {"aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> Tensor",
     grid_sampler},
    {"aten::grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> Tensor",
     grid_sampler},
    {"aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", affine_grid},
    {"aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor",
     im2col},
    {"aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
     "int[2] stride) -> Tensor",
     col2im},
    {"aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)", unfold},
    {"torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor", nms},
    {"torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt "
     "pooled_width, int sampling_ratio, bool aligned) -> Tensor",
     roi_align},
};

}  // namespace

extern const std::span<const AtenRow> aten_geometry = kRows;

}  // namespace lanthorn::script
