// SwiGLU: https://onnx.ai/onnx/operators/onnx__SwiGLU.html

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_OK(require_same_dtype(c, 0, 2));
  bool fits = c.rank(0) == c.rank(1);
  for (size_t i = 0; fits && i < c.dims(0).size(); ++i) {
    fits = may_equal(c.dims(0)[i], c.dims(1)[i]);
  }
  if (!fits) return shape_error("A " + dims_text(c.dims(0)) + " and B " + dims_text(c.dims(1)));
  return infer_same(c);
}

Status reference(const RunContext& c) {
  const double alpha = c.attributes().real("alpha", 1);
  std::vector<double> gate = read_doubles(c.input(0));
  const std::vector<double> value = read_doubles(c.input(1));
  for (size_t i = 0; i < gate.size(); ++i) {
    gate[i] = gate[i] / (1 + std::exp(-alpha * gate[i])) * value[i];
  }
  write_doubles(c.output(0), gate);
  return ok();
}

}  // namespace

extern constinit const OpDef op_swiglu{
    .name = "SwiGLU",
    .since = 28,
    .inputs = {{"A", kFloats}, {"B", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
