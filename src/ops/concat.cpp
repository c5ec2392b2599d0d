// Joining and cutting along an axis: https://onnx.ai/onnx/operators/onnx__Concat.html and
// onnx__Split.html
// OPS: concat split
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer_concat(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  const auto along = static_cast<size_t>(axis);
  Dims dims = context.dims(0);
  std::optional<Dims> all = context.elements(0);
  for (size_t i = 1; i < context.input_count(); ++i) {
    LAN_OK(require_rank(context, i, context.rank(0), context.rank(0)));
    for (size_t d = 0; d < dims.size(); ++d) {
      const Dim& dim = context.dims(i)[d];
      if (d == along) {
        dims[d] = dims[d] + dim;
      } else if (!dims[d].is_known()) {
        dims[d] = dim;
      } else if (dim.is_known() && !(dim == dims[d])) {
        return refused("shapes " + dims_text(context.dims(0)) + " and " +
                       dims_text(context.dims(i)) + " do not join along axis " +
                       std::to_string(axis));
      }
    }
    const std::optional<Dims> elements = context.elements(i);
    if (!elements) all.reset();
    if (all) all->insert(all->end(), elements->begin(), elements->end());
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  if (all && context.rank(0) == 1) context.set_elements(0, *std::move(all));
  return ok();
}

Status run_concat(const RunContext& context) {
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), static_cast<int64_t>(to.rank())));
  const Shape to_strides = contiguous_strides(to.shape);
  int64_t at = 0;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const TensorView& from = context.input(i);
    copy_strided(from.dtype, from.shape, from.data, contiguous_strides(from.shape),
                 element_at(to.dtype, to.data, at * to_strides[static_cast<size_t>(axis)]),
                 to_strides);
    at += from.shape[static_cast<size_t>(axis)];
  }
  return ok();
}

// The sizes of the parts: told, or as equal as possible with a smaller last one.
Result<Dims> part_sizes(const InferContext& context, const Dim& size) {
  const size_t parts = context.output_count();
  if (context.has_input(1)) {
    const std::optional<Dims> told = context.elements(1);
    if (!told) return unknown_dims(parts);
    if (told->size() != parts) {
      return refused(std::to_string(told->size()) + " sizes for " + std::to_string(parts) +
                     " outputs");
    }
    Dim sum = 0;
    for (const Dim& part : *told) {
      if (part.is_known() && part.value() < 0) return refused("a part has the size " + part.text());
      sum = sum + part;
    }
    if (sum.is_known() && size.is_known() && !(sum == size)) {
      return refused("the parts " + dims_text(*told) + " do not add up to " + size.text());
    }
    return *told;
  }
  const auto count = static_cast<int64_t>(parts);
  if (context.attributes().integer("num_outputs", count) != count) {
    return refused("attribute 'num_outputs' is not the number of outputs, " +
                   std::to_string(count));
  }
  const Dim part = ceil_div(size, count);
  Dims sizes(parts, part);
  sizes.back() = max(size - part * (count - 1), 0);
  if (sizes.back().is_known() && sizes.back().value() == 0 && !size.is(0) && part.is_known() &&
      size.value() < part.value() * (count - 1)) {
    return refused("a dimension of " + size.text() + " cannot be split into " +
                   std::to_string(parts));
  }
  return sizes;
}

Status infer_split(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  LAN_TRY(const Dims sizes, part_sizes(context, context.dims(0)[static_cast<size_t>(axis)]));
  const std::optional<Dims> elements = context.rank(0) == 1 ? context.elements(0) : std::nullopt;
  size_t at = 0;
  bool places_known = elements.has_value();
  for (size_t i = 0; i < sizes.size(); ++i) {
    Dims dims = context.dims(0);
    dims[static_cast<size_t>(axis)] = sizes[i];
    context.set_output(i, context.dtype(0), std::move(dims));
    places_known = places_known && sizes[i].is_known() &&
                   at + static_cast<size_t>(sizes[i].value()) <= elements->size();
    if (!places_known) continue;
    const auto first = elements->begin() + static_cast<int64_t>(at);
    context.set_elements(i, Dims(first, first + sizes[i].value()));
    at += static_cast<size_t>(sizes[i].value());
  }
  return ok();
}

Status run_split(const RunContext& context) {
  const TensorView& from = context.input(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), static_cast<int64_t>(from.rank())));
  const auto along = static_cast<size_t>(axis);
  const Shape from_strides = contiguous_strides(from.shape);
  const std::vector<int64_t> told =
      context.has_input(1) ? wide_copy<int64_t>(context.input(1)) : std::vector<int64_t>{};
  const int64_t even = (from.shape[along] + static_cast<int64_t>(context.output_count()) - 1) /
                       static_cast<int64_t>(context.output_count());
  int64_t at = 0;
  for (size_t i = 0; i < context.output_count(); ++i) {
    const MutableTensorView& to = context.output(i);
    if (to.present() && to.count() > 0) {
      copy_strided(to.dtype, to.shape, element_at(from.dtype, from.data, at * from_strides[along]),
                   from_strides, to.data, contiguous_strides(to.shape));
    }
    at += told.empty() ? even : told[i];
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_concat = {.name = "Concat",
                                          .since = 13,
                                          .inputs = {{"inputs", kAnyType, false, true}},
                                          .outputs = {{"concat_result"}},
                                          .infer = infer_concat,
                                          .reference = run_concat};
extern constinit const OpDef op_split = {.name = "Split",
                                         .since = 18,
                                         .inputs = {{"input"}, {"split", kI64Type, true}},
                                         .outputs = {{"outputs", kAnyType, false, true}},
                                         .infer = infer_split,
                                         .reference = run_split};

}  // namespace lanthorn
