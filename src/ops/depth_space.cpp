// Blocks of pixels to channels and back: https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
// OPS: depth_to_space space_to_depth
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Result<int64_t> block_size(const InferContext& context) {
  LAN_OK(require_rank(context, 0, 4, 4));
  const int64_t block = context.attributes().integer("blocksize", 0);
  if (block <= 0 || block > INT32_MAX)
    return refused("attribute 'blocksize' is " + std::to_string(block));
  const std::string_view mode = context.attributes().text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return refused("there is no mode \"" + std::string(mode) + "\"");
  return block;
}

Status require_multiple(const Dim& dim, int64_t of) {
  const Dim rest = mod(dim, of);
  if (!rest.is_known() || rest.is(0)) return ok();
  return refused("a dimension of " + dim.text() + " is not a multiple of " + std::to_string(of));
}

Status infer_to_space(InferContext& context) {
  LAN_TRY(const int64_t block, block_size(context));
  const Dims& dims = context.dims(0);
  LAN_OK(require_multiple(dims[1], block * block));
  context.set_output(
      0, context.dtype(0),
      Dims{dims[0], floor_div(dims[1], block * block), dims[2] * block, dims[3] * block});
  return ok();
}

Status infer_to_depth(InferContext& context) {
  LAN_TRY(const int64_t block, block_size(context));
  const Dims& dims = context.dims(0);
  LAN_OK(require_multiple(dims[2], block));
  LAN_OK(require_multiple(dims[3], block));
  context.set_output(0, context.dtype(0),
                     Dims{dims[0], dims[1] * (block * block), floor_div(dims[2], block),
                          floor_div(dims[3], block)});
  return ok();
}

// The deep side is [n, channel, row, column] with the block's place inside of channel, the wide
// side has it inside of row and column; both are walked as [n, c, y, block y, x, block x].
template <bool to_space>
Status reference(const RunContext& context) {
  const int64_t block = context.attributes().integer("blocksize", 0);
  const bool depth_first = context.attributes().text("mode", "DCR") == "DCR";
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const std::span<const int64_t> deep = to_space ? from.shape : to.shape;
  const int64_t channels = deep[1] / (block * block), height = deep[2], width = deep[3];
  const int64_t area = height * width;
  const Shape shape{deep[0], channels, height, block, width, block};
  const int64_t channel = depth_first ? area : block * block * area;
  const int64_t block_row = depth_first ? block * channels * area : block * area;
  const int64_t block_column = depth_first ? channels * area : area;
  const Shape deep_strides{deep[1] * area, channel, width, block_row, 1, block_column};
  const int64_t row = width * block;
  const Shape wide_strides{
      channels * height * block * row, height * block * row, block * row, row, block, 1};
  copy_strided(from.dtype, shape, from.data, to_space ? deep_strides : wide_strides, to.data,
               to_space ? wide_strides : deep_strides);
  return ok();
}

}  // namespace

extern constinit const OpDef op_depth_to_space = {.name = "DepthToSpace",
                                                  .since = 28,
                                                  .inputs = {{"input"}},
                                                  .outputs = {{"output"}},
                                                  .infer = infer_to_space,
                                                  .reference = reference<true>};
extern constinit const OpDef op_space_to_depth = {.name = "SpaceToDepth",
                                                  .since = 28,
                                                  .inputs = {{"input"}},
                                                  .outputs = {{"output"}},
                                                  .infer = infer_to_depth,
                                                  .reference = reference<false>};

}  // namespace lanthorn
