// OPS: ms_qgemm ms_fused_gemm
// com.microsoft.QGemm: a Gemm of quantized numbers, quantized again if y_scale is given;
// com.microsoft.FusedGemm: activation(Gemm).
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/fused_activation_shared.h"
#include "ops/gemm_shared.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);
constexpr size_t kA = 0, kAScale = 1, kAZero = 2, kB = 3, kBScale = 4, kBZero = 5, kC = 6,
                 kYScale = 7, kYZero = 8;

Status check_bias(const Dims& bias, const Dims& y) {
  bool fits = bias.size() <= 2;
  for (size_t i = 0; fits && i < bias.size(); ++i) {
    fits = bias[i].is(1) || may_equal(bias[i], y[2 - bias.size() + i]);
  }
  if (fits) return ok();
  return shape_error("C " + dims_text(bias) + " does not fit " + dims_text(y));
}

// C spread to [rows, columns].
std::vector<double> spread(const TensorView& bias, size_t rows, size_t columns) {
  const std::vector<double> values = read_doubles(bias);
  std::vector<double> all(rows * columns);
  const size_t rank = bias.rank();
  const bool by_column = rank > 0 && bias.shape[rank - 1] != 1;
  const bool by_row = rank > 1 && bias.shape[0] != 1;
  const size_t width = by_column ? columns : 1;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = values[(by_row ? i / columns * width : 0) + (by_column ? i % columns : 0)];
  }
  return all;
}

Status infer_quantized(InferContext& c) {
  LAN_TRY(Dims y, infer_gemm(c.attributes(), c.dims(kA), c.dims(kB)));
  if (c.has_input(kC)) LAN_OK(check_bias(c.dims(kC), y));
  const DType dtype = !c.has_input(kYScale) ? DType::kF32
                      : c.has_input(kYZero) ? c.dtype(kYZero)
                                            : c.dtype(kA);
  c.set_output(0, dtype, std::move(y));
  return ok();
}

Status quantized_reference(const RunContext& c) {
  LAN_OK(require_single(c, {kAScale, kAZero, kYScale, kYZero}));
  const MutableTensorView& y = c.output(0);
  const auto rows = static_cast<size_t>(y.shape[0]), columns = static_cast<size_t>(y.shape[1]);
  const QuantizedOperand a_by =
      QuantizedOperand::read(c.input(kAScale), c.has_input(kAZero) ? &c.input(kAZero) : nullptr);
  const QuantizedOperand b_by =
      QuantizedOperand::read(c.input(kBScale), c.has_input(kBZero) ? &c.input(kBZero) : nullptr);
  for (const size_t count : {b_by.scales.size(), b_by.zeros.size()}) {
    if (count != 1 && count != columns) return shape_error("B's scale does not fit its columns");
  }
  std::vector<double> a = read_doubles(c.input(kA)), b = read_doubles(c.input(kB));
  for (double& value : a) value -= static_cast<double>(a_by.zero(0));
  const bool trans_b = c.attributes().integer("transB", 0) != 0;
  const auto width = static_cast<size_t>(c.input(kB).shape[1]);
  for (size_t i = 0; i < b.size(); ++i) {
    b[i] -= static_cast<double>(b_by.zero(trans_b ? i / width : i % width));
  }
  const double alpha = c.attributes().real("alpha", 1);
  Attributes plain = c.attributes();
  plain.remove("alpha");
  std::vector<double> sums = gemm_product(plain, c.input(kA), a, c.input(kB), b);
  if (c.has_input(kC) && !sums.empty()) {
    const std::vector<double> bias = spread(c.input(kC), rows, columns);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += bias[i];
  }
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] *= alpha * a_by.scale(0) * b_by.scale(i % columns);
  if (!c.has_input(kYScale)) {
    write_doubles(y, sums);
    return ok();
  }
  write_quantized(
      y, sums,
      QuantizedOperand::read(c.input(kYScale), c.has_input(kYZero) ? &c.input(kYZero) : nullptr));
  return ok();
}

Result<FusedActivation> activation_of(const Attributes& attributes) {
  std::vector<float> parameters;
  if (attributes.has("activation_alpha"))
    parameters.push_back(attributes.real("activation_alpha", 0));
  if (attributes.has("activation_beta")) {
    if (parameters.empty()) parameters.push_back(0);
    parameters.push_back(attributes.real("activation_beta", 0));
  }
  return FusedActivation::of(attributes.text("activation", ""), parameters);
}

Status infer_fused(InferContext& c) {
  LAN_TRY(Dims y, infer_gemm(c.attributes(), c.dims(0), c.dims(1)));
  LAN_OK(activation_of(c.attributes()));
  if (c.has_input(2)) LAN_OK(check_bias(c.dims(2), y));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status fused_reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  LAN_TRY(const FusedActivation activation, activation_of(c.attributes()));
  std::vector<double> sums = gemm_product(c.attributes(), c.input(0), read_doubles(c.input(0)),
                                          c.input(1), read_doubles(c.input(1)));
  const double beta = c.attributes().real("beta", 1);
  if (c.has_input(2) && beta != 0 && !sums.empty()) {
    const std::vector<double> bias =
        spread(c.input(2), static_cast<size_t>(y.shape[0]), static_cast<size_t>(y.shape[1]));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += beta * bias[i];
  }
  activation.apply(sums);
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_qgemm{
    .name = "QGemm",
    .domain = "com.microsoft",
    .inputs = {{"A", kBytes},
               {"a_scale", kF32},
               {"a_zero_point", kBytes},
               {"B", kBytes},
               {"b_scale", kF32},
               {"b_zero_point", kBytes},
               {"C", type_bit(DType::kI32), true},
               {"y_scale", kF32, true},
               {"y_zero_point", kBytes, true}},
    .outputs = {{"Y", kF32 | kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_quantized,
    .reference = quantized_reference,
};

extern constinit const OpDef op_ms_fused_gemm{
    .name = "FusedGemm",
    .domain = "com.microsoft",
    .inputs = {{"A", kFloats}, {"B", kFloats}, {"C", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_fused,
    .reference = fused_reference,
};

}  // namespace lanthorn
