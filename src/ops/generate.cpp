// Tensors made from numbers: https://onnx.ai/onnx/operators/onnx__Range.html and its kin
// OPS: constant_of_shape eye_like one_hot range
#include <algorithm>
#include <cmath>

#include "graph/onnx_dtype.h"
#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// How many numbers there are from start to limit, by doubles as the operator's text has it.
Result<Dim> real_length(const InferContext& context) {
  const std::optional<std::vector<double>> start = context.constant(0)->to_doubles(),
                                           limit = context.constant(1)->to_doubles(),
                                           delta = context.constant(2)->to_doubles();
  if (!start || !limit || !delta || (*delta)[0] == 0) return refused("a range has no step");
  const double length = std::ceil(((*limit)[0] - (*start)[0]) / (*delta)[0]);
  if (!(length < 0x1p48)) return refused("a range has too many numbers");
  return Dim(length > 0 ? static_cast<int64_t>(length) : 0);
}

Status infer_range(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, 3));
  for (size_t i = 0; i < 3; ++i) {
    if (all_known(context.dims(i)) && !product(context.dims(i)).is(1))
      return refused("a range takes three single numbers");
  }
  const std::optional<Dims> start = context.elements(0), limit = context.elements(1),
                            delta = context.elements(2);
  if (start && limit && delta) {
    if ((*delta)[0].is(0)) return refused("a range has the step 0");
    const Dim length = max(ceil_div((*limit)[0] - (*start)[0], (*delta)[0]), 0);
    context.set_output(0, context.dtype(0), Dims{length});
    if (!length.is_known() || length.value() > static_cast<int64_t>(InferContext::kMaxElements))
      return ok();
    Dims elements;
    for (int64_t i = 0; i < length.value(); ++i) elements.push_back((*start)[0] + (*delta)[0] * i);
    context.set_elements(0, std::move(elements));
    return ok();
  }
  Dim length = Dim::unknown();
  if (context.constant(0) && context.constant(1) && context.constant(2)) {
    LAN_TRY(length, real_length(context));
  }
  context.set_output(0, context.dtype(0), Dims{length});
  return ok();
}

template <class W>
Status fill_range(const RunContext& context) {
  W start{}, delta{};
  load_wide(context.input(0), 0, 1, &start, 1);
  load_wide(context.input(2), 0, 1, &delta, 1);
  for (int64_t i = 0; i < context.output(0).count(); ++i) {
    const W value = wrapping_add(start, wrapping_mul(static_cast<W>(i), delta));
    store_wide(&value, context.output(0), i, 1);
  }
  return ok();
}

Status run_range(const RunContext& context) {
  return is_floating(context.output(0).dtype) ? fill_range<double>(context)
                                              : fill_range<int64_t>(context);
}

Status infer_filled(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1, 1));
  const Tensor* value = context.attributes().tensor("value");
  if (value && value->count() != 1) return refused("attribute 'value' is not one number");
  const DType dtype = value ? value->dtype() : DType::kF32;
  const std::optional<Dims> dims = context.elements(0);
  const std::optional<int64_t> rank = context.dims(0)[0].known();
  if (!dims) {
    context.set_output(0, rank && *rank <= 64
                              ? ValueType::tensor(dtype, unknown_dims(static_cast<size_t>(*rank)))
                              : ValueType::unranked(dtype));
    return ok();
  }
  for (const Dim& dim : *dims) {
    if (dim.is_known() && dim.value() < 0)
      return refused("the shape " + dims_text(*dims) + " has a negative dimension");
  }
  context.set_output(0, dtype, *dims);
  const std::optional<int64_t> count = product(*dims).known();
  const std::optional<std::vector<int64_t>> number = value ? value->to_ints() : std::nullopt;
  if (number && count && *count <= static_cast<int64_t>(InferContext::kMaxElements)) {
    context.set_elements(0, Dims(static_cast<size_t>(*count), (*number)[0]));
  }
  return ok();
}

Status run_filled(const RunContext& context) {
  const MutableTensorView& to = context.output(0);
  const Tensor* value = context.attributes().tensor("value");
  if (!value) {
    clear_elements(to.dtype, to.data, static_cast<size_t>(to.count()));
    return ok();
  }
  LAN_TRY(const Tensor one, value->contiguous());
  copy_strided(to.dtype, to.shape, one.data(), Shape(to.rank(), 0), to.data,
               contiguous_strides(to.shape));
  return ok();
}

Status infer_eye(InferContext& context) {
  LAN_OK(require_rank(context, 0, 2, 2));
  const int64_t number = context.attributes().integer("dtype", 0);
  const DType dtype = number == 0 ? context.dtype(0) : dtype_from_onnx(number);
  if ((type_bit(dtype) & (kNumbers | kBoolType)) == 0)
    return refused("a matrix of type " + std::to_string(number));
  context.set_output(0, dtype, context.dims(0));
  return ok();
}

Status run_eye(const RunContext& context) {
  const MutableTensorView& to = context.output(0);
  const int64_t rows = to.shape[0], columns = to.shape[1];
  clear_elements(to.dtype, to.data, static_cast<size_t>(to.count()));
  const int64_t k = std::clamp(context.attributes().integer("k", 0), -rows, columns);
  const int64_t one = 1;
  for (int64_t row = std::max<int64_t>(0, -k); row < rows && row + k < columns; ++row) {
    store_wide(&one, to, row * columns + row + k, 1);
  }
  return ok();
}

Status infer_one_hot(InferContext& context) {
  if (!(context.rank(2) == 1) || (context.dims(2)[0].is_known() && !context.dims(2)[0].is(2))) {
    return refused("values have the shape " + dims_text(context.dims(2)) +
                   ", but there must be two");
  }
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", -1), context.rank(0) + 1));
  Dim depth = Dim::unknown();
  if (const std::optional<Dims> elements = context.elements(1); elements && elements->size() == 1) {
    depth = (*elements)[0];
  } else if (const Tensor* constant = context.constant(1); constant && constant->count() == 1) {
    const std::optional<std::vector<double>> real = constant->to_doubles();
    if (!real || !((*real)[0] > -1 && (*real)[0] < 0x1p48)) return refused("the depth is no size");
    depth = static_cast<int64_t>((*real)[0]);
  }
  if (depth.is_known() && depth.value() < 0) return refused("the depth is " + depth.text());
  Dims dims = context.dims(0);
  dims.insert(dims.begin() + axis, depth);
  context.set_output(0, context.dtype(2), std::move(dims));
  return ok();
}

Status run_one_hot(const RunContext& context) {
  const TensorView& values = context.input(2);
  const MutableTensorView& to = context.output(0);
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", -1), static_cast<int64_t>(to.rank())));
  const AxisView view = view_axis(to.shape, axis);
  const std::vector<int64_t> indices = wide_copy<int64_t>(context.input(0));
  for (int64_t i = 0; i < to.count(); ++i) {
    const int64_t outer = i / (view.size * view.inner), place = i / view.inner % view.size,
                  inner = i % view.inner;
    const int64_t index = indices[static_cast<size_t>(outer * view.inner + inner)];
    const bool hot = place == (index < 0 ? index + view.size : index);
    copy_elements(to.dtype, element_at(to.dtype, values.data, hot ? 1 : 0),
                  element_at(to.dtype, to.data, i), 1);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_constant_of_shape = {.name = "ConstantOfShape",
                                                     .since = 25,
                                                     .inputs = {{"input", kI64Type}},
                                                     .outputs = {{"output"}},
                                                     .infer = infer_filled,
                                                     .reference = run_filled};
extern constinit const OpDef op_eye_like = {.name = "EyeLike",
                                            .since = 22,
                                            .inputs = {{"input", kNumbers | kBoolType}},
                                            .outputs = {{"output"}},
                                            .infer = infer_eye,
                                            .reference = run_eye};
extern constinit const OpDef op_one_hot = {
    .name = "OneHot",
    .since = 28,
    .inputs = {{"indices", kNumbers}, {"depth", kNumbers}, {"values"}},
    .outputs = {{"output"}},
    .infer = infer_one_hot,
    .reference = run_one_hot};
extern constinit const OpDef op_range = {
    .name = "Range",
    .since = 27,
    .inputs = {{"start", kNumbers}, {"limit", kNumbers}, {"delta", kNumbers}},
    .outputs = {{"output"}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_range,
    .reference = run_range};

}  // namespace lanthorn
