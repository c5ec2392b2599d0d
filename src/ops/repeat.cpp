// Repetition of elements: https://onnx.ai/onnx/operators/onnx__Expand.html and onnx__Tile.html
// OPS: expand tile
#include <algorithm>

#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// Output 0 of a rank that only the length of an input of sizes tells.
Status set_unknown(InferContext& context, const Dim& length, bool broadcasts) {
  if (!length.is_known() || length.value() > 64) {
    context.set_output(0, ValueType::unranked(context.dtype(0)));
    return ok();
  }
  const auto rank = static_cast<size_t>(length.value());
  context.set_output(0, context.dtype(0),
                     unknown_dims(broadcasts ? std::max(rank, context.dims(0).size()) : rank));
  return ok();
}

// One known element, or the elements of a vector, repeated.
void repeat_elements(InferContext& context) {
  const std::optional<Dims> elements = context.elements(0);
  const std::optional<int64_t> count = product(context.outputs[0].dims).known();
  if (!elements || elements->empty() || !count || *count < 0 ||
      *count > static_cast<int64_t>(InferContext::kMaxElements))
    return;
  if (elements->size() > 1 && context.outputs[0].dims.size() > 1) return;
  Dims all;
  for (int64_t i = 0; i < *count; ++i)
    all.push_back((*elements)[static_cast<size_t>(i) % elements->size()]);
  context.set_elements(0, std::move(all));
}

Status infer_expand(InferContext& context) {
  LAN_OK(require_rank(context, 1, 1, 1));
  const std::optional<Dims> wanted = context.elements(1);
  if (!wanted) return set_unknown(context, context.dims(1)[0], true);
  LAN_TRY(Dims dims, broadcast_dims(context.dims(0), *wanted));
  for (const Dim& dim : dims) {
    if (dim.is_known() && dim.value() < 0)
      return refused("the shape " + dims_text(*wanted) + " has a negative dimension");
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  repeat_elements(context);
  return ok();
}

Status run_expand(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  copy_strided(from.dtype, to.shape, from.data, broadcast_strides(from.shape, to.rank()), to.data,
               contiguous_strides(to.shape));
  return ok();
}

Status infer_tile(InferContext& context) {
  LAN_OK(require_rank(context, 1, 1, 1));
  const std::optional<Dims> repeats = context.elements(1);
  if (!repeats) {
    context.set_output(0, context.dtype(0), unknown_dims(context.dims(0).size()));
    return ok();
  }
  if (repeats->size() != context.dims(0).size()) {
    return refused(std::to_string(repeats->size()) + " repeats for the shape " +
                   dims_text(context.dims(0)));
  }
  Dims dims = context.dims(0);
  for (size_t i = 0; i < dims.size(); ++i) {
    if ((*repeats)[i].is_known() && (*repeats)[i].value() < 0)
      return refused("the repeats " + dims_text(*repeats) + " are negative");
    dims[i] = dims[i] * (*repeats)[i];
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  repeat_elements(context);
  return ok();
}

// Each dimension seen as [repeats, size], of which the input walks only the second.
Status run_tile(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const Shape from_strides = contiguous_strides(from.shape),
              to_strides = contiguous_strides(to.shape);
  Shape shape, from_walk, to_walk;
  for (size_t i = 0; i < from.rank(); ++i) {
    const int64_t size = from.shape[i];
    shape.insert(shape.end(), {size > 0 ? to.shape[i] / size : 0, size});
    from_walk.insert(from_walk.end(), {0, from_strides[i]});
    to_walk.insert(to_walk.end(), {to_strides[i] * size, to_strides[i]});
  }
  copy_strided(from.dtype, shape, from.data, from_walk, to.data, to_walk);
  return ok();
}

}  // namespace

extern constinit const OpDef op_expand = {.name = "Expand",
                                          .since = 13,
                                          .inputs = {{"input"}, {"shape", kI64Type}},
                                          .outputs = {{"output"}},
                                          .infer = infer_expand,
                                          .reference = run_expand};
extern constinit const OpDef op_tile = {.name = "Tile",
                                        .since = 13,
                                        .inputs = {{"input"}, {"repeats", kI64Type}},
                                        .outputs = {{"output"}},
                                        .infer = infer_tile,
                                        .reference = run_tile};

}  // namespace lanthorn
