// A matrix times weights with bias, residual and activation: y = act(A x B + bias + residual).
// A is [..., K], B [K, N], or [N, K] with transB = 1; the bias is [N], the residual [..., N].
#include "ops/elementwise.h"
#include "ops/epilogue_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_OK(require_rank(context, 1, 2, 2));
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  const bool transposed = context.attributes().integer("transB", 0) != 0;
  const Dim &inner = context.dims(1)[transposed ? 1 : 0],
            &columns = context.dims(1)[transposed ? 0 : 1];
  const Dim& given = context.dims(0).back();
  if (given.is_known() && inner.is_known() && !(given == inner)) {
    return refused("matrices of " + dims_text(context.dims(0)) + " and " +
                   dims_text(context.dims(1)) + (transposed ? " (transposed)" : "") +
                   " do not multiply");
  }
  Dims dims = context.dims(0);
  dims.back() = columns;
  LAN_OK(check_epilogue(context, 2, 3, dims));
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

Status reference(const RunContext& context) {
  const bool transposed = context.attributes().integer("transB", 0) != 0;
  const std::vector<double> a = wide_copy<double>(context.input(0)),
                            b = wide_copy<double>(context.input(1));
  const std::span<const int64_t> shape = context.output(0).shape;
  const auto columns = static_cast<size_t>(shape.back()),
             inner = static_cast<size_t>(context.input(0).shape.back());
  std::vector<double> y(static_cast<size_t>(context.output(0).count()), 0.0);
  for (size_t row = 0; columns > 0 && row < y.size() / columns; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (size_t k = 0; k < inner; ++k) {
        sum += a[row * inner + k] * b[transposed ? column * inner + k : k * columns + column];
      }
      y[row * columns + column] = sum;
    }
  }
  return store_with_epilogue(context, std::move(y), 2, 3);
}

}  // namespace

extern constinit const OpDef op_fused_mat_mul = {.name = "FusedMatMul",
                                                 .domain = "lanthorn",
                                                 .inputs = {{"A", kFloats},
                                                            {"B", kFloats},
                                                            {"bias", kFloats, true},
                                                            {"residual", kFloats, true}},
                                                 .outputs = {{"Y"}},
                                                 .accuracy = Accuracy::kSummed,
                                                 .infer = infer,
                                                 .reference = reference};

}  // namespace lanthorn
