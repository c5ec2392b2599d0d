// OPS: ms_qlinear_add ms_qlinear_mul ms_qlinear_sigmoid ms_qlinear_leaky_relu
// Element-wise operators of quantized numbers, as ONNX Runtime's quantizer writes them.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <cmath>

#include "ops/loops.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

QuantizedOperand operand(const RunContext& c, size_t scale) {
  return QuantizedOperand::read(c.input(scale),
                                c.has_input(scale + 1) ? &c.input(scale + 1) : nullptr);
}

Status infer_binary(InferContext& c) {
  LAN_TRY(Dims y, broadcast_dims(c.dims(0), c.dims(3)));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

template <class F>
Status binary(const RunContext& c, F function) {
  LAN_OK(require_single(c, {1, 2, 4, 5, 6, 7}));
  const MutableTensorView& y = c.output(0);
  const std::vector<double> a = dequantized(c.input(0), operand(c, 1));
  const std::vector<double> b = dequantized(c.input(3), operand(c, 4));
  std::vector<double> results(static_cast<size_t>(y.count()));
  const std::span<const int64_t> shapes[] = {c.input(0).shape, c.input(3).shape};
  for (BroadcastWalk walk(y.shape, shapes); !walk.done(); walk.next()) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      results[static_cast<size_t>(walk.at() + i)] =
          function(a[static_cast<size_t>(walk.at(0) + i * walk.step(0))],
                   b[static_cast<size_t>(walk.at(1) + i * walk.step(1))]);
    }
  }
  write_quantized(y, results, operand(c, 6));
  return ok();
}

Status add(const RunContext& c) {
  return binary(c, [](double a, double b) { return a + b; });
}
Status mul(const RunContext& c) {
  return binary(c, [](double a, double b) { return a * b; });
}

Status infer_unary(InferContext& c) {
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

template <class F>
Status unary(const RunContext& c, F function) {
  LAN_OK(require_single(c, {1, 2, 3, 4}));
  std::vector<double> values = dequantized(c.input(0), operand(c, 1));
  for (double& value : values) value = function(value);
  write_quantized(c.output(0), values, operand(c, 3));
  return ok();
}

Status sigmoid(const RunContext& c) {
  return unary(c, [](double x) { return 1 / (1 + std::exp(-x)); });
}
Status leaky_relu(const RunContext& c) {
  const double alpha = c.attributes().real("alpha", 0.01f);
  return unary(c, [alpha](double x) { return x < 0 ? alpha * x : x; });
}

}  // namespace

extern constinit const OpDef op_ms_qlinear_add{
    .name = "QLinearAdd",
    .domain = "com.microsoft",
    .inputs = {{"A", kBytes},
               {"A_scale", kF32},
               {"A_zero_point", kBytes, true},
               {"B", kBytes},
               {"B_scale", kF32},
               {"B_zero_point", kBytes, true},
               {"C_scale", kF32},
               {"C_zero_point", kBytes, true}},
    .outputs = {{"C", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_binary,
    .reference = add,
};

extern constinit const OpDef op_ms_qlinear_mul{
    .name = "QLinearMul",
    .domain = "com.microsoft",
    .inputs = {{"A", kBytes},
               {"A_scale", kF32},
               {"A_zero_point", kBytes, true},
               {"B", kBytes},
               {"B_scale", kF32},
               {"B_zero_point", kBytes, true},
               {"C_scale", kF32},
               {"C_zero_point", kBytes, true}},
    .outputs = {{"C", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_binary,
    .reference = mul,
};

extern constinit const OpDef op_ms_qlinear_sigmoid{
    .name = "QLinearSigmoid",
    .domain = "com.microsoft",
    .inputs = {{"X", kBytes},
               {"X_scale", kF32},
               {"X_zero_point", kBytes, true},
               {"Y_scale", kF32},
               {"Y_zero_point", kBytes, true}},
    .outputs = {{"Y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_unary,
    .reference = sigmoid,
};

extern constinit const OpDef op_ms_qlinear_leaky_relu{
    .name = "QLinearLeakyRelu",
    .domain = "com.microsoft",
    .inputs = {{"X", kBytes},
               {"X_scale", kF32},
               {"X_zero_point", kBytes, true},
               {"Y_scale", kF32},
               {"Y_zero_point", kBytes, true}},
    .outputs = {{"Y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_unary,
    .reference = leaky_relu,
};

}  // namespace lanthorn
