// Splitting a tensor: the pieces are views.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

/// Pieces between consecutive bounds.
Result<Value> pieces(Lowering& lowering, const TensorRef& x, int64_t axis, const Dims& bounds) {
  std::vector<TensorRef> parts;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    LAN_TRY(TensorRef part, slice_view(lowering, x, axis, bounds[i], bounds[i + 1]));
    parts.push_back(std::move(part));
  }
  return tensor_list(parts);
}

Result<int64_t> split_axis(Lowering& lowering, const TensorRef& x, const Dim& dim) {
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a 0-d tensor is split");
  return axis_of(lowering, dim, x->dims.size());
}

/// Pieces of `size`, the last one perhaps smaller. A tensor of no elements is one piece.
Result<Value> split_evenly(Lowering& lowering, const TensorRef& x, int64_t axis, const Dim& size) {
  const Dim& total = x->dims[static_cast<size_t>(axis)];
  // A half of something even is split without asking how much it is.
  for (int64_t count = 1; count <= 8 && !total.is_known(); ++count) {
    if (!(size * Dim(count) == total)) continue;
    Dims bounds;
    for (int64_t i = 0; i <= count; ++i) bounds.push_back(size * Dim(i));
    return pieces(lowering, x, axis, bounds);
  }
  LAN_TRY(const int64_t length, lowering.concrete(total));
  LAN_TRY(const int64_t step, lowering.concrete(size));
  if (step < 1 && length > 0) return lowering.error(ErrorCode::kInvalidInput, "a split into pieces of size 0");
  Dims bounds = {Dim(0)};
  for (int64_t at = 0; at < length; at += step) bounds.push_back(std::min(at + step, length));
  if (length == 0) bounds.push_back(Dim(0));
  return pieces(lowering, x, axis, bounds);
}

// (self, split_size, dim)
Result<Value> split(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  return split_evenly(lowering, args.tensor(0), axis, args.integer(1));
}

// (self, split_sizes, dim)
Result<Value> split_sizes(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  Dims bounds = {Dim(0)};
  for (const Dim& size : args.ints(1)) bounds.push_back(bounds.back() + size);
  const Dim& total = args.tensor(0)->dims[static_cast<size_t>(axis)];
  if (total.is_known() && bounds.back().is_known() && !(total == bounds.back())) {
    return lowering.error(ErrorCode::kInvalidInput, "a dimension of " + total.text() +
                                                        " split into sizes that add up to " +
                                                        bounds.back().text());
  }
  return pieces(lowering, args.tensor(0), axis, bounds);
}

// (self, chunks, dim): pieces of the rounded-up size, perhaps fewer than asked for
Result<Value> chunk(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  LAN_TRY(const int64_t chunks, lowering.concrete(args.integer(1)));
  if (chunks < 1) return lowering.error(ErrorCode::kInvalidInput, "chunk into " + std::to_string(chunks));
  const Dim& total = args.tensor(0)->dims[static_cast<size_t>(axis)];
  return split_evenly(lowering, args.tensor(0), axis, ceil_div(total, Dim(chunks)));
}

/// The first (size mod sections) pieces are one larger.
Result<Value> sections(Lowering& lowering, const TensorRef& x, int64_t axis, int64_t count) {
  if (count < 1) return lowering.error(ErrorCode::kInvalidInput, "a split into no sections");
  LAN_TRY(const int64_t length, lowering.concrete(x->dims[static_cast<size_t>(axis)]));
  Dims bounds = {Dim(0)};
  for (int64_t i = 0; i < count; ++i) {
    bounds.push_back(bounds.back() + Dim(length / count + (i < length % count ? 1 : 0)));
  }
  return pieces(lowering, x, axis, bounds);
}

Result<Value> at_indices(Lowering& lowering, const TensorRef& x, int64_t axis, const Dims& indices) {
  std::vector<TensorRef> parts;
  Dim start(0);
  for (size_t i = 0; i <= indices.size(); ++i) {
    const Dim end = i < indices.size() ? indices[i] : Dim(INT64_MAX);
    LAN_TRY(TensorRef part, slice_view(lowering, x, axis, start, end));
    parts.push_back(std::move(part));
    start = end;
  }
  return tensor_list(parts);
}

// (self, sections, dim)
Result<Value> tensor_split(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  LAN_TRY(const int64_t count, lowering.concrete(args.integer(1)));
  return sections(lowering, args.tensor(0), axis, count);
}

// (self, indices, dim)
Result<Value> tensor_split_indices(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  return at_indices(lowering, args.tensor(0), axis, args.ints(1));
}

// (self, tensor_indices_or_sections, dim)
Result<Value> tensor_split_tensor(Lowering& lowering, const Args& args) {
  LAN_TRY(const int64_t axis, split_axis(lowering, args.tensor(0), args.integer(2)));
  const TensorRef how = args.tensor(1);
  if (how->dims.empty()) {
    LAN_TRY(const Dim number, lowering.integer_of(how));
    LAN_TRY(const int64_t count, lowering.concrete(number));
    return sections(lowering, args.tensor(0), axis, count);
  }
  const auto indices = elements_of(lowering, Value(how));
  if (!indices) return lowering.error(ErrorCode::kUnsupported, "tensor_split at indices that only running tells");
  return at_indices(lowering, args.tensor(0), axis, *indices);
}

// hsplit, vsplit and dsplit: (self, sections) and (self, indices)
template <size_t kAxis, bool kSections>
Result<Value> split_along(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  const size_t axis = kAxis == 1 && x->dims.size() == 1 ? 0 : kAxis;
  if (x->dims.size() <= axis) return lowering.error(ErrorCode::kInvalidInput, "a split of too few dimensions");
  if constexpr (kSections) {
    LAN_TRY(const int64_t count, lowering.concrete(args.integer(1)));
    return sections(lowering, x, static_cast<int64_t>(axis), count);
  } else {
    return at_indices(lowering, x, static_cast<int64_t>(axis), args.ints(1));
  }
}

// (self, dim): one piece an index, without the dimension
Result<Value> unbind(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, split_axis(lowering, x, args.integer(1)));
  LAN_TRY(const int64_t length, lowering.concrete(x->dims[static_cast<size_t>(axis)]));
  std::vector<TensorRef> parts;
  for (int64_t i = 0; i < length; ++i) {
    LAN_TRY(TensorRef part, select_view(lowering, x, axis, Dim(i)));
    parts.push_back(std::move(part));
  }
  return tensor_list(parts);
}

constexpr AtenRow kRows[] = {
    {"aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", chunk},
    {"aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", chunk},
    {"aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]", split},
    {"aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]", split_sizes},
    {"aten::split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]", split_sizes},
    {"aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]", split_sizes},
    {"aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", split},
    {"aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", split_sizes},
    {"aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]", tensor_split},
    {"aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]",
     tensor_split_indices},
    {"aten::tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int "
     "dim=0) -> Tensor(a)[]",
     tensor_split_tensor},
    {"aten::hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", split_along<1, true>},
    {"aten::hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", split_along<1, false>},
    {"aten::vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", split_along<0, true>},
    {"aten::vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", split_along<0, false>},
    {"aten::dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", split_along<2, true>},
    {"aten::dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", split_along<2, false>},
    {"aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", unbind},
};

}  // namespace

extern const std::span<const AtenRow> aten_split = kRows;

}  // namespace lanthorn::script
