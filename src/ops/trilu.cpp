// The triangle of a matrix: https://onnx.ai/onnx/operators/onnx__Trilu.html
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 2));
  context.set_output(0, context.input(0));
  return ok();
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  int64_t k = 0;
  if (context.has_input(1) && context.input(1).count() > 0)
    load_wide(context.input(1), 0, 1, &k, 1);
  const bool upper = context.attributes().integer("upper", 1) != 0;
  const int64_t rows = from.shape[from.rank() - 2], columns = from.shape[from.rank() - 1];
  k = std::clamp(k, -rows, columns);
  for (int64_t i = 0; columns > 0 && i < from.count() / columns; ++i) {
    // The diagonal's column in this row; the triangle begins or ends with it.
    const int64_t diagonal = i % rows + k;
    const int64_t first = upper ? std::clamp<int64_t>(diagonal, 0, columns) : 0;
    const int64_t last = upper ? columns : std::clamp<int64_t>(diagonal + 1, 0, columns);
    copy_elements(from.dtype, element_at(from.dtype, from.data, i * columns + first),
                  element_at(to.dtype, to.data, i * columns + first),
                  static_cast<size_t>(last - first));
    clear_elements(to.dtype, element_at(to.dtype, to.data, i * columns),
                   static_cast<size_t>(first));
    clear_elements(to.dtype, element_at(to.dtype, to.data, i * columns + last),
                   static_cast<size_t>(columns - last));
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_trilu = {.name = "Trilu",
                                         .since = 14,
                                         .inputs = {{"input"}, {"k", kI64Type, true}},
                                         .outputs = {{"output"}},
                                         .infer = infer,
                                         .reference = reference};

}  // namespace lanthorn
