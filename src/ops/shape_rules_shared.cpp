#include <algorithm>

#include "ops/loops.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// One dimension of a broadcast, or nothing if the two do not fit.
std::optional<Dim> broadcast_dim(const Dim& a, const Dim& b) {
  if (a == b || b.is(1)) return a;
  if (a.is(1)) return b;
  if (a.is_known() && b.is_known()) return std::nullopt;
  // Known and not 1: the other one is equal or 1.
  if (a.is_known()) return a;
  if (b.is_known()) return b;
  return max(a, b);
}

std::optional<Shape> known_shape(std::span<const Dim> dims) {
  Shape shape;
  for (const Dim& dim : dims) {
    if (!dim.is_known()) return std::nullopt;
    shape.push_back(dim.value());
  }
  return shape;
}

}  // namespace

Error refused(std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "", ""};
}

Result<Dims> broadcast_dims(std::span<const Dim> a, std::span<const Dim> b) {
  const size_t rank = std::max(a.size(), b.size());
  Dims dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    const Dim left = i + a.size() < rank ? Dim(1) : a[i + a.size() - rank];
    const Dim right = i + b.size() < rank ? Dim(1) : b[i + b.size() - rank];
    const std::optional<Dim> dim = broadcast_dim(left, right);
    if (!dim)
      return refused("shapes " + dims_text(a) + " and " + dims_text(b) + " do not broadcast");
    dims[i] = *dim;
  }
  return dims;
}

Result<Dims> broadcast_inputs(const InferContext& context, size_t first, size_t last) {
  Dims dims;
  for (size_t i = first; i < last; ++i) {
    if (!context.has_input(i)) continue;
    LAN_TRY(dims, broadcast_dims(dims, context.dims(i)));
  }
  return dims;
}

Result<int64_t> normal_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    return refused("axis " + std::to_string(axis) + " is not one of " + std::to_string(rank) +
                   " dimensions");
  }
  return axis < 0 ? axis + rank : axis;
}

Result<std::vector<int64_t>> normal_axes(std::span<const int64_t> axes, int64_t rank) {
  std::vector<int64_t> normal;
  for (const int64_t axis : axes) {
    LAN_TRY(normal.emplace_back(), normal_axis(axis, rank));
  }
  std::sort(normal.begin(), normal.end());
  const auto twice = std::adjacent_find(normal.begin(), normal.end());
  if (twice != normal.end()) return refused("axis " + std::to_string(*twice) + " is there twice");
  return normal;
}

Status require_same_dtype(const InferContext& context, size_t first, size_t last) {
  for (size_t i = first + 1; i < last; ++i) {
    if (!context.has_input(i) || context.dtype(i) == context.dtype(first)) continue;
    return refused("input " + std::to_string(i) + " is of type " +
                   std::string(dtype_name(context.dtype(i))) + ", but input " +
                   std::to_string(first) + " of type " +
                   std::string(dtype_name(context.dtype(first))));
  }
  return ok();
}

Status require_rank(const InferContext& context, size_t input, int64_t at_least, int64_t at_most) {
  const int64_t rank = context.rank(input);
  if (rank >= at_least && rank <= at_most) return ok();
  std::string wanted = std::to_string(at_least);
  if (at_most == INT64_MAX) {
    wanted = "at least " + wanted;
  } else if (at_most != at_least) {
    wanted += " to " + std::to_string(at_most);
  }
  return refused("input " + std::to_string(input) + " has the shape " +
                 dims_text(context.dims(input)) + ", but " + wanted + " dimensions are needed");
}

std::optional<std::vector<int64_t>> known_ints(const InferContext& context, size_t input) {
  if (const Tensor* tensor = context.constant(input)) return tensor->to_ints();
  const std::optional<Dims> elements = context.elements(input);
  if (!elements) return std::nullopt;
  return known_shape(*elements);
}

Dims unknown_dims(size_t rank) {
  Dims dims(rank);
  for (Dim& dim : dims) dim = Dim::unknown();
  return dims;
}

Status infer_same(InferContext& context) {
  context.set_output(0, context.input(0));
  return ok();
}

Status infer_identity(InferContext& context) {
  LAN_OK(infer_same(context));
  pass_elements(context);
  return ok();
}

Status infer_broadcast(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  LAN_TRY(Dims dims, broadcast_inputs(context, 0, context.input_count()));
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status infer_comparison(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  context.outputs[0].dtype = DType::kBool;
  return ok();
}

void propagate(InferContext& context, Dim (*function)(const Dim&)) {
  std::optional<Dims> elements = context.elements(0);
  if (!elements) return;
  for (Dim& element : *elements) element = function(element);
  context.set_elements(0, *std::move(elements));
}

void propagate(InferContext& context, Dim (*function)(const Dim&, const Dim&)) {
  const size_t inputs[] = {0, 1};
  std::optional<Dims> elements = broadcast_elements(
      context, inputs,
      [function](std::span<const Dim> args) { return std::optional(function(args[0], args[1])); });
  if (elements) context.set_elements(0, *std::move(elements));
}

std::optional<Dims> broadcast_elements(
    const InferContext& context, std::span<const size_t> inputs,
    const std::function<std::optional<Dim>(std::span<const Dim>)>& function) {
  std::vector<Dims> known;
  std::vector<Shape> shapes;
  Dims all;
  for (const size_t input : inputs) {
    std::optional<Dims> elements = context.elements(input);
    std::optional<Shape> shape = known_shape(context.dims(input));
    Result<Dims> together = broadcast_dims(all, context.dims(input));
    if (!elements || !shape || !together) return std::nullopt;
    known.push_back(*std::move(elements));
    shapes.push_back(*std::move(shape));
    all = *std::move(together);
  }
  const std::optional<Shape> out_shape = known_shape(all);
  if (!out_shape || !product(all).is_known() ||
      product(all).value() > static_cast<int64_t>(InferContext::kMaxElements)) {
    return std::nullopt;
  }
  Dims result;
  std::vector<Dim> args(inputs.size());
  std::vector<std::span<const int64_t>> views(shapes.begin(), shapes.end());
  for (BroadcastWalk walk(*out_shape, views); !walk.done(); walk.next()) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      for (size_t k = 0; k < args.size(); ++k)
        args[k] = known[k][static_cast<size_t>(walk.at(k) + i * walk.step(k))];
      const std::optional<Dim> value = function(args);
      if (!value) return std::nullopt;
      result.push_back(*value);
    }
  }
  return result;
}

void pass_elements(InferContext& context, size_t i) {
  if (std::optional<Dims> elements = context.elements(i))
    context.set_elements(0, *std::move(elements));
}

}  // namespace lanthorn
