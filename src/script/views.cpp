// Views made functional. A view is its base and one step; reading applies the steps to the current
// value of the storage, writing undoes them from the view down to the storage.
#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"
#include "script/aten/sizes_shared.h"
#include "script/complex_tensor.h"
#include "script/graph_lowering.h"

namespace lanthorn::script {
namespace {

bool same_dims(const Dims& a, const Dims& b) { return a == b; }

/// The dims of a tensor's value in the graph: complex numbers are two real ones there.
Dims stored(Dims dims, DType dtype) {
  if (is_complex(dtype)) dims.push_back(Dim(2));
  return dims;
}

std::vector<int64_t> stored(std::vector<int64_t> permutation, DType dtype) {
  if (is_complex(dtype)) permutation.push_back(static_cast<int64_t>(permutation.size()));
  return permutation;
}

/// A complex tensor's memory as its parts.
Result<Tensor> parts_of_memory(const Tensor& tensor) {
  if (!is_complex(tensor.dtype())) return tensor;
  LAN_TRY(const Tensor plain, tensor.contiguous());
  const DType dtype = real_type_of(plain.dtype());
  Shape shape = plain.shape();
  shape.push_back(2);
  return Tensor::wrap(dtype, std::move(shape), plain.bytes(), plain.storage());
}

/// Whether a -1 for the one unknown size of `to` says the same as the size itself. Where it does not,
/// it would hide that the elements do not fit.
bool may_infer_size(const Dims& from, const Dims& to) {
  if (product(from) == product(to)) return true;
  const auto unknown = std::find_if(to.begin(), to.end(), [](const Dim& dim) { return !dim.is_known(); });
  return unknown != to.end() && missing_dim(from, to, static_cast<size_t>(unknown - to.begin())) == *unknown;
}

}  // namespace

Result<ValueId> GraphLowering::read(const TensorRef& tensor) {
  StorageRoot& root = *tensor->root;
  if (!tensor->base) {
    if (root.current == kNoValue) {
      LAN_CHECK(root.loaded.defined());
      LAN_TRY(root.loaded, parts_of_memory(root.loaded));
      Dims dims(root.loaded.shape().begin(), root.loaded.shape().end());
      std::optional<Dims> told;
      if (root.loaded.count() <= 16) {
        if (const auto ints = root.loaded.to_ints()) told = Dims(ints->begin(), ints->end());
      }
      root.current =
          add_value(ValueType::tensor(root.loaded.dtype(), std::move(dims)), std::move(told));
      graph_->values[root.current].constant = root.loaded;
      graph_->values[root.current].name = root.attribute;
      weight_[root.current] = true;
    }
    return root.current;
  }
  if (tensor->cached != kNoValue && tensor->cached_version == root.version) return tensor->cached;
  LAN_TRY(const ValueId base, read(tensor->base));
  LAN_TRY(const ValueId value, apply(base, tensor));
  tensor->cached = value;
  tensor->cached_version = root.version;
  return value;
}

Result<ValueId> GraphLowering::apply(ValueId base, const TensorRef& view) {
  const ViewStep& step = view->step;
  switch (step.kind) {
    case ViewStep::Kind::kPermute:
      return emit("Transpose", {base}, {{"perm", stored(step.permutation, view->dtype)}});
    case ViewStep::Kind::kReshape: {
      const bool infer = may_infer_size(view->base->dims, step.dims);
      const Dims dims = stored(step.dims, view->dtype);
      LAN_TRY(const ValueId shape, infer ? reshape_value(dims) : shape_value(dims));
      return emit("Reshape", {base, shape}, {{"allowzero", int64_t{1}}});
    }
    case ViewStep::Kind::kExpand: {
      LAN_TRY(const ValueId shape, shape_value(stored(step.dims, view->dtype)));
      return emit("Expand", {base, shape});
    }
    case ViewStep::Kind::kSelect: {
      if (step.start.is_known()) {
        return emit("Gather", {base, constant(Tensor::scalar_i64(step.start.value()))},
                    {{"axis", step.axis}});
      }
      LAN_TRY(const ValueId list, shape_value(std::array{step.start}));
      LAN_TRY(const ValueId index, emit("Squeeze", {list}));
      return emit("Gather", {base, index}, {{"axis", step.axis}});
    }
    case ViewStep::Kind::kSlice: {
      const Dims& dims = view->base->dims;
      const bool to_the_end = step.end == dims[static_cast<size_t>(step.axis)];
      LAN_TRY(const ValueId start, shape_value(std::array{step.start}));
      LAN_TRY(const ValueId end, shape_value(std::array{to_the_end ? Dim(INT64_MAX) : step.end}));
      LAN_TRY(const ValueId by, shape_value(std::array{step.step}));
      return emit("Slice",
                  {base, start, end, constant(Tensor::of_ints(std::array{step.axis})), by});
    }
  }
  return error(ErrorCode::kInternal, "a view of no kind");
}

Result<TensorRef> GraphLowering::view(const TensorRef& base, ViewStep step) {
  auto out = std::make_shared<SymTensor>();
  out->root = base->root;
  out->base = base;
  out->dtype = base->dtype;
  const size_t rank = base->dims.size();
  switch (step.kind) {
    case ViewStep::Kind::kPermute:
      LAN_CHECK(step.permutation.size() == rank);
      for (const int64_t axis : step.permutation)
        out->dims.push_back(base->dims[static_cast<size_t>(axis)]);
      break;
    case ViewStep::Kind::kReshape:
    case ViewStep::Kind::kExpand:
      out->dims = step.dims;
      break;
    case ViewStep::Kind::kSelect:
      LAN_CHECK(step.axis >= 0 && static_cast<size_t>(step.axis) < rank);
      out->dims = base->dims;
      out->dims.erase(out->dims.begin() + step.axis);
      break;
    case ViewStep::Kind::kSlice: {
      LAN_CHECK(step.axis >= 0 && static_cast<size_t>(step.axis) < rank);
      out->dims = base->dims;
      out->dims[static_cast<size_t>(step.axis)] = ceil_div(step.end - step.start, step.step);
      break;
    }
  }
  out->step = std::move(step);
  return out;
}

Result<ValueId> GraphLowering::fit_to(ValueId value, DType wanted, const Dims& logical) {
  const DType dtype = real_type_of(wanted);
  const Dims dims = stored(logical, wanted);
  LAN_TRY(ValueId fitted, cast(*this, value, dtype));
  if (same_dims(type(fitted).dims, dims)) return fitted;
  // A leading 1 may go, as PyTorch's copy_ lets it.
  const Dims have = type(fitted).dims;
  if (have.size() > dims.size()) {
    LAN_TRY(const ValueId shape, reshape_value(dims));
    return emit("Reshape", {fitted, shape}, {{"allowzero", int64_t{1}}});
  }
  LAN_TRY(const ValueId shape, shape_value(dims));
  return emit("Expand", {fitted, shape});
}

Result<Value> GraphLowering::write(const TensorRef& target, ValueId value) {
  if (value == kNoValue) return error(ErrorCode::kInternal, "a write of nothing");
  LAN_TRY(const ValueId fitted, fit_to(value, target->dtype, target->dims));
  LAN_TRY(const ValueId storage, put_back(target, fitted));
  StorageRoot& root = *target->root;
  if (run_piece && root.version == 0) roots_.push_back(target->root);
  root.current = storage;
  ++root.version;
  // What was written is what this view now reads.
  if (target->base) {
    target->cached = fitted;
    target->cached_version = root.version;
  }
  return Value(target);
}

Result<ValueId> GraphLowering::put_back(const TensorRef& view, ValueId value) {
  if (!view->base) return value;
  const ViewStep& step = view->step;
  const Dims& dims = view->base->dims;
  ValueId whole = kNoValue;
  switch (step.kind) {
    case ViewStep::Kind::kPermute: {
      std::vector<int64_t> inverse(step.permutation.size());
      for (size_t i = 0; i < inverse.size(); ++i)
        inverse[static_cast<size_t>(step.permutation[i])] = static_cast<int64_t>(i);
      LAN_TRY(whole, emit("Transpose", {value}, {{"perm", stored(std::move(inverse), view->dtype)}}));
      break;
    }
    case ViewStep::Kind::kReshape: {
      LAN_TRY(const ValueId shape, reshape_value(stored(dims, view->dtype)));
      LAN_TRY(whole, emit("Reshape", {value, shape}, {{"allowzero", int64_t{1}}}));
      break;
    }
    case ViewStep::Kind::kExpand: {
      LAN_TRY(const bool grew, [&]() -> Result<bool> {
        LAN_TRY(const bool same, equal(product(step.dims), product(dims)));
        return !same;
      }());
      if (grew) {
        return error(ErrorCode::kUnsupported,
                     "a write into an expanded tensor, whose elements share memory");
      }
      LAN_TRY(const ValueId shape, reshape_value(stored(dims, view->dtype)));
      LAN_TRY(whole, emit("Reshape", {value, shape}, {{"allowzero", int64_t{1}}}));
      break;
    }
    case ViewStep::Kind::kSelect:
    case ViewStep::Kind::kSlice: {
      LAN_TRY(const ValueId base, read(view->base));
      LAN_TRY(whole, write_slice(view, base, value));
      break;
    }
  }
  return put_back(view->base, whole);
}

Result<ValueId> GraphLowering::write_slice(const TensorRef& view, ValueId base, ValueId value) {
  const ViewStep& step = view->step;
  const Dims dims = stored(view->base->dims, view->dtype);
  const size_t axis = static_cast<size_t>(step.axis);
  const bool select = step.kind == ViewStep::Kind::kSelect;
  const Dim end = select ? step.start + Dim(1) : step.end;
  if (select) {
    LAN_TRY(value, emit("Unsqueeze", {value, constant(Tensor::of_ints(std::array{step.axis}))}));
  } else if (step.start.is(0) && step.end == dims[axis] && step.step.is(1)) {
    return value;
  }
  if (!select && !step.step.is(1)) {
    // Every so many: the axis goes to the front, whole rows are put in, and it goes back.
    std::vector<int64_t> perm(dims.size());
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[0], perm[axis]);
    LAN_TRY(const ValueId first, shape_value(std::array{step.start}));
    LAN_TRY(const ValueId last, shape_value(std::array{step.end}));
    LAN_TRY(const ValueId by, shape_value(std::array{step.step}));
    LAN_TRY(const ValueId first_scalar, emit("Squeeze", {first}));
    LAN_TRY(const ValueId last_scalar, emit("Squeeze", {last}));
    LAN_TRY(const ValueId by_scalar, emit("Squeeze", {by}));
    LAN_TRY(const ValueId range, emit("Range", {first_scalar, last_scalar, by_scalar}));
    LAN_TRY(const ValueId rows,
            emit("Unsqueeze", {range, constant(Tensor::of_ints(std::array{int64_t{1}}))}));
    if (axis == 0) return emit("ScatterND", {base, rows, value});
    LAN_TRY(const ValueId turned, emit("Transpose", {base}, {{"perm", perm}}));
    LAN_TRY(const ValueId turned_value, emit("Transpose", {value}, {{"perm", perm}}));
    LAN_TRY(const ValueId put, emit("ScatterND", {turned, rows, turned_value}));
    return emit("Transpose", {put}, {{"perm", perm}});
  }
  const ValueId axes = constant(Tensor::of_ints(std::array{step.axis}));
  std::vector<ValueId> parts;
  if (!step.start.is(0)) {
    LAN_TRY(const ValueId from, shape_value(std::array{Dim(0)}));
    LAN_TRY(const ValueId to, shape_value(std::array{step.start}));
    LAN_TRY(const ValueId before, emit("Slice", {base, from, to, axes}));
    parts.push_back(before);
  }
  parts.push_back(value);
  if (!(end == dims[axis])) {
    LAN_TRY(const ValueId from, shape_value(std::array{end}));
    LAN_TRY(const ValueId to, shape_value(std::array{Dim(INT64_MAX)}));
    LAN_TRY(const ValueId after, emit("Slice", {base, from, to, axes}));
    parts.push_back(after);
  }
  if (parts.size() == 1) return parts[0];
  LAN_TRY(const ValueId whole, emit("Concat", std::move(parts), {{"axis", step.axis}}));
  // The sum of the parts is the whole, which a shape rule cannot always see.
  graph_->values[whole].type.dims = dims;
  return whole;
}

}  // namespace lanthorn::script
