// Reading and writing by index tensors.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

/// Index tensors by the axis they belong to. A bool mask of rank r stands for r of them.
struct Indices {
  std::vector<int64_t> axes;
  std::vector<ValueId> values;  // int64
  std::vector<Dims> dims;
  bool adjacent = true;
};

bool is_mask(const TensorRef& index) { return index->dtype == DType::kBool || index->dtype == DType::kU8; }

Result<Indices> indices_of(Emitter& e, const TensorRef& self, const std::vector<TensorRef>& given) {
  Indices result;
  size_t axis = 0;
  for (const TensorRef& index : given) {
    if (!index) {
      ++axis;
      continue;
    }
    const size_t takes = is_mask(index) ? index->dims.size() : 1;
    if (axis + takes > self->dims.size()) {
      return e.lowering().error(ErrorCode::kInvalidInput, "too many indices for a tensor of rank " +
                                                              std::to_string(self->dims.size()));
    }
    if (!is_mask(index)) {
      result.axes.push_back(static_cast<int64_t>(axis));
      result.values.push_back(e.read(index, DType::kI64));
      result.dims.push_back(index->dims);
    } else if (takes > 0) {
      const auto rows = e.split(e.op("NonZero", {e.read(index, DType::kBool)}), 0, Dims(takes, Dim(1)));
      for (size_t i = 0; i < takes; ++i) {
        const ValueId row = e.squeeze(rows[i], {0});
        result.axes.push_back(static_cast<int64_t>(axis + i));
        result.values.push_back(row);
        result.dims.push_back(e.dims(row));
      }
    } else {
      return e.lowering().error(ErrorCode::kUnsupported, "an index that is a single bool");
    }
    axis += takes;
  }
  if (e.failed()) return e.error();
  for (size_t i = 1; i < result.axes.size(); ++i) {
    if (result.axes[i] != result.axes[i - 1] + 1) result.adjacent = false;
  }
  return result;
}

/// The indexed axes first, then the others in order.
std::vector<int64_t> indexed_first(size_t rank, const std::vector<int64_t>& axes) {
  std::vector<int64_t> order = axes;
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) order.push_back(axis);
  }
  return order;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& permutation) {
  std::vector<int64_t> result(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) {
    result[static_cast<size_t>(permutation[i])] = static_cast<int64_t>(i);
  }
  return result;
}

ValueId permuted(Emitter& e, ValueId x, std::vector<int64_t> permutation) {
  if (std::is_sorted(permutation.begin(), permutation.end())) return x;
  return e.transpose(x, std::move(permutation));
}

struct Points {
  ValueId value;  // [index dims..., number of axes]
  Dims dims;      // of the indices, broadcast
};

Result<Points> points_of(Emitter& e, const Indices& indices) {
  Dims dims;
  for (const Dims& one : indices.dims) {
    LAN_TRY(dims, broadcast_dims(e.lowering(), dims, one));
  }
  std::vector<ValueId> parts;
  for (size_t i = 0; i < indices.values.size(); ++i) {
    const bool wide = indices.dims[i] == dims;
    const ValueId one = wide ? indices.values[i] : e.expand(indices.values[i], dims);
    parts.push_back(e.unsqueeze(one, {static_cast<int64_t>(dims.size())}));
  }
  return Points{e.concat(std::move(parts), static_cast<int64_t>(dims.size())), dims};
}

/// From [index dims, the other dims] to what PyTorch gives: adjacent indices stay in their place.
std::vector<int64_t> to_place(size_t index_rank, size_t rest_rank, int64_t first_axis) {
  std::vector<int64_t> order;
  const auto lead = static_cast<size_t>(first_axis);
  for (size_t i = 0; i < lead; ++i) order.push_back(static_cast<int64_t>(index_rank + i));
  for (size_t i = 0; i < index_rank; ++i) order.push_back(static_cast<int64_t>(i));
  for (size_t i = lead; i < rest_rank; ++i) order.push_back(static_cast<int64_t>(index_rank + i));
  return order;
}

// (self, indices)
Result<Value> index(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const auto given = args.optional_tensors(1);
  const ValueId x = e.read(self);
  // A mask over leading dimensions picks whole rows.
  if (given.size() == 1 && given[0] && is_mask(given[0]) && !given[0]->dims.empty() &&
      given[0]->dims.size() <= self->dims.size()) {
    const size_t masked = given[0]->dims.size();
    Dims rows = {product(std::span(self->dims).first(masked))};
    rows.insert(rows.end(), self->dims.begin() + static_cast<std::ptrdiff_t>(masked), self->dims.end());
    const ValueId mask = e.read(given[0], DType::kBool);
    return e.result(e.op("Compress", {masked == 1 ? x : e.reshape(x, rows), masked == 1 ? mask : e.reshape(mask, {rows[0]})},
                         {{"axis", int64_t{0}}}));
  }
  LAN_TRY(const Indices indices, indices_of(e, self, given));
  if (indices.axes.empty()) return e.result(e.op("Identity", {x}));
  if (indices.axes.size() == 1) {
    return e.result(e.op("Gather", {x, indices.values[0]}, {{"axis", indices.axes[0]}}));
  }
  LAN_TRY(const Points points, points_of(e, indices));
  const size_t rest = self->dims.size() - indices.axes.size();
  const ValueId picked =
      e.op("GatherND", {permuted(e, x, indexed_first(self->dims.size(), indices.axes)), points.value});
  if (!indices.adjacent) return e.result(picked);
  return e.result(permuted(e, picked, to_place(points.dims.size(), rest, indices.axes[0])));
}

/// A mask with one value for all that it picks needs no positions.
bool is_plain_mask(const TensorRef& self, const std::vector<TensorRef>& given, const TensorRef& values) {
  return given.size() == 1 && given[0] && is_mask(given[0]) && given[0]->dims.size() <= self->dims.size() &&
         product(values->dims).is(1);
}

// (self, indices, values, accumulate, ...): self with the values put in
Result<ValueId> put(Emitter& e, const Args& args) {
  const TensorRef self = args.tensor(0), values = args.tensor(2);
  const auto given = args.optional_tensors(1);
  const bool add = args.flag(3);
  const ValueId x = e.read(self);
  ValueId source = e.read(values, self->dtype);
  if (!add && is_plain_mask(self, given, values)) {
    Dims mask_dims = given[0]->dims;
    mask_dims.resize(self->dims.size(), Dim(1));
    const ValueId mask = e.reshape(e.read(given[0], DType::kBool), mask_dims);
    return e.op("Where", {mask, e.reshape(source, {}), x});
  }
  LAN_TRY(const Indices indices, indices_of(e, self, given));
  if (indices.axes.empty()) {
    const ValueId wide = e.expand(source, self->dims);
    return add ? e.op("Add", {x, wide}) : wide;
  }
  LAN_TRY(const Points points, points_of(e, indices));
  const auto order = indexed_first(self->dims.size(), indices.axes);
  Dims wide = points.dims;
  for (size_t i = indices.axes.size(); i < order.size(); ++i) {
    wide.push_back(self->dims[static_cast<size_t>(order[i])]);
  }
  if (indices.adjacent) {
    // The values have the layout of what indexing would give.
    const size_t rest = order.size() - indices.axes.size();
    const auto place = to_place(points.dims.size(), rest, indices.axes[0]);
    Dims placed;
    for (const int64_t axis : place) placed.push_back(wide[static_cast<size_t>(axis)]);
    source = permuted(e, e.expand(source, placed), inverse(place));
  } else {
    source = e.expand(source, wide);
  }
  const ValueId made = e.op("ScatterND", {permuted(e, x, order), points.value, source},
                            add ? Attributes{{"reduction", std::string("add")}} : Attributes{});
  return permuted(e, made, inverse(order));
}

Result<Value> index_put(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId made, put(e, args));
  return e.result(made);
}

Result<Value> index_put_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const ValueId made, put(e, args));
  if (e.failed()) return e.error();
  return lowering.write(args.tensor(0), made);
}

// (self, dim, index)
Result<Value> index_select(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0), at = args.tensor(2);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), self->dims.size()));
  if (self->dims.empty()) return e.result(e.op("Identity", {e.read(self)}));
  ValueId rows = e.read(at);
  if (at->dims.empty()) rows = e.unsqueeze(rows, {0});
  return e.result(e.op("Gather", {e.read(self), rows}, {{"axis", axis}}));
}

// (weight, indices, padding_idx, ...)
Result<Value> embedding(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Gather", {e.read(args.tensor(0)), e.read(args.tensor(1))}, {{"axis", int64_t{0}}}));
}

// (self, index): of the flattened tensor
Result<Value> take(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId flat = e.op("Reshape", {e.read(args.tensor(0)), e.ints({-1})});
  return e.result(e.op("Gather", {flat, e.read(args.tensor(1))}, {{"axis", int64_t{0}}}));
}

Result<Value> nonzero(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  if (args.tensor(0)->dims.empty()) {
    // One row of no numbers, or none.
    const ValueId rows = e.op("NonZero", {e.unsqueeze(x, {0})});
    return e.result(e.op("Slice", {e.transpose(rows, {1, 0}), e.ints({0}), e.ints({0}), e.ints({1})}));
  }
  return e.result(e.transpose(e.op("NonZero", {x}), {1, 0}));
}

// (self, num_classes); -1: the largest index plus 1
Result<Value> one_hot(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  const Dim& classes = args.integer(1);
  const ValueId depth = classes.is(-1) ? e.op("Add", {e.reduce("ReduceMax", x, {}, false), e.integer(1, DType::kI64)})
                                       : e.squeeze(e.shape({classes}), {0});
  return e.result(e.op("OneHot", {x, depth, e.ints({0, 1})}, {{"axis", int64_t{-1}}}));
}

constexpr AtenRow kRows[] = {
    {"aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index},
    {"aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor", index},
    {"aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index},
    {"aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor", index_put},
    {"aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
     index_put},
    {"aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     index_put},
    {"aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)",
     index_put_in_place},
    {"aten::index_put_.hacked_twin(Tensor(a!) self, Tensor[] indices, Tensor values, bool accumulate=False) -> "
     "Tensor(a!)",
     index_put_in_place},
    {"aten::_index_put_impl_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False, bool "
     "unsafe=False) -> Tensor(a!)",
     index_put_in_place},
    {"aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", index_select},
    {"aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool "
     "sparse=False) -> Tensor",
     embedding},
    {"aten::take(Tensor self, Tensor index) -> Tensor", take},
    {"aten::nonzero(Tensor self) -> Tensor", nonzero},
    {"aten::one_hot(Tensor self, int num_classes=-1) -> Tensor", one_hot},
};

}  // namespace

extern const std::span<const AtenRow> aten_index = kRows;

}  // namespace lanthorn::script
