// The sizes of a tensor as numbers: https://onnx.ai/onnx/operators/onnx__Shape.html
// OPS: shape size
#include <algorithm>

#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// The dimensions [first, last) that the attributes ask for.
std::pair<size_t, size_t> part_of(const Attributes& attributes, int64_t rank) {
  const auto clamped = [rank](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t first = clamped(attributes.integer("start", 0)),
                last = clamped(attributes.integer("end", rank));
  return {static_cast<size_t>(first), static_cast<size_t>(std::max(first, last))};
}

Status infer_shape(InferContext& context) {
  const auto [first, last] = part_of(context.attributes(), context.rank(0));
  const Dims& dims = context.dims(0);
  context.set_output(0, DType::kI64, {static_cast<int64_t>(last - first)});
  context.set_elements(0, Dims(dims.begin() + static_cast<int64_t>(first),
                               dims.begin() + static_cast<int64_t>(last)));
  return ok();
}

Status run_shape(const RunContext& context) {
  const std::span<const int64_t> shape = context.input(0).shape;
  const auto [first, last] = part_of(context.attributes(), static_cast<int64_t>(shape.size()));
  std::copy(shape.begin() + static_cast<int64_t>(first), shape.begin() + static_cast<int64_t>(last),
            context.output(0).as<int64_t>().begin());
  return ok();
}

Status infer_size(InferContext& context) {
  context.set_output(0, DType::kI64, Dims{});
  context.set_elements(0, {product(context.dims(0))});
  return ok();
}

Status run_size(const RunContext& context) {
  context.output(0).as<int64_t>()[0] = context.input(0).count();
  return ok();
}

}  // namespace

extern constinit const OpDef op_shape = {.name = "Shape",
                                         .since = 25,
                                         .inputs = {{"data"}},
                                         .outputs = {{"shape"}},
                                         .infer = infer_shape,
                                         .reference = run_shape};
extern constinit const OpDef op_size = {.name = "Size",
                                        .since = 25,
                                        .inputs = {{"data"}},
                                        .outputs = {{"size"}},
                                        .infer = infer_size,
                                        .reference = run_size};

}  // namespace lanthorn
