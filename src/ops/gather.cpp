// Elements picked by indices: https://onnx.ai/onnx/operators/onnx__Gather.html and its kin
// OPS: gather gather_elements gather_nd
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/indices.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

void gather_known_elements(InferContext& context) {
  const std::optional<Dims> elements = context.elements(0);
  const std::optional<std::vector<int64_t>> indices = known_ints(context, 1);
  if (!elements || !indices || context.rank(0) != 1) return;
  const auto size = static_cast<int64_t>(elements->size());
  Dims picked;
  for (const int64_t index : *indices) {
    if (index < -size || index >= size || picked.size() > InferContext::kMaxElements) return;
    picked.push_back((*elements)[static_cast<size_t>(index < 0 ? index + size : index)]);
  }
  context.set_elements(0, std::move(picked));
}

Status infer_gather(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  const Dims &data = context.dims(0), &indices = context.dims(1);
  Dims dims(data.begin(), data.begin() + axis);
  dims.insert(dims.end(), indices.begin(), indices.end());
  dims.insert(dims.end(), data.begin() + axis + 1, data.end());
  context.set_output(0, context.dtype(0), std::move(dims));
  gather_known_elements(context);
  return ok();
}

Status run_gather(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), static_cast<int64_t>(from.rank())));
  const AxisView view = view_axis(from.shape, axis);
  const std::vector<int64_t> indices = wide_copy<int64_t>(context.input(1));
  LAN_OK(check_indices(indices, view.size));
  int64_t at = 0;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (const int64_t index : indices) {
      const int64_t row = outer * view.size + (index < 0 ? index + view.size : index);
      copy_elements(from.dtype, element_at(from.dtype, from.data, row * view.inner),
                    element_at(to.dtype, to.data, at), static_cast<size_t>(view.inner));
      at += view.inner;
    }
  }
  return ok();
}

Status infer_gather_elements(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_OK(require_rank(context, 1, context.rank(0), context.rank(0)));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  for (int64_t i = 0; i < context.rank(0); ++i) {
    const Dim &size = context.dims(0)[static_cast<size_t>(i)],
              &picked = context.dims(1)[static_cast<size_t>(i)];
    if (i != axis && size.is_known() && picked.is_known() && picked.value() > size.value()) {
      return refused("indices of shape " + dims_text(context.dims(1)) + " reach beyond " +
                     dims_text(context.dims(0)));
    }
  }
  context.set_output(0, context.dtype(0), context.dims(1));
  gather_known_elements(context);
  return ok();
}

Status run_gather_elements(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), static_cast<int64_t>(from.rank())));
  const auto along = static_cast<size_t>(axis);
  const std::vector<int64_t> indices = wide_copy<int64_t>(context.input(1));
  LAN_OK(check_indices(indices, from.shape[along]));
  const Shape strides = contiguous_strides(from.shape);
  std::vector<int64_t> index(to.rank(), 0);
  for (size_t i = 0; i < indices.size(); ++i) {
    int64_t at = 0;
    for (size_t d = 0; d < index.size(); ++d) {
      const int64_t picked = indices[i] < 0 ? indices[i] + from.shape[along] : indices[i];
      at += (d == along ? picked : index[d]) * strides[d];
    }
    copy_elements(from.dtype, element_at(from.dtype, from.data, at),
                  element_at(to.dtype, to.data, static_cast<int64_t>(i)), 1);
    next_index(to.shape, index);
  }
  return ok();
}

Status infer_gather_nd(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_OK(require_rank(context, 1, 1));
  const int64_t batch = context.attributes().integer("batch_dims", 0);
  if (batch < 0 || batch >= std::min(context.rank(0), context.rank(1))) {
    return refused("attribute 'batch_dims' is " + std::to_string(batch));
  }
  const Dims &data = context.dims(0), &indices = context.dims(1);
  const std::optional<int64_t> depth = indices.back().known();
  if (!depth) {
    context.set_output(0, ValueType::unranked(context.dtype(0)));
    return ok();
  }
  if (*depth < 0 || batch + *depth > context.rank(0)) {
    return refused("indices of " + std::to_string(*depth) + " numbers for the shape " +
                   dims_text(data));
  }
  Dims dims(indices.begin(), indices.end() - 1);
  dims.insert(dims.end(), data.begin() + batch + *depth, data.end());
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status run_gather_nd(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const auto batch = static_cast<size_t>(context.attributes().integer("batch_dims", 0));
  LAN_TRY(const NdIndices places, nd_indices(context.input(1), from.shape, batch));
  for (size_t i = 0; i < places.starts.size(); ++i) {
    copy_elements(from.dtype, element_at(from.dtype, from.data, places.starts[i]),
                  element_at(to.dtype, to.data, static_cast<int64_t>(i) * places.length),
                  static_cast<size_t>(places.length));
  }
  return ok();
}

constexpr uint64_t kIndexTypes = type_bit(DType::kI32) | type_bit(DType::kI64);

}  // namespace

extern constinit const OpDef op_gather = {.name = "Gather",
                                          .since = 13,
                                          .inputs = {{"data"}, {"indices", kIndexTypes}},
                                          .outputs = {{"output"}},
                                          .infer = infer_gather,
                                          .reference = run_gather};
extern constinit const OpDef op_gather_elements = {.name = "GatherElements",
                                                   .since = 13,
                                                   .inputs = {{"data"}, {"indices", kIndexTypes}},
                                                   .outputs = {{"output"}},
                                                   .infer = infer_gather_elements,
                                                   .reference = run_gather_elements};
extern constinit const OpDef op_gather_nd = {.name = "GatherND",
                                             .since = 13,
                                             .inputs = {{"data"}, {"indices", kI64Type}},
                                             .outputs = {{"output"}},
                                             .infer = infer_gather_nd,
                                             .reference = run_gather_nd};

}  // namespace lanthorn
