// OPS: layer_normalization rms_normalization
// Normalization over the last axes. https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
// https://onnx.ai/onnx/operators/onnx__RMSNormalization.html

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/row_normalization_shared.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

Status check(InferContext& c, int64_t& axis) {
  LAN_TRY(axis, checked_axis(c.attributes().integer("axis", -1), c.rank(0)));
  LAN_OK(check_row_parameter(c.dims(0), c.dims(1), "scale"));
  if (c.has_input(2)) LAN_OK(check_row_parameter(c.dims(0), c.dims(2), "bias"));
  return ok();
}

// The dtype that means and deviations are told in: attribute stash_type, a TensorProto.DataType.
DType stash_dtype(const Attributes& attributes) {
  const DType stash = dtype_from_onnx(attributes.integer("stash_type", 1));
  return is_floating(stash) ? stash : DType::kF32;
}

Status infer_layer(InferContext& c) {
  int64_t axis = 0;
  LAN_OK(check(c, axis));
  c.set_output(0, c.dtype(0), c.dims(0));
  Dims rows = c.dims(0);
  for (size_t i = static_cast<size_t>(axis); i < rows.size(); ++i) rows[i] = Dim(1);
  const DType stash = stash_dtype(c.attributes());
  c.set_output(1, stash, rows);
  c.set_output(2, stash, rows);
  return ok();
}

Status infer_rms(InferContext& c) {
  int64_t axis = 0;
  LAN_OK(check(c, axis));
  c.set_output(0, c.dtype(1), c.dims(0));
  return ok();
}

Status normalize(const RunContext& c, bool center) {
  const TensorView& input = c.input(0);
  LAN_TRY(const int64_t axis,
          checked_axis(c.attributes().integer("axis", -1), static_cast<int64_t>(input.rank())));
  std::vector<double> x = read_doubles(input);
  const auto length =
      static_cast<size_t>(count_between(input.shape, static_cast<size_t>(axis), input.rank()));
  const RowStatistics statistics =
      normalize_rows(x, length, {center, c.attributes().real("epsilon", 1e-5f)});
  // The text casts the normalized numbers back to the input's type before it scales them.
  if (input.dtype == DType::kF16 || input.dtype == DType::kBF16) {
    std::vector<uint16_t> narrow(x.size());
    convert(DType::kF64, x.data(), input.dtype, narrow.data(), x.size());
    convert(input.dtype, narrow.data(), DType::kF64, x.data(), x.size());
  }
  scale_rows(x, input.shape, &c.input(1), c.has_input(2) ? &c.input(2) : nullptr);
  write_doubles(c.output(0), x);
  if (c.output_count() > 1) write_doubles(c.output(1), statistics.mean);
  if (c.output_count() > 2) write_doubles(c.output(2), statistics.inverse_deviation);
  return ok();
}

Status layer(const RunContext& c) { return normalize(c, true); }
Status rms(const RunContext& c) { return normalize(c, false); }

}  // namespace

extern constinit const OpDef op_layer_normalization{
    .name = "LayerNormalization",
    .since = 17,
    .inputs = {{"X", kFloats}, {"Scale", kFloats}, {"B", kFloats, true}},
    .outputs = {{"Y", kFloats}, {"Mean", kFloats, true}, {"InvStdDev", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_layer,
    .reference = layer,
};

extern constinit const OpDef op_rms_normalization{
    .name = "RMSNormalization",
    .since = 23,
    .inputs = {{"X", kFloats}, {"scale", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_rms,
    .reference = rms,
};

}  // namespace lanthorn
