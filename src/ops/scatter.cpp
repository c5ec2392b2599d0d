// Elements written by indices: https://onnx.ai/onnx/operators/onnx__ScatterND.html and its kin
// OPS: scatter_elements scatter_nd tensor_scatter
#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "ops/indices.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

enum class Reduction : uint8_t { kNone, kAdd, kMul, kMax, kMin, kUnknown };

Reduction reduction_of(const Attributes& attributes) {
  const std::string_view name = attributes.text("reduction", "none");
  if (name == "none") return Reduction::kNone;
  if (name == "add") return Reduction::kAdd;
  if (name == "mul") return Reduction::kMul;
  if (name == "max") return Reduction::kMax;
  return name == "min" ? Reduction::kMin : Reduction::kUnknown;
}

Status infer_updated(InferContext& context) {
  const Reduction reduction = reduction_of(context.attributes());
  if (reduction == Reduction::kUnknown) return refused("there is no reduction of that name");
  if (reduction != Reduction::kNone && (type_bit(context.dtype(0)) & (kNumbers | kBoolType)) == 0) {
    return refused("elements of type " + std::string(dtype_name(context.dtype(0))) +
                   " have no reduction");
  }
  if (context.dtype(0) != context.dtype(2)) return refused("data and updates have different types");
  context.set_output(0, context.input(0));
  return ok();
}

Status infer_elements(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_OK(require_rank(context, 1, context.rank(0), context.rank(0)));
  LAN_OK(require_rank(context, 2, context.rank(0), context.rank(0)));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  for (size_t i = 0; i < context.dims(1).size(); ++i) {
    const std::optional<int64_t> written = context.dims(1)[i].known(),
                                 given = context.dims(2)[i].known();
    const std::optional<int64_t> size = context.dims(0)[i].known();
    const bool too_far = static_cast<int64_t>(i) != axis && written && size && *written > *size;
    if (too_far || (written && given && *written != *given)) {
      return refused("indices of shape " + dims_text(context.dims(1)) + " do not fit updates of " +
                     dims_text(context.dims(2)) + " and data of " + dims_text(context.dims(0)));
    }
  }
  return infer_updated(context);
}

Status infer_nd(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_OK(require_rank(context, 1, 1));
  const std::optional<int64_t> depth = context.dims(1).back().known();
  if (depth && (*depth < 0 || *depth > context.rank(0))) {
    return refused("indices of " + std::to_string(*depth) + " numbers for the shape " +
                   dims_text(context.dims(0)));
  }
  if (depth) {
    Dims expected(context.dims(1).begin(), context.dims(1).end() - 1);
    expected.insert(expected.end(), context.dims(0).begin() + *depth, context.dims(0).end());
    const Dims& given = context.dims(2);
    bool fits = expected.size() == given.size();
    for (size_t i = 0; fits && i < given.size(); ++i) {
      fits = !given[i].is_known() || !expected[i].is_known() || given[i] == expected[i];
    }
    if (!fits)
      return refused("updates have the shape " + dims_text(given) + ", not " + dims_text(expected));
  }
  return infer_updated(context);
}

template <class W>
W combined(Reduction reduction, W old, W update) {
  switch (reduction) {
    case Reduction::kAdd:
      return wrapping_add(old, update);
    case Reduction::kMul:
      return wrapping_mul(old, update);
    case Reduction::kMax:
      return old >= update ? old : update;
    default:
      return old <= update ? old : update;
  }
}

template <class W>
void combine(Reduction reduction, const TensorView& updates, int64_t from,
             const MutableTensorView& to, int64_t at, int64_t count) {
  const TensorView current{to.dtype, to.shape, to.data};
  for (int64_t i = 0; i < count; ++i) {
    W old, update;
    load_wide(current, at + i, 1, &old, 1);
    load_wide(updates, from + i, 1, &update, 1);
    const W result = combined(reduction, old, update);
    store_wide(&result, to, at + i, 1);
  }
}

// Writes `count` adjacent updates to the output.
void update(Reduction reduction, const TensorView& updates, int64_t from,
            const MutableTensorView& to, int64_t at, int64_t count) {
  if (reduction == Reduction::kNone) {
    copy_elements(to.dtype, element_at(to.dtype, updates.data, from),
                  element_at(to.dtype, to.data, at), static_cast<size_t>(count));
    return;
  }
  switch (wide_kind(to.dtype)) {
    case WideKind::kReal:
      return combine<double>(reduction, updates, from, to, at, count);
    case WideKind::kSigned:
      return combine<int64_t>(reduction, updates, from, to, at, count);
    case WideKind::kUnsigned:
      return combine<uint64_t>(reduction, updates, from, to, at, count);
  }
}

void copy_data(const RunContext& context) {
  copy_elements(context.input(0).dtype, context.input(0).data, context.output(0).data,
                static_cast<size_t>(context.input(0).count()));
}

Status run_elements(const RunContext& context) {
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), static_cast<int64_t>(to.rank())));
  const auto along = static_cast<size_t>(axis);
  const std::vector<int64_t> indices = wide_copy<int64_t>(context.input(1));
  LAN_OK(check_indices(indices, to.shape[along]));
  copy_data(context);
  const Shape strides = contiguous_strides(to.shape);
  const Reduction reduction = reduction_of(context.attributes());
  std::vector<int64_t> index(to.rank(), 0);
  for (size_t i = 0; i < indices.size(); ++i) {
    int64_t at = 0;
    for (size_t d = 0; d < index.size(); ++d) {
      const int64_t written = indices[i] < 0 ? indices[i] + to.shape[along] : indices[i];
      at += (d == along ? written : index[d]) * strides[d];
    }
    update(reduction, context.input(2), static_cast<int64_t>(i), to, at, 1);
    next_index(context.input(1).shape, index);
  }
  return ok();
}

Status run_nd(const RunContext& context) {
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const NdIndices places, nd_indices(context.input(1), to.shape, 0));
  copy_data(context);
  const Reduction reduction = reduction_of(context.attributes());
  for (size_t i = 0; i < places.starts.size(); ++i) {
    update(reduction, context.input(2), static_cast<int64_t>(i) * places.length, to,
           places.starts[i], places.length);
  }
  return ok();
}

Status infer_cache(InferContext& context) {
  LAN_OK(require_rank(context, 0, 2));
  LAN_OK(require_rank(context, 1, context.rank(0), context.rank(0)));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", -2), context.rank(0)));
  if (axis == 0) return refused("axis 0 is the batch");
  const std::string_view mode = context.attributes().text("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return refused("there is no mode \"" + std::string(mode) + "\"");
  if (context.dtype(0) != context.dtype(1)) return refused("cache and update have different types");
  for (size_t i = 0; i < context.dims(0).size(); ++i) {
    const std::optional<int64_t> cache = context.dims(0)[i].known(),
                                 given = context.dims(1)[i].known();
    const bool along = static_cast<int64_t>(i) == axis;
    if (cache && given && (along ? *given > *cache : *given != *cache)) {
      return refused("an update of shape " + dims_text(context.dims(1)) + " does not fit " +
                     dims_text(context.dims(0)));
    }
  }
  context.set_output(0, context.input(0));
  return ok();
}

Status run_cache(const RunContext& context) {
  const TensorView& update_view = context.input(1);
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", -2), static_cast<int64_t>(to.rank())));
  const bool circular = context.attributes().text("mode", "linear") == "circular";
  const AxisView cache = view_axis(to.shape, axis), fresh = view_axis(update_view.shape, axis);
  std::vector<int64_t> writes(static_cast<size_t>(to.shape[0]), 0);
  if (context.has_input(2)) writes = wide_copy<int64_t>(context.input(2));
  if (writes.size() != static_cast<size_t>(to.shape[0])) {
    return Error{ErrorCode::kInvalidInput, "write_indices must have one number a sample", "", ""};
  }
  copy_data(context);
  for (int64_t outer = 0; outer < cache.outer; ++outer) {
    const int64_t first = writes[static_cast<size_t>(outer / (cache.outer / to.shape[0]))];
    for (int64_t i = 0; i < fresh.size; ++i) {
      if (first < 0 || first > INT64_MAX - fresh.size || (!circular && first + i >= cache.size)) {
        return Error{ErrorCode::kInvalidInput,
                     "write index " + std::to_string(first) + " is outside of the cache", "", ""};
      }
      const int64_t place = circular ? (first + i) % cache.size : first + i;
      update(Reduction::kNone, update_view, (outer * fresh.size + i) * fresh.inner, to,
             (outer * cache.size + place) * cache.inner, cache.inner);
    }
  }
  return ok();
}

constexpr uint64_t kIndexTypes = type_bit(DType::kI32) | type_bit(DType::kI64);

}  // namespace

extern constinit const OpDef op_scatter_elements = {
    .name = "ScatterElements",
    .since = 18,
    .inputs = {{"data"}, {"indices", kIndexTypes}, {"updates"}},
    .outputs = {{"output"}},
    .infer = infer_elements,
    .reference = run_elements};
extern constinit const OpDef op_scatter_nd = {
    .name = "ScatterND",
    .since = 18,
    .inputs = {{"data"}, {"indices", kI64Type}, {"updates"}},
    .outputs = {{"output"}},
    .infer = infer_nd,
    .reference = run_nd};
extern constinit const OpDef op_tensor_scatter = {
    .name = "TensorScatter",
    .since = 24,
    .inputs = {{"past_cache"}, {"update"}, {"write_indices", kI64Type, true}},
    .outputs = {{"present_cache"}},
    .infer = infer_cache,
    .reference = run_cache};

}  // namespace lanthorn
