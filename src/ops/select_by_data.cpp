// Operators whose output's size only the data tells:
// https://onnx.ai/onnx/operators/onnx__NonZero.html
// OPS: compress non_zero
#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/output_memory_shared.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer_non_zero(InferContext& context) {
  context.set_output(0, DType::kI64, Dims{context.rank(0), Dim::unknown()});
  return ok();
}

std::vector<bool> nonzero_flags(const TensorView& view) {
  std::vector<bool> flags(static_cast<size_t>(view.count()));
  for (size_t i = 0; i < flags.size(); ++i) {
    if (view.dtype == DType::kString) {
      flags[i] = !view.as<std::string>()[i].empty();
      continue;
    }
    uint8_t flag = 0;
    convert(view.dtype, element_at(view.dtype, view.data, static_cast<int64_t>(i)), DType::kBool,
            &flag, 1);
    flags[i] = flag != 0;
  }
  return flags;
}

Status run_non_zero(const RunContext& context) {
  const TensorView& from = context.input(0);
  const std::vector<bool> flags = nonzero_flags(from);
  int64_t found = 0;
  for (const bool flag : flags) found += flag ? 1 : 0;
  const auto rank = static_cast<int64_t>(from.rank());
  uint64_t left = context.memory_left();
  LAN_TRY(Tensor places, allocate_output(DType::kI64, {rank, found}, left));
  const auto out = places.mutable_as<int64_t>();
  std::vector<int64_t> index(from.rank(), 0);
  int64_t column = 0;
  for (const bool flag : flags) {
    for (int64_t d = 0; flag && d < rank; ++d)
      out[static_cast<size_t>(d * found + column)] = index[static_cast<size_t>(d)];
    column += flag ? 1 : 0;
    next_index(from.shape, index);
  }
  context.set_output_value(0, std::move(places));
  return ok();
}

Status infer_compress(InferContext& context) {
  LAN_OK(require_rank(context, 1, 1, 1));
  if (!context.attributes().has("axis")) {
    context.set_output(0, context.dtype(0), Dims{Dim::unknown()});
    return ok();
  }
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
  Dims dims = context.dims(0);
  dims[static_cast<size_t>(axis)] = Dim::unknown();
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status run_compress(const RunContext& context) {
  const TensorView& from = context.input(0);
  const auto flags = context.input(1).as<uint8_t>();
  const bool flat = !context.attributes().has("axis");
  Shape shape = flat ? Shape{from.count()} : Shape(from.shape.begin(), from.shape.end());
  LAN_TRY(const int64_t axis, normal_axis(flat ? 0 : context.attributes().integer("axis", 0),
                                          static_cast<int64_t>(shape.size())));
  const AxisView view = view_axis(shape, axis);
  std::vector<int64_t> taken;
  for (size_t i = 0; i < flags.size() && static_cast<int64_t>(i) < view.size; ++i) {
    if (flags[i] != 0) taken.push_back(static_cast<int64_t>(i));
  }
  shape[static_cast<size_t>(axis)] = static_cast<int64_t>(taken.size());
  uint64_t left = context.memory_left();
  LAN_TRY(Tensor to, allocate_output(from.dtype, std::move(shape), left));
  std::byte* target = to.mutable_data();
  int64_t at = 0;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (const int64_t index : taken) {
      copy_elements(from.dtype,
                    element_at(from.dtype, from.data, (outer * view.size + index) * view.inner),
                    element_at(from.dtype, target, at), static_cast<size_t>(view.inner));
      at += view.inner;
    }
  }
  context.set_output_value(0, std::move(to));
  return ok();
}

}  // namespace

extern constinit const OpDef op_compress = {.name = "Compress",
                                            .since = 28,
                                            .inputs = {{"input"}, {"condition", kBoolType}},
                                            .outputs = {{"output"}},
                                            .infer = infer_compress,
                                            .reference = run_compress,
                                            .data_dependent = true};
extern constinit const OpDef op_non_zero = {.name = "NonZero",
                                            .since = 13,
                                            .inputs = {{"X"}},
                                            .outputs = {{"Y"}},
                                            .infer = infer_non_zero,
                                            .reference = run_non_zero,
                                            .data_dependent = true};

}  // namespace lanthorn
