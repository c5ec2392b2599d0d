// The same elements under another shape: https://onnx.ai/onnx/operators/onnx__Reshape.html
// OPS: flatten reshape squeeze unsqueeze
#include <algorithm>

#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// What a dimension of -1 stands for. Dimensions that were copied from the input (0) cancel out, so
// an empty batch does not make it ambiguous.
Result<Dim> inferred_dim(const Dims& from, const Dims& wanted, bool zero_copies) {
  Dim total = 1, others = 1;
  for (size_t i = 0; i < std::max(from.size(), wanted.size()); ++i) {
    if (zero_copies && i < wanted.size() && wanted[i].is(0)) continue;
    if (i < from.size()) total = total * from[i];
    if (i < wanted.size() && !wanted[i].is(-1)) others = others * wanted[i];
  }
  if (const std::optional<Dim> exact = exact_div(total, others)) return *exact;
  if (others.is(0) && total.is(0)) return Dim(0);
  if (total.is_known() && others.is_known()) {
    return refused(dims_text(from) + " cannot be reshaped to " + dims_text(wanted));
  }
  return floor_div(total, others);
}

Result<Dims> reshaped(const Dims& from, const Dims& wanted, bool zero_copies) {
  Dims dims = wanted;
  size_t inferred = dims.size();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].is(-1)) {
      if (inferred < dims.size())
        return refused("the shape " + dims_text(wanted) + " has more than one -1");
      inferred = i;
    } else if (dims[i].is_known() && dims[i].value() < 0) {
      return refused("the shape " + dims_text(wanted) + " has a negative dimension");
    } else if (dims[i].is(0) && zero_copies) {
      if (i >= from.size())
        return refused("dimension " + std::to_string(i) + " of " + dims_text(from) +
                       " is not there to be copied");
      dims[i] = from[i];
    }
  }
  if (inferred < dims.size()) {
    LAN_TRY(dims[inferred], inferred_dim(from, wanted, zero_copies));
  }
  const Dim before = product(from), after = product(dims);
  if (before.is_known() && after.is_known() && !(before == after)) {
    return refused(dims_text(from) + " cannot be reshaped to " + dims_text(wanted));
  }
  return dims;
}

Status infer_reshape(InferContext& context) {
  LAN_OK(require_rank(context, 1, 1, 1));
  const std::optional<Dims> wanted = context.elements(1);
  if (!wanted) {
    const Dim rank = context.dims(1)[0];
    if (rank.is_known() && rank.value() <= 64) {
      context.set_output(0, context.dtype(0), unknown_dims(static_cast<size_t>(rank.value())));
    } else {
      context.set_output(0, ValueType::unranked(context.dtype(0)));
    }
    return ok();
  }
  const bool zero_copies = context.attributes().integer("allowzero", 0) == 0;
  LAN_TRY(Dims dims, reshaped(context.dims(0), *wanted, zero_copies));
  context.set_output(0, context.dtype(0), std::move(dims));
  pass_elements(context);
  return ok();
}

Status infer_flatten(InferContext& context) {
  const int64_t rank = context.rank(0);
  int64_t axis = context.attributes().integer("axis", 1);
  if (axis < -rank || axis > rank)
    return refused("axis " + std::to_string(axis) + " is not in " + dims_text(context.dims(0)));
  if (axis < 0) axis += rank;
  const std::span<const Dim> dims = context.dims(0);
  const auto split = static_cast<size_t>(axis);
  context.set_output(0, context.dtype(0),
                     Dims{product(dims.first(split)), product(dims.subspan(split))});
  pass_elements(context);
  return ok();
}

Status infer_squeeze(InferContext& context) {
  std::optional<std::vector<int64_t>> axes;
  if (context.has_input(1)) {
    axes = known_ints(context, 1);
    if (!axes) {
      context.set_output(0, ValueType::unranked(context.dtype(0)));
      return ok();
    }
    LAN_TRY(axes, normal_axes(*axes, context.rank(0)));
  } else if (!all_known(context.dims(0))) {
    // Whether a symbol is 1 decides the rank.
    context.set_output(0, ValueType::unranked(context.dtype(0)));
    return ok();
  }
  Dims dims;
  for (int64_t i = 0; i < context.rank(0); ++i) {
    const Dim& dim = context.dims(0)[static_cast<size_t>(i)];
    const bool goes = axes ? std::binary_search(axes->begin(), axes->end(), i) : dim.is(1);
    if (goes && dim.is_known() && !dim.is(1)) {
      return refused("dimension " + std::to_string(i) + " of " + dims_text(context.dims(0)) +
                     " is not 1");
    }
    if (!goes) dims.push_back(dim);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  pass_elements(context);
  return ok();
}

Status infer_unsqueeze(InferContext& context) {
  const std::optional<std::vector<int64_t>> given = known_ints(context, 1);
  if (!given) {
    context.set_output(0, ValueType::unranked(context.dtype(0)));
    return ok();
  }
  const int64_t rank = context.rank(0) + static_cast<int64_t>(given->size());
  LAN_TRY(const std::vector<int64_t> axes, normal_axes(*given, rank));
  Dims dims;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i) {
    dims.push_back(std::binary_search(axes.begin(), axes.end(), i) ? Dim(1)
                                                                   : context.dims(0)[next++]);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  pass_elements(context);
  return ok();
}

Status reference(const RunContext& context) {
  copy_elements(context.input(0).dtype, context.input(0).data, context.output(0).data,
                static_cast<size_t>(context.input(0).count()));
  return ok();
}

}  // namespace

extern constinit const OpDef op_flatten = {.name = "Flatten",
                                           .since = 25,
                                           .inputs = {{"input"}},
                                           .outputs = {{"output"}},
                                           .infer = infer_flatten,
                                           .reference = reference};
extern constinit const OpDef op_reshape = {.name = "Reshape",
                                           .since = 25,
                                           .inputs = {{"data"}, {"shape", kI64Type}},
                                           .outputs = {{"reshaped"}},
                                           .infer = infer_reshape,
                                           .reference = reference};
extern constinit const OpDef op_squeeze = {.name = "Squeeze",
                                           .since = 25,
                                           .inputs = {{"data"}, {"axes", kI64Type, true}},
                                           .outputs = {{"squeezed"}},
                                           .infer = infer_squeeze,
                                           .reference = reference};
extern constinit const OpDef op_unsqueeze = {.name = "Unsqueeze",
                                             .since = 25,
                                             .inputs = {{"data"}, {"axes", kI64Type}},
                                             .outputs = {{"expanded"}},
                                             .infer = infer_unsqueeze,
                                             .reference = reference};

}  // namespace lanthorn
