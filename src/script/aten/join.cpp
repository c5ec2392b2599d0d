// Joining tensors, and repeating them.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

DType common_type(const std::vector<TensorRef>& tensors) {
  std::vector<Value> values;
  for (const TensorRef& tensor : tensors) values.push_back(Value(tensor));
  return result_type(values);
}

Result<Value> joined(Lowering& lowering, std::vector<TensorRef> tensors, const Dim& dim) {
  if (tensors.empty()) return lowering.error(ErrorCode::kInvalidInput, "a list of no tensors is joined");
  const DType dtype = common_type(tensors);
  // A tensor of shape (0,) joins with anything: an accumulator that nothing was put into yet.
  const auto full = std::find_if(tensors.begin(), tensors.end(), [](const TensorRef& t) { return t->dims.size() != 1; });
  if (full != tensors.end()) {
    std::erase_if(tensors, [](const TensorRef& t) { return t->dims.size() == 1 && t->dims[0].is(0); });
  }
  const size_t rank = tensors[0]->dims.size();
  if (rank == 0) return lowering.error(ErrorCode::kInvalidInput, "0-d tensors cannot be concatenated");
  LAN_TRY(const int64_t axis, axis_of(lowering, dim, rank));
  Emitter e(lowering);
  std::vector<ValueId> values;
  for (const TensorRef& tensor : tensors) values.push_back(e.read(tensor, dtype));
  return e.result(e.concat(std::move(values), axis));
}

Result<Value> cat(Lowering& lowering, const Args& args) {
  return joined(lowering, args.tensors(0), args.integer(1));
}

Result<Value> stack(Lowering& lowering, const Args& args) {
  const auto tensors = args.tensors(0);
  if (tensors.empty()) return lowering.error(ErrorCode::kInvalidInput, "a list of no tensors is stacked");
  const DType dtype = common_type(tensors);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), tensors[0]->dims.size() + 1));
  Emitter e(lowering);
  std::vector<ValueId> values;
  for (const TensorRef& tensor : tensors) values.push_back(e.unsqueeze(e.read(tensor, dtype), {axis}));
  return e.result(e.concat(std::move(values), axis));
}

/// At least `rank` dimensions, as NumPy's atleast functions add them.
Result<TensorRef> at_least(Lowering& lowering, const TensorRef& x, size_t rank) {
  Dims dims = x->dims;
  if (dims.empty() && rank > 0) dims.push_back(Dim(1));
  if (dims.size() == 1 && rank > 1) dims.insert(dims.begin(), Dim(1));
  if (dims.size() == 2 && rank > 2) dims.push_back(Dim(1));
  return reshape_view(lowering, x, std::move(dims));
}

Result<std::vector<TensorRef>> all_at_least(Lowering& lowering, const std::vector<TensorRef>& tensors, size_t rank) {
  std::vector<TensorRef> results;
  for (const TensorRef& tensor : tensors) {
    LAN_TRY(TensorRef made, at_least(lowering, tensor, rank));
    results.push_back(std::move(made));
  }
  return results;
}

template <size_t kRank>
Result<Value> atleast(Lowering& lowering, const Args& args) {
  LAN_TRY(TensorRef made, at_least(lowering, args.tensor(0), kRank));
  return Value(std::move(made));
}

template <size_t kRank>
Result<Value> atleast_list(Lowering& lowering, const Args& args) {
  LAN_TRY(const auto made, all_at_least(lowering, args.tensors(0), kRank));
  return tensor_list(made);
}

Result<Value> hstack(Lowering& lowering, const Args& args) {
  LAN_TRY(auto tensors, all_at_least(lowering, args.tensors(0), 1));
  const Dim axis = tensors.empty() || tensors[0]->dims.size() == 1 ? 0 : 1;
  return joined(lowering, std::move(tensors), axis);
}

Result<Value> vstack(Lowering& lowering, const Args& args) {
  LAN_TRY(auto tensors, all_at_least(lowering, args.tensors(0), 2));
  return joined(lowering, std::move(tensors), 0);
}

Result<Value> dstack(Lowering& lowering, const Args& args) {
  LAN_TRY(auto tensors, all_at_least(lowering, args.tensors(0), 3));
  return joined(lowering, std::move(tensors), 2);
}

Result<Value> column_stack(Lowering& lowering, const Args& args) {
  std::vector<TensorRef> columns;
  for (const TensorRef& tensor : args.tensors(0)) {
    if (tensor->dims.size() < 2) {
      LAN_TRY(TensorRef column, reshape_view(lowering, tensor, {product(tensor->dims), Dim(1)}));
      columns.push_back(std::move(column));
    } else {
      columns.push_back(tensor);
    }
  }
  return joined(lowering, std::move(columns), 1);
}

/// `repeats` aligned at the last dimension; more of them than dimensions add new ones in front.
Result<Value> repeated(Lowering& lowering, const TensorRef& x, Dims repeats) {
  Emitter e(lowering);
  Dims dims = x->dims;
  while (repeats.size() < dims.size()) repeats.insert(repeats.begin(), Dim(1));
  while (dims.size() < repeats.size()) dims.insert(dims.begin(), Dim(1));
  if (std::all_of(repeats.begin(), repeats.end(), [](const Dim& d) { return d.is(1); })) {
    LAN_TRY(const TensorRef copy, copied(lowering, x));
    return e.result(reshape_view(lowering, copy, dims));
  }
  ValueId value = e.read(x);
  if (!(dims == x->dims)) value = e.reshape(value, dims);
  return e.result(e.op("Tile", {value, e.shape(repeats)}));
}

Result<Value> repeat(Lowering& lowering, const Args& args) {
  return repeated(lowering, args.tensor(0), args.ints(1));
}

// (self, repeats, dim, output_size): each element so often, one after another
Result<Value> repeat_interleave(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const Dim times = args.integer(1);
  ValueId value = e.read(x);
  Dims dims = x->dims;
  int64_t axis = 0;
  if (args.is_none(2)) {
    dims = {product(dims)};
    value = e.reshape(value, dims);
  } else {
    LAN_TRY(axis, axis_of(lowering, args.integer(2), dims.size()));
  }
  Dims wide = dims;
  wide.insert(wide.begin() + axis + 1, times);
  dims[static_cast<size_t>(axis)] = dims[static_cast<size_t>(axis)] * times;
  return e.result(e.reshape(e.expand(e.unsqueeze(value, {axis + 1}), wide), dims));
}

/// For each of n numbers its index, repeated as often as it says.
ValueId repeated_indices(Emitter& e, const TensorRef& repeats) {
  const ValueId counts = e.read(repeats, DType::kI64);
  const ValueId longest = e.reduce("ReduceMax", counts, {}, false);
  const ValueId steps = e.op("Range", {e.integer(0, DType::kI64), longest, e.integer(1, DType::kI64)});
  const ValueId wanted = e.op("Less", {e.unsqueeze(steps, {0}), e.unsqueeze(counts, {1})});
  return e.squeeze(e.slice(e.op("NonZero", {wanted}), 0, 0, 1), {0});
}

Result<Value> repeat_indices(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(repeated_indices(e, args.tensor(0)));
}

// (self, repeats, dim, output_size)
Result<Value> repeat_interleave_tensor(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  TensorRef repeats = args.tensor(1);
  ValueId value = e.read(x);
  Dim length = product(x->dims);
  int64_t axis = 0;
  if (args.is_none(2)) {
    value = e.reshape(value, {length});
  } else {
    LAN_TRY(axis, axis_of(lowering, args.integer(2), x->dims.size()));
    length = x->dims.at(static_cast<size_t>(axis));
  }
  LAN_TRY(repeats, expand_view(lowering, repeats, {length}));
  return e.result(e.op("Gather", {value, repeated_indices(e, repeats)}, {{"axis", axis}}));
}

// One coordinate tensor an axis, all of the grid's shape; indexing "xy" swaps the first two axes.
Result<Value> grid(Lowering& lowering, std::vector<TensorRef> tensors, bool xy) {
  const bool swap = xy && tensors.size() > 1;
  if (swap) std::swap(tensors[0], tensors[1]);
  Dims dims;
  for (const TensorRef& tensor : tensors) dims.push_back(product(tensor->dims));
  std::vector<TensorRef> results;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Dims line(tensors.size(), Dim(1));
    line[i] = dims[i];
    LAN_TRY(const TensorRef row, reshape_view(lowering, tensors[i], std::move(line)));
    LAN_TRY(TensorRef made, expand_view(lowering, row, dims));
    results.push_back(std::move(made));
  }
  if (swap) std::swap(results[0], results[1]);
  return tensor_list(results);
}

Result<Value> meshgrid(Lowering& lowering, const Args& args) { return grid(lowering, args.tensors(0), false); }

Result<Value> meshgrid_indexing(Lowering& lowering, const Args& args) {
  if (args.text(1) != "ij" && args.text(1) != "xy") {
    return lowering.error(ErrorCode::kInvalidInput, "meshgrid indexing \"" + args.text(1) + "\"");
  }
  return grid(lowering, args.tensors(0), args.text(1) == "xy");
}

constexpr AtenRow kRows[] = {
    {"aten::cat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::stack(Tensor[] tensors, int dim=0) -> Tensor", stack},
    {"aten::hstack(Tensor[] tensors) -> Tensor", hstack},
    {"aten::vstack(Tensor[] tensors) -> Tensor", vstack},
    {"aten::row_stack(Tensor[] tensors) -> Tensor", vstack},
    {"aten::dstack(Tensor[] tensors) -> Tensor", dstack},
    {"aten::column_stack(Tensor[] tensors) -> Tensor", column_stack},
    {"aten::atleast_1d(Tensor self) -> Tensor", atleast<1>},
    {"aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<1>},
    {"aten::atleast_2d(Tensor self) -> Tensor", atleast<2>},
    {"aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<2>},
    {"aten::atleast_3d(Tensor self) -> Tensor", atleast<3>},
    {"aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<3>},
    {"aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", repeat},
    {"aten::tile(Tensor self, SymInt[] dims) -> Tensor", repeat},
    {"aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? "
     "output_size=None) -> Tensor",
     repeat_interleave},
    {"aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? "
     "output_size=None) -> Tensor",
     repeat_interleave_tensor},
    {"aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor", repeat_indices},
    {"aten::meshgrid(Tensor[] tensors) -> Tensor[]", meshgrid},
    {"aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", meshgrid_indexing},
};

}  // namespace

extern const std::span<const AtenRow> aten_join = kRows;

}  // namespace lanthorn::script
