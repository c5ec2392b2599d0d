// OPS: ms_skip_layer_normalization ms_skip_simplified_layer_normalization
// OPS: simplified_layer_normalization ms_simplified_layer_normalization
// The normalizations of ONNX Runtime's transformer optimizer: of a sum, and without a mean.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/numbers_shared.h"
#include "ops/row_normalization_shared.h"

namespace lanthorn {
namespace {

Status infer_skip(InferContext& c) {
  const Dims& x = c.dims(0);
  if (x.empty()) return shape_error("the input is a scalar");
  for (size_t i = 1; i < c.input_count(); ++i) {
    if (c.has_input(i)) LAN_OK(check_row_parameter(x, c.dims(i), "input " + std::to_string(i)));
  }
  c.set_output(0, c.dtype(0), x);
  Dims rows = x;
  rows.back() = Dim(1);
  c.set_output(1, DType::kF32, rows);
  c.set_output(2, DType::kF32, rows);
  c.set_output(3, c.dtype(0), x);
  return ok();
}

// Inputs: x, skip, gamma, then beta (only with a mean) and bias of the sum.
Status skip(const RunContext& c, bool center) {
  const TensorView& input = c.input(0);
  const size_t bias = center ? 4 : 3;
  std::vector<double> x = read_doubles(input);
  scale_rows(x, input.shape, nullptr, &c.input(1));
  if (c.has_input(bias)) scale_rows(x, input.shape, nullptr, &c.input(bias));
  if (c.output_count() > 3) write_doubles(c.output(3), x);
  const RowStatistics statistics =
      normalize_rows(x, static_cast<size_t>(input.shape.back()),
                     {center, c.attributes().real("epsilon", center ? 1e-12f : 1e-6f)});
  scale_rows(x, input.shape, &c.input(2), center && c.has_input(3) ? &c.input(3) : nullptr);
  write_doubles(c.output(0), x);
  if (c.output_count() > 1) write_doubles(c.output(1), statistics.mean);
  if (c.output_count() > 2) write_doubles(c.output(2), statistics.inverse_deviation);
  return ok();
}

Status skip_layer(const RunContext& c) { return skip(c, true); }
Status skip_simplified(const RunContext& c) { return skip(c, false); }

Status infer_simplified(InferContext& c) {
  LAN_TRY(const int64_t axis, checked_axis(c.attributes().integer("axis", -1), c.rank(0)));
  LAN_OK(check_row_parameter(c.dims(0), c.dims(1), "scale"));
  Dims rows = c.dims(0);
  for (size_t i = static_cast<size_t>(axis); i < rows.size(); ++i) rows[i] = Dim(1);
  c.set_output(0, c.dtype(1), c.dims(0));
  c.set_output(1, DType::kF32, rows);
  return ok();
}

Status simplified(const RunContext& c) {
  const TensorView& input = c.input(0);
  LAN_TRY(const int64_t axis,
          checked_axis(c.attributes().integer("axis", -1), static_cast<int64_t>(input.rank())));
  std::vector<double> x = read_doubles(input);
  const auto length =
      static_cast<size_t>(count_between(input.shape, static_cast<size_t>(axis), input.rank()));
  const RowStatistics statistics =
      normalize_rows(x, length, {false, c.attributes().real("epsilon", 1e-5f)});
  scale_rows(x, input.shape, &c.input(1), nullptr);
  write_doubles(c.output(0), x);
  if (c.output_count() > 1) write_doubles(c.output(1), statistics.inverse_deviation);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_skip_layer_normalization{
    .name = "SkipLayerNormalization",
    .domain = "com.microsoft",
    .inputs = {{"input", kFloats},
               {"skip", kFloats},
               {"gamma", kFloats},
               {"beta", kFloats, true},
               {"bias", kFloats, true}},
    .outputs = {{"output", kFloats},
                {"mean", kFloats, true},
                {"inv_std_var", kFloats, true},
                {"input_skip_bias_sum", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_skip,
    .reference = skip_layer,
};

extern constinit const OpDef op_ms_skip_simplified_layer_normalization{
    .name = "SkipSimplifiedLayerNormalization",
    .domain = "com.microsoft",
    .inputs = {{"input", kFloats}, {"skip", kFloats}, {"gamma", kFloats}, {"bias", kFloats, true}},
    .outputs = {{"output", kFloats},
                {"mean", kFloats, true},
                {"inv_std_var", kFloats, true},
                {"input_skip_bias_sum", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_skip,
    .reference = skip_simplified,
};

// ONNX Runtime writes it into the domain of ONNX itself.
extern constinit const OpDef op_simplified_layer_normalization{
    .name = "SimplifiedLayerNormalization",
    .inputs = {{"X", kFloats}, {"scale", kFloats}},
    .outputs = {{"Y", kFloats}, {"inv_std_var", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_simplified,
    .reference = simplified,
};

extern constinit const OpDef op_ms_simplified_layer_normalization{
    .name = "SimplifiedLayerNormalization",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}, {"scale", kFloats}},
    .outputs = {{"Y", kFloats}, {"inv_std_var", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_simplified,
    .reference = simplified,
};

}  // namespace lanthorn
