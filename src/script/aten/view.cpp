// Views: the same elements under other dimensions.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

Result<Value> value_of(Result<TensorRef> tensor) {
  if (!tensor) return std::move(tensor).error();
  return Value(*std::move(tensor));
}

Result<Value> view(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(Dims dims, resolved(lowering, x->dims, args.ints(1)));
  return value_of(reshape_view(lowering, x, std::move(dims)));
}

/// PyTorch copies where the strides of a view cannot be expressed; without a permutation they can.
Result<Value> reshaped(Lowering& lowering, const TensorRef& x, Dims dims) {
  LAN_TRY(dims, resolved(lowering, x->dims, std::move(dims)));
  if (dims == x->dims) return Value(x);
  if (!is_reordered(*x)) return value_of(reshape_view(lowering, x, std::move(dims)));
  LAN_TRY(const TensorRef copy, copied(lowering, x));
  return value_of(reshape_view(lowering, copy, std::move(dims)));
}

Result<Value> reshape(Lowering& lowering, const Args& args) {
  return reshaped(lowering, args.tensor(0), args.ints(1));
}

Result<Value> view_as(Lowering& lowering, const Args& args) {
  return value_of(reshape_view(lowering, args.tensor(0), args.tensor(1)->dims));
}

Result<Value> reshape_as(Lowering& lowering, const Args& args) {
  return reshaped(lowering, args.tensor(0), args.tensor(1)->dims);
}

// (self, start_dim, end_dim)
Result<Value> flatten(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return value_of(reshape_view(lowering, x, {Dim(1)}));
  LAN_TRY(const int64_t start, axis_of(lowering, args.integer(1), x->dims.size()));
  LAN_TRY(const int64_t end, axis_of(lowering, args.integer(2), x->dims.size()));
  if (start > end) {
    return lowering.error(ErrorCode::kInvalidInput, "flatten from dimension " + std::to_string(start) +
                                                        " to " + std::to_string(end));
  }
  Dims dims(x->dims.begin(), x->dims.begin() + start);
  dims.push_back(product(std::span(x->dims).subspan(static_cast<size_t>(start), static_cast<size_t>(end - start + 1))));
  dims.insert(dims.end(), x->dims.begin() + end + 1, x->dims.end());
  return reshaped(lowering, x, std::move(dims));
}

Result<Value> ravel(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  return reshaped(lowering, x, {product(x->dims)});
}

// (self, dim, sizes)
Result<Value> unflatten(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  LAN_TRY(const Dims inner, resolved(lowering, {x->dims.at(static_cast<size_t>(axis))}, args.ints(2)));
  Dims dims(x->dims.begin(), x->dims.begin() + axis);
  dims.insert(dims.end(), inner.begin(), inner.end());
  dims.insert(dims.end(), x->dims.begin() + axis + 1, x->dims.end());
  return value_of(reshape_view(lowering, x, std::move(dims)));
}

/// Without the axes among `axes` (null: all) whose size is 1.
Result<TensorRef> squeezed(Lowering& lowering, const TensorRef& x, const std::vector<int64_t>* axes) {
  Dims dims;
  for (size_t i = 0; i < x->dims.size(); ++i) {
    bool gone = !axes || std::find(axes->begin(), axes->end(), static_cast<int64_t>(i)) != axes->end();
    if (gone) {
      LAN_TRY(gone, lowering.equal(x->dims[i], Dim(1)));
    }
    if (!gone) dims.push_back(x->dims[i]);
  }
  return reshape_view(lowering, x, std::move(dims));
}

Result<Value> squeeze(Lowering& lowering, const Args& args) {
  return value_of(squeezed(lowering, args.tensor(0), nullptr));
}

Result<Value> squeeze_dim(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  const std::vector<int64_t> axes = {axis};
  return value_of(squeezed(lowering, x, &axes));
}

Result<Value> squeeze_dims(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(1), x->dims.size()));
  return value_of(squeezed(lowering, x, &axes));
}

Result<Value> unsqueeze(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size() + 1));
  return value_of(unsqueeze_view(lowering, x, axis));
}

Result<Value> permute(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(auto permutation, axes_of(lowering, args.ints(1), x->dims.size()));
  if (permutation.size() != x->dims.size()) {
    return lowering.error(ErrorCode::kInvalidInput, "permute of a tensor of rank " +
                                                        std::to_string(x->dims.size()) + " by " +
                                                        std::to_string(permutation.size()) + " dimensions");
  }
  return value_of(permute_view(lowering, x, std::move(permutation)));
}

Result<Value> swapped(Lowering& lowering, const TensorRef& x, const Dim& a, const Dim& b) {
  if (x->dims.empty()) return Value(x);
  LAN_TRY(const int64_t first, axis_of(lowering, a, x->dims.size()));
  LAN_TRY(const int64_t second, axis_of(lowering, b, x->dims.size()));
  auto permutation = all_axes(x->dims.size());
  std::swap(permutation[static_cast<size_t>(first)], permutation[static_cast<size_t>(second)]);
  return value_of(permute_view(lowering, x, std::move(permutation)));
}

Result<Value> transpose(Lowering& lowering, const Args& args) {
  return swapped(lowering, args.tensor(0), args.integer(1), args.integer(2));
}

Result<Value> t(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.size() < 2) return Value(x);
  return swapped(lowering, x, 0, 1);
}

Result<Value> matrix_transpose(Lowering& lowering, const Args& args) {
  return swapped(lowering, args.tensor(0), -2, -1);
}

Result<Value> reversed(Lowering& lowering, const Args& args) {
  auto permutation = all_axes(args.tensor(0)->dims.size());
  std::reverse(permutation.begin(), permutation.end());
  return value_of(permute_view(lowering, args.tensor(0), std::move(permutation)));
}

Result<Value> moved(Lowering& lowering, const TensorRef& x, const Dims& from, const Dims& to) {
  LAN_TRY(const auto sources, axes_of(lowering, from, x->dims.size()));
  LAN_TRY(const auto targets, axes_of(lowering, to, x->dims.size()));
  if (sources.size() != targets.size()) {
    return lowering.error(ErrorCode::kInvalidInput, "movedim with lists of different lengths");
  }
  std::vector<int64_t> permutation(x->dims.size(), -1);
  for (size_t i = 0; i < sources.size(); ++i) permutation[static_cast<size_t>(targets[i])] = sources[i];
  size_t next = 0;
  for (int64_t& axis : permutation) {
    if (axis >= 0) continue;
    while (std::find(sources.begin(), sources.end(), static_cast<int64_t>(next)) != sources.end()) ++next;
    axis = static_cast<int64_t>(next++);
  }
  return value_of(permute_view(lowering, x, std::move(permutation)));
}

Result<Value> movedim(Lowering& lowering, const Args& args) {
  return moved(lowering, args.tensor(0), {args.integer(1)}, {args.integer(2)});
}
Result<Value> movedim_list(Lowering& lowering, const Args& args) {
  return moved(lowering, args.tensor(0), args.ints(1), args.ints(2));
}

/// -1 keeps a dimension.
Result<Value> expanded(Lowering& lowering, const TensorRef& x, Dims dims) {
  if (dims.size() < x->dims.size()) {
    return lowering.error(ErrorCode::kInvalidInput, "a tensor of shape " + dims_text(x->dims) +
                                                        " expanded to the fewer dimensions " + dims_text(dims));
  }
  const size_t more = dims.size() - x->dims.size();
  for (size_t i = 0; i < x->dims.size(); ++i) {
    Dim& size = dims[i + more];
    if (size.is(-1)) size = x->dims[i];
    if (size.is_known() && x->dims[i].is_known() && !(size == x->dims[i]) && !x->dims[i].is(1)) {
      return lowering.error(ErrorCode::kInvalidInput, "a tensor of shape " + dims_text(x->dims) +
                                                          " expanded to " + dims_text(dims));
    }
  }
  return value_of(expand_view(lowering, x, std::move(dims)));
}

Result<Value> expand(Lowering& lowering, const Args& args) {
  return expanded(lowering, args.tensor(0), args.ints(1));
}

Result<Value> expand_as(Lowering& lowering, const Args& args) {
  return expanded(lowering, args.tensor(0), args.tensor(1)->dims);
}

Result<Value> broadcast_tensors(Lowering& lowering, const Args& args) {
  const auto tensors = args.tensors(0);
  Dims dims;
  for (const TensorRef& tensor : tensors) {
    LAN_TRY(dims, broadcast_dims(lowering, dims, tensor->dims));
  }
  std::vector<TensorRef> results;
  for (const TensorRef& tensor : tensors) {
    LAN_TRY(TensorRef made, expand_view(lowering, tensor, dims));
    results.push_back(std::move(made));
  }
  return tensor_list(results);
}

// (self, dim, index)
Result<Value> select(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "select from a 0-d tensor");
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  return value_of(select_view(lowering, x, axis, args.integer(2)));
}

// (self, dim, start, end, step)
Result<Value> slice(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "slice of a 0-d tensor");
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  LAN_TRY(const int64_t step, lowering.concrete(args.integer(4)));
  const Dim start = args.is_none(2) ? Dim(0) : args.integer(2);
  const Dim end = args.is_none(3) ? Dim(INT64_MAX) : args.integer(3);
  return value_of(slice_view(lowering, x, axis, start, end, step));
}

Result<Value> narrowed(Lowering& lowering, const TensorRef& x, const Dim& dim, Dim start, const Dim& length) {
  LAN_TRY(const int64_t axis, axis_of(lowering, dim, x->dims.size()));
  LAN_TRY(const bool from_end, lowering.less(start, Dim(0)));
  if (from_end) start = start + x->dims.at(static_cast<size_t>(axis));
  return value_of(slice_view(lowering, x, axis, start, start + length));
}

// (self, dim, start, length)
Result<Value> narrow(Lowering& lowering, const Args& args) {
  return narrowed(lowering, args.tensor(0), args.integer(1), args.integer(2), args.integer(3));
}

Result<Value> narrow_tensor(Lowering& lowering, const Args& args) {
  LAN_TRY(const Dim start, lowering.integer_of(args.tensor(2)));
  return narrowed(lowering, args.tensor(0), args.integer(1), start, args.integer(3));
}

constexpr AtenRow kRows[] = {
    {"aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", view},
    {"aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::view_copy(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)", view},
    {"aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", reshape},
    {"aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)", view_as},
    {"aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)", reshape_as},
    {"aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)", flatten},
    {"aten::ravel(Tensor(a) self) -> Tensor(a)", ravel},
    {"aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)", unflatten},
    {"aten::squeeze(Tensor(a) self) -> Tensor(a)", squeeze},
    {"aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", squeeze_dim},
    {"aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", squeeze_dims},
    {"aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", unsqueeze},
    {"aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", permute},
    {"aten::permute_copy(Tensor self, int[] dims) -> Tensor", permute},
    {"aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)", transpose},
    {"aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::t(Tensor(a) self) -> Tensor(a)", t},
    {"aten::numpy_T(Tensor(a) self) -> Tensor(a)", reversed},
    {"aten::mT(Tensor(a) self) -> Tensor(a)", matrix_transpose},
    {"aten::mH(Tensor(a) self) -> Tensor(a)", matrix_transpose},
    {"aten::adjoint(Tensor(a) self) -> Tensor(a)", matrix_transpose},
    {"aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)", movedim},
    {"aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", movedim_list},
    {"aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)", movedim},
    {"aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", movedim_list},
    {"aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)", expand},
    {"aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", expand},
    {"aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", expand_as},
    {"aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)", expand},
    {"aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors},
    {"aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", select},
    {"aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> "
     "Tensor(a)",
     slice},
    {"aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)", narrow},
    {"aten::narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)", narrow_tensor},
    {"aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor", narrow},
};

}  // namespace

extern const std::span<const AtenRow> aten_view = kRows;

}  // namespace lanthorn::script
