// Gathering and scattering along one dimension.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

// (self, dim, index, sparse_grad)
Result<Value> gather(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), self->dims.size()));
  if (self->dims.empty()) return e.result(e.op("Identity", {e.read(self)}));
  return e.result(e.op("GatherElements", {e.read(self), e.read(args.tensor(2), DType::kI64)}, {{"axis", axis}}));
}

// (self, indices, dim); without dim over the flattened tensors
Result<Value> take_along_dim(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0), at = args.tensor(1);
  ValueId x = e.read(self), index = e.read(at, DType::kI64);
  if (args.is_none(2)) {
    const ValueId flat = e.ints({-1});
    x = e.op("Reshape", {x, flat});
    index = e.op("Reshape", {index, flat});
    return e.result(e.op("GatherElements", {x, index}, {{"axis", int64_t{0}}}));
  }
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), self->dims.size()));
  Dims x_dims = self->dims, index_dims = at->dims;
  const auto i = static_cast<size_t>(axis);
  x_dims.at(i) = 1;
  index_dims.at(i) = 1;
  LAN_TRY(Dims dims, broadcast_dims(lowering, x_dims, index_dims));
  dims[i] = self->dims[i];
  x = e.expand(x, dims);
  dims[i] = at->dims[i];
  index = e.expand(index, dims);
  return e.result(e.op("GatherElements", {x, index}, {{"axis", axis}}));
}

struct Scatter {
  TensorRef self, index;
  int64_t axis = 0;
  std::string reduction = "none";
  bool include_self = true;
};

Result<std::string> reduction_of(Lowering& lowering, const std::string& reduce) {
  if (reduce == "add" || reduce == "sum") return std::string("add");
  if (reduce == "multiply" || reduce == "prod") return std::string("mul");
  if (reduce == "amax") return std::string("max");
  if (reduce == "amin") return std::string("min");
  if (reduce == "mean") return reduce;
  return lowering.error(ErrorCode::kInvalidInput, "the scatter reduction \"" + reduce + "\"");
}

/// The part of the source that the index covers.
ValueId source_under(Emitter& e, const TensorRef& source, const Scatter& scatter) {
  ValueId value = e.read(source, scatter.self->dtype);
  for (size_t i = 0; i < source->dims.size() && i < scatter.index->dims.size(); ++i) {
    if (source->dims[i] == scatter.index->dims[i]) continue;
    value = e.slice(value, static_cast<int64_t>(i), 0, scatter.index->dims[i]);
  }
  return value;
}

/// What a reduction starts from where self does not take part.
ValueId neutral(Emitter& e, const std::string& reduction, DType dtype) {
  if (reduction == "max") return e.lowest(dtype);
  if (reduction == "min") return e.highest(dtype);
  return e.integer(reduction == "mul" ? 1 : 0, dtype);
}

ValueId scattered(Emitter& e, const Scatter& scatter, ValueId source) {
  const DType dtype = scatter.self->dtype;
  ValueId x = e.read(scatter.self);
  ValueId index = e.read(scatter.index, DType::kI64);
  const bool scalar = scatter.self->dims.empty();
  if (scalar) {
    const ValueId one = e.ints({-1});
    x = e.op("Reshape", {x, one});
    index = e.op("Reshape", {index, one});
    source = e.op("Reshape", {source, one});
  }
  const auto scatter_into = [&](ValueId base, ValueId values, const std::string& reduction) {
    Attributes attributes = {{"axis", scatter.axis}};
    if (reduction != "none") attributes.set("reduction", reduction);
    return e.op("ScatterElements", {base, index, values}, std::move(attributes));
  };
  if (!scatter.include_self && scatter.reduction != "none") {
    const ValueId start = neutral(e, scatter.reduction, dtype);
    x = scatter_into(x, e.op("Expand", {start, e.op("Shape", {index})}), "none");
  }
  const bool mean = scatter.reduction == "mean";
  ValueId made = scatter_into(x, source, mean ? "add" : scatter.reduction);
  if (mean) {
    const ValueId ones = e.op("Expand", {e.number(1, dtype), e.op("Shape", {index})});
    const ValueId start = e.op("Expand", {e.number(scatter.include_self ? 1 : 0, dtype), e.op("Shape", {x})});
    const ValueId counts = e.op("Max", {scatter_into(start, ones, "add"), e.number(1, dtype)});
    made = e.op("Div", {made, counts});
  }
  return scalar ? e.squeeze(made, {0}) : made;
}

Result<Scatter> scatter_of(Lowering& lowering, const Args& args) {
  Scatter scatter{.self = args.tensor(0), .index = args.tensor(2)};
  LAN_TRY(scatter.axis, axis_of(lowering, args.integer(1), scatter.self->dims.size()));
  return scatter;
}

// (self, dim, index, src, [reduce, [include_self]])
template <bool kReduce, bool kSelf>
Result<Value> scatter_source(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(Scatter scatter, scatter_of(lowering, args));
  if constexpr (kReduce) {
    LAN_TRY(scatter.reduction, reduction_of(lowering, args.text(4)));
  }
  if constexpr (kSelf) scatter.include_self = args.flag(5);
  return e.result(scattered(e, scatter, source_under(e, args.tensor(3), scatter)));
}

// (self, dim, index, value, [reduce])
template <bool kReduce>
Result<Value> scatter_value(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(Scatter scatter, scatter_of(lowering, args));
  if constexpr (kReduce) {
    LAN_TRY(scatter.reduction, reduction_of(lowering, args.text(4)));
  }
  const ValueId value = e.expand(e.operand(args[3], scatter.self->dtype), scatter.index->dims);
  return e.result(scattered(e, scatter, value));
}

Result<Value> scatter_add(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(Scatter scatter, scatter_of(lowering, args));
  scatter.reduction = "add";
  return e.result(scattered(e, scatter, source_under(e, args.tensor(3), scatter)));
}

/// An index vector along `axis`, repeated over all other dimensions of `dims`.
ValueId spread_index(Emitter& e, const TensorRef& index, size_t axis, const Dims& dims) {
  Dims line(dims.size(), Dim(1));
  line[axis] = product(index->dims);
  return e.expand(e.reshape(e.read(index, DType::kI64), line), dims);
}

// (self, dim, index, source, [alpha]): whole slices added or copied
template <bool kAdd>
Result<Value> index_slices(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0), source = args.tensor(3);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), self->dims.size()));
  ValueId value = e.read(source, self->dtype);
  Attributes attributes = {{"axis", axis}};
  if constexpr (kAdd) {
    if (number_of(args[4]) != 1.0) value = e.op("Mul", {value, e.operand(args[4], self->dtype)});
    attributes.set("reduction", std::string("add"));
  }
  if (self->dims.empty()) return e.result(kAdd ? e.op("Add", {e.read(self), e.reshape(value, {})}) : e.reshape(value, {}));
  const ValueId index = spread_index(e, args.tensor(2), static_cast<size_t>(axis), source->dims);
  return e.result(e.op("ScatterElements", {e.read(self), index, value}, std::move(attributes)));
}

// (self, dim, index, value)
Result<Value> index_fill(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0), index = args.tensor(2);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), self->dims.size()));
  const ValueId value = e.operand(args[3], self->dtype);
  if (self->dims.empty()) return e.result(value);
  Dims dims = self->dims;
  dims[static_cast<size_t>(axis)] = product(index->dims);
  const ValueId at = spread_index(e, index, static_cast<size_t>(axis), dims);
  return e.result(e.op("ScatterElements", {e.read(self), at, e.expand(value, dims)}, {{"axis", axis}}));
}

// (self, mask, source): masked elements get the source's in order
Result<Value> masked_scatter(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId all = e.ints({-1});
  LAN_TRY(const Dims dims, broadcast_dims(lowering, self->dims, args.tensor(1)->dims));
  const ValueId mask = e.expand(e.read(args.tensor(1), DType::kBool), dims);
  const ValueId flags = e.cast(e.op("Reshape", {mask, all}), DType::kI64);
  const ValueId count = e.op("CumSum", {flags, e.integer(0, DType::kI64)});
  const ValueId place = e.op("Max", {e.op("Sub", {count, e.integer(1, DType::kI64)}), e.integer(0, DType::kI64)});
  const ValueId source = e.op("Reshape", {e.read(args.tensor(2), self->dtype), all});
  const ValueId picked = e.reshape(e.op("Gather", {source, place}, {{"axis", int64_t{0}}}), dims);
  return e.result(e.op("Where", {mask, picked, e.read(self)}));
}

/// A copy of self in which what the view shows is replaced by src.
Result<Value> replaced(Lowering& lowering, const TensorRef& copy, Result<TensorRef> view, const TensorRef& src) {
  if (!view) return std::move(view).error();
  Emitter e(lowering);
  const ValueId value = e.read(src, copy->dtype);
  if (e.failed()) return e.error();
  LAN_TRY(const Value written, lowering.write(*view, value));
  (void)written;
  return Value(copy);
}

// (self, src, dim, index)
Result<Value> select_scatter(Lowering& lowering, const Args& args) {
  LAN_TRY(const TensorRef copy, copied(lowering, args.tensor(0)));
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), copy->dims.size()));
  return replaced(lowering, copy, select_view(lowering, copy, axis, args.integer(3)), args.tensor(1));
}

// (self, src, dim, start, end, step)
Result<Value> slice_scatter(Lowering& lowering, const Args& args) {
  LAN_TRY(const TensorRef copy, copied(lowering, args.tensor(0)));
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), copy->dims.size()));
  LAN_TRY(const int64_t step, lowering.concrete(args.integer(5)));
  const Dim start = args.is_none(3) ? Dim(0) : args.integer(3);
  const Dim end = args.is_none(4) ? Dim(INT64_MAX) : args.integer(4);
  return replaced(lowering, copy, slice_view(lowering, copy, axis, start, end, step), args.tensor(1));
}

constexpr AtenRow kRows[] = {
    {"aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor", gather},
    {"aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", take_along_dim},
    {"aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_source<false, false>},
    {"aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", scatter_value<false>},
    {"aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
     scatter_source<true, false>},
    {"aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
     scatter_value<true>},
    {"aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_add},
    {"aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool "
     "include_self=True) -> Tensor",
     scatter_source<true, true>},
    {"aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
     index_slices<true>},
    {"aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor", index_slices<false>},
    {"aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", index_fill},
    {"aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor", index_fill},
    {"aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", masked_scatter},
    {"aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", select_scatter},
    {"aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) "
     "-> Tensor",
     slice_scatter},
};

}  // namespace

extern const std::span<const AtenRow> aten_scatter = kRows;

}  // namespace lanthorn::script
