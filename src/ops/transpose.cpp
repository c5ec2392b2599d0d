// Transpose: https://onnx.ai/onnx/operators/onnx__Transpose.html
#include <algorithm>

#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

std::vector<int64_t> permutation(const Attributes& attributes, size_t rank) {
  std::vector<int64_t> reversed(rank);
  for (size_t i = 0; i < rank; ++i) reversed[i] = static_cast<int64_t>(rank - 1 - i);
  return attributes.ints("perm", std::move(reversed));
}

Status infer(InferContext& context) {
  const std::vector<int64_t> order = permutation(context.attributes(), context.dims(0).size());
  LAN_TRY(const std::vector<int64_t> sorted, normal_axes(order, context.rank(0)));
  if (sorted.size() != context.dims(0).size()) {
    return refused("attribute 'perm' has " + std::to_string(order.size()) + " axes for the shape " +
                   dims_text(context.dims(0)));
  }
  Dims dims;
  for (const int64_t axis : order) {
    dims.push_back(context.dims(0)[static_cast<size_t>(axis < 0 ? axis + context.rank(0) : axis)]);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  if (context.rank(0) <= 1) pass_elements(context);
  return ok();
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const auto rank = static_cast<int64_t>(from.rank());
  const Shape strides = contiguous_strides(from.shape);
  Shape walked;
  for (const int64_t axis : permutation(context.attributes(), from.rank())) {
    walked.push_back(strides[static_cast<size_t>(axis < 0 ? axis + rank : axis)]);
  }
  const MutableTensorView& to = context.output(0);
  copy_strided(from.dtype, to.shape, from.data, walked, to.data, contiguous_strides(to.shape));
  return ok();
}

}  // namespace

extern constinit const OpDef op_transpose = {.name = "Transpose",
                                             .since = 25,
                                             .inputs = {{"data"}},
                                             .outputs = {{"transposed"}},
                                             .infer = infer,
                                             .reference = reference};

}  // namespace lanthorn
