#include "script/aten/views_shared.h"

#include <algorithm>

#include "script/complex_tensor.h"

namespace lanthorn::script {
namespace {

/// 0 for what is certainly not negative, without asking for a value.
Dim at_least_zero(const Dim& dim) { return dim.is_known() && dim.value() >= 0 ? dim : max(dim, Dim(0)); }

/// A bound of a slice, counted from the front and clamped to [0, size].
Dim clamped(const Dim& bound, const Dim& size) {
  if (bound.is_known()) {
    const int64_t number = bound.value();
    if (number < 0) return at_least_zero(size + bound);
    if (number == 0) return bound;
    if (number == INT64_MAX) return size;
  }
  if (bound == size) return size;
  return min(bound, size);
}

}  // namespace

Result<TensorRef> reshape_view(Lowering& lowering, const TensorRef& base, Dims dims) {
  if (dims == base->dims) return base;
  ViewStep step;
  step.kind = ViewStep::Kind::kReshape;
  step.dims = std::move(dims);
  return lowering.view(base, std::move(step));
}

Result<TensorRef> permute_view(Lowering& lowering, const TensorRef& base, std::vector<int64_t> permutation) {
  if (std::is_sorted(permutation.begin(), permutation.end())) return base;
  ViewStep step;
  step.kind = ViewStep::Kind::kPermute;
  step.permutation = std::move(permutation);
  return lowering.view(base, std::move(step));
}

Result<TensorRef> expand_view(Lowering& lowering, const TensorRef& base, Dims dims) {
  if (dims == base->dims) return base;
  ViewStep step;
  step.kind = ViewStep::Kind::kExpand;
  step.dims = std::move(dims);
  return lowering.view(base, std::move(step));
}

Result<TensorRef> select_view(Lowering& lowering, const TensorRef& base, int64_t axis, const Dim& index) {
  const Dim& size = base->dims.at(static_cast<size_t>(axis));
  ViewStep step;
  step.kind = ViewStep::Kind::kSelect;
  step.axis = axis;
  LAN_TRY(const bool from_end, lowering.less(index, Dim(0)));
  step.start = from_end ? size + index : index;
  if (size.is_known() && step.start.is_known() &&
      (step.start.value() < 0 || step.start.value() >= size.value())) {
    return lowering.error(ErrorCode::kInvalidInput, "index " + index.text() + " of a dimension of size " +
                                                        size.text());
  }
  return lowering.view(base, std::move(step));
}

Result<TensorRef> slice_view(Lowering& lowering, const TensorRef& base, int64_t axis, const Dim& start,
                             const Dim& end, int64_t step) {
  if (step < 1) return lowering.error(ErrorCode::kInvalidInput, "a slice with a step below 1");
  const Dim& size = base->dims.at(static_cast<size_t>(axis));
  ViewStep made;
  made.kind = ViewStep::Kind::kSlice;
  made.axis = axis;
  made.start = clamped(start, size);
  made.end = clamped(end, size);
  if (made.start.is(0) && made.end == size && step == 1) return base;
  if (!made.start.is(0) && !(made.end == size)) made.end = max(made.end, made.start);
  made.step = Dim(step);
  return lowering.view(base, std::move(made));
}

Result<TensorRef> unsqueeze_view(Lowering& lowering, const TensorRef& base, int64_t axis) {
  Dims dims = base->dims;
  dims.insert(dims.begin() + axis, Dim(1));
  return reshape_view(lowering, base, std::move(dims));
}

Result<TensorRef> copied(Lowering& lowering, const TensorRef& base) {
  LAN_TRY(const ValueId value, lowering.read(base));
  return is_complex(base->dtype) ? as_complex(lowering, value) : lowering.tensor(value);
}

Result<Dims> resolved(Lowering& lowering, const Dims& from, Dims to) {
  std::optional<size_t> missing;
  for (size_t i = 0; i < to.size(); ++i) {
    if (!to[i].is(-1)) continue;
    if (missing) return lowering.error(ErrorCode::kInvalidInput, "two dimensions of a shape are -1");
    missing = i;
  }
  if (missing) to[*missing] = missing_dim(from, to, *missing);
  const Dim have = product(from), want = product(to);
  if (have.is_known() && want.is_known() && !(have == want)) {
    return lowering.error(ErrorCode::kInvalidInput,
                          "a tensor of shape " + dims_text(from) + " has not the shape " + dims_text(to));
  }
  return to;
}

Result<Dims> broadcast_dims(Lowering& lowering, const Dims& a, const Dims& b) {
  const size_t rank = std::max(a.size(), b.size());
  Dims dims(rank, Dim(1));
  for (size_t i = 0; i < rank; ++i) {
    const Dim left = i + a.size() < rank ? Dim(1) : a[i + a.size() - rank];
    const Dim right = i + b.size() < rank ? Dim(1) : b[i + b.size() - rank];
    if (left.is(1) || left == right) {
      dims[i] = right;
    } else if (right.is(1)) {
      dims[i] = left;
    } else if (left.is_known() && right.is_known()) {
      return lowering.error(ErrorCode::kInvalidInput, "shapes " + dims_text(a) + " and " + dims_text(b) +
                                                          " do not broadcast");
    } else {
      // An unknown size beside a known one that is not 1 must be that one or 1.
      dims[i] = left.is_known() ? left : right;
    }
  }
  return dims;
}

}  // namespace lanthorn::script
