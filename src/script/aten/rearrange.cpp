// Padding and moving elements around.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

/// PyTorch lists (before, after) from the last dimension on; ONNX all befores, then all afters.
Result<Value> padded(Lowering& lowering, const TensorRef& x, const Dims& pads, const std::string& mode,
                     const Value& fill) {
  const size_t rank = x->dims.size();
  if (pads.size() % 2 != 0 || pads.size() / 2 > rank) {
    return lowering.error(ErrorCode::kInvalidInput, std::to_string(pads.size()) + " pads for a tensor of rank " +
                                                        std::to_string(rank));
  }
  if (std::all_of(pads.begin(), pads.end(), [](const Dim& pad) { return pad.is(0); })) {
    LAN_TRY(TensorRef copy, copied(lowering, x));
    return Value(std::move(copy));
  }
  Dims order(2 * rank, Dim(0));
  for (size_t i = 0; i < pads.size() / 2; ++i) {
    order[rank - 1 - i] = pads[2 * i];
    order[2 * rank - 1 - i] = pads[2 * i + 1];
  }
  Emitter e(lowering);
  std::vector<ValueId> inputs = {e.read(x), e.shape(order)};
  if (mode == "constant" && !fill.is_none()) inputs.push_back(e.operand(fill, x->dtype));
  return e.result(e.op("Pad", std::move(inputs), {{"mode", mode}}));
}

Result<std::string> mode_of(Lowering& lowering, const std::string& mode) {
  if (mode == "constant" || mode == "reflect") return mode;
  if (mode == "replicate") return std::string("edge");
  if (mode == "circular") return std::string("wrap");
  return lowering.error(ErrorCode::kInvalidInput, "the padding mode \"" + mode + "\"");
}

// (self, pad, mode, value)
Result<Value> pad(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::string mode, mode_of(lowering, args.text(2)));
  return padded(lowering, args.tensor(0), args.ints(1), mode, args[3]);
}

// (self, pad, value)
Result<Value> constant_pad(Lowering& lowering, const Args& args) {
  return padded(lowering, args.tensor(0), args.ints(1), "constant", args[2]);
}

constexpr char kReflect[] = "reflect", kEdge[] = "edge", kWrap[] = "wrap";

template <const char* kMode>
Result<Value> pad_by(Lowering& lowering, const Args& args) {
  return padded(lowering, args.tensor(0), args.ints(1), kMode, Value(None{}));
}

ValueId rolled(Emitter& e, ValueId x, int64_t axis, const Dim& size, const Dim& shift) {
  const Dim start = mod(Dim(0) - shift, size);
  if (start.is(0)) return x;
  return e.concat({e.slice(x, axis, start, INT64_MAX), e.slice(x, axis, 0, start)}, axis);
}

// (self, shifts, dims); without dims over the flattened tensor
Result<Value> roll(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const Dims shifts = args.ints(1);
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(2), x->dims.size()));
  ValueId value = e.read(x);
  if (axes.empty()) {
    if (shifts.size() != 1) return lowering.error(ErrorCode::kInvalidInput, "roll by several shifts without dims");
    const Dim count = product(x->dims);
    return e.result(e.reshape(rolled(e, e.reshape(value, {count}), 0, count, shifts[0]), x->dims));
  }
  if (shifts.size() != axes.size()) return lowering.error(ErrorCode::kInvalidInput, "roll: shifts and dims differ in number");
  for (size_t i = 0; i < axes.size(); ++i) {
    value = rolled(e, value, axes[i], x->dims[static_cast<size_t>(axes[i])], shifts[i]);
  }
  if (e.failed()) return e.error();
  // The sum of the parts is the whole, which a shape rule cannot always see.
  LAN_TRY(TensorRef result, reshape_view(lowering, lowering.tensor(value), x->dims));
  return Value(std::move(result));
}

ValueId flipped(Emitter& e, ValueId x, const std::vector<int64_t>& axes) {
  if (axes.empty()) return e.op("Identity", {x});
  const size_t count = axes.size();
  return e.op("Slice", {x, e.ints(std::vector<int64_t>(count, -1)), e.ints(std::vector<int64_t>(count, INT64_MIN)),
                        e.ints(axes), e.ints(std::vector<int64_t>(count, -1))});
}

Result<Value> flip(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(1), args.tensor(0)->dims.size()));
  return e.result(flipped(e, e.read(args.tensor(0)), axes));
}

template <int64_t kAxis>
Result<Value> flip_axis(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t axis, axis_of(lowering, Dim(kAxis), args.tensor(0)->dims.size()));
  return e.result(flipped(e, e.read(args.tensor(0)), {axis}));
}

// (self, k, dims)
Result<Value> rot90(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t k, lowering.concrete(args.integer(1)));
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(2), x->dims.size()));
  if (axes.size() != 2) return lowering.error(ErrorCode::kInvalidInput, "rot90 over other than two dimensions");
  auto swap = all_axes(x->dims.size());
  std::swap(swap[static_cast<size_t>(axes[0])], swap[static_cast<size_t>(axes[1])]);
  const ValueId value = e.read(x);
  switch (((k % 4) + 4) % 4) {
    case 1: return e.result(e.transpose(flipped(e, value, {axes[1]}), swap));
    case 2: return e.result(flipped(e, value, axes));
    case 3: return e.result(e.transpose(flipped(e, value, {axes[0]}), swap));
    default: return e.result(e.op("Identity", {value}));
  }
}

/// Leading dimensions folded to one, so that the last three are an image.
ValueId as_image(Emitter& e, const TensorRef& x) {
  const ValueId value = e.read(x);
  if (x->dims.size() == 4) return value;
  const size_t lead = x->dims.size() - 3;
  Dims dims = {product(std::span(x->dims).first(lead))};
  dims.insert(dims.end(), x->dims.end() - 3, x->dims.end());
  return e.reshape(value, dims);
}

Result<Value> from_image(Emitter& e, const TensorRef& x, ValueId y) {
  if (x->dims.size() == 4) return e.result(y);
  Dims dims(x->dims.begin(), x->dims.end() - 3);
  const Dims image = e.dims(y);
  if (e.failed()) return e.error();
  dims.insert(dims.end(), image.begin() + 1, image.end());
  return e.result(e.reshape(y, dims));
}

// (self, upscale_factor)
Result<Value> pixel_shuffle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t factor, lowering.concrete(args.integer(1)));
  if (x->dims.size() < 3) return lowering.error(ErrorCode::kInvalidInput, "pixel_shuffle of fewer than 3 dimensions");
  return from_image(e, x, e.op("DepthToSpace", {as_image(e, x)}, {{"blocksize", factor}, {"mode", std::string("CRD")}}));
}

// (self, downscale_factor): SpaceToDepth would put the block first, PyTorch the channel.
Result<Value> pixel_unshuffle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const Dim factor = args.integer(1);
  if (x->dims.size() < 3) return lowering.error(ErrorCode::kInvalidInput, "pixel_unshuffle of fewer than 3 dimensions");
  const ValueId image = as_image(e, x);
  const Dims dims = e.dims(image);
  if (e.failed()) return e.error();
  const Dim height = floor_div(dims[2], factor), width = floor_div(dims[3], factor);
  const ValueId blocks = e.reshape(image, {dims[0], dims[1], height, factor, width, factor});
  const ValueId turned = e.transpose(blocks, {0, 1, 3, 5, 2, 4});
  return from_image(e, x, e.reshape(turned, {dims[0], dims[1] * factor * factor, height, width}));
}

// (self, groups)
Result<Value> channel_shuffle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (x->dims.size() < 3) return lowering.error(ErrorCode::kInvalidInput, "channel_shuffle of fewer than 3 dimensions");
  const Dim groups = args.integer(1);
  Dims split = {x->dims[0], groups, floor_div(x->dims[1], groups)};
  split.push_back(product(std::span(x->dims).subspan(2)));
  const ValueId grouped = e.reshape(e.read(x), split);
  return e.result(e.reshape(e.transpose(grouped, {0, 2, 1, 3}), x->dims));
}

// (self, diagonal)
template <bool kUpper>
Result<Value> triangle(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId k = e.squeeze(e.shape({args.integer(1)}), {0});
  return e.result(e.op("Trilu", {e.read(x), k}, {{"upper", int64_t{kUpper}}}));
}

constexpr AtenRow kRows[] = {
    {"aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor", pad},
    {"aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", constant_pad},
    {"aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor", pad_by<kReflect>},
    {"aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor", pad_by<kReflect>},
    {"aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor", pad_by<kReflect>},
    {"aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor", pad_by<kEdge>},
    {"aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor", pad_by<kEdge>},
    {"aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor", pad_by<kEdge>},
    {"aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor", pad_by<kWrap>},
    {"aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor", roll},
    {"aten::flip(Tensor self, int[] dims) -> Tensor", flip},
    {"aten::fliplr(Tensor self) -> Tensor", flip_axis<1>},
    {"aten::flipud(Tensor self) -> Tensor", flip_axis<0>},
    {"aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor", rot90},
    {"aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", pixel_shuffle},
    {"aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", pixel_unshuffle},
    {"aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle},
    {"aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle},
    {"aten::tril(Tensor self, SymInt diagonal=0) -> Tensor", triangle<false>},
    {"aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", triangle<true>},
};

}  // namespace

extern const std::span<const AtenRow> aten_rearrange = kRows;

}  // namespace lanthorn::script
