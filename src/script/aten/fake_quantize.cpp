// Quantization that is simulated on floats: what a model that was trained for it holds.
#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// x rounded to (q - zero) * scale for q in [low, high].
ValueId simulated(Emitter& e, const TensorRef& x, ValueId scale, ValueId zero, const Value& low, const Value& high) {
  const DType dtype = x->dtype;
  const ValueId steps = e.op("Round", {e.op("Add", {e.op("Mul", {e.read(x), e.op("Reciprocal", {scale})}), zero})});
  const ValueId kept = e.op("Clip", {steps, e.operand(low, dtype), e.operand(high, dtype)});
  return e.op("Mul", {e.op("Sub", {kept, zero}), scale});
}

/// A scale or zero point as a number, or as a vector along an axis.
ValueId parameter(Emitter& e, const Value& value, const TensorRef& x, std::optional<int64_t> axis) {
  const ValueId given = e.operand(value, x->dtype);
  const Dims dims = e.dims(given);
  if (e.failed()) return kNoValue;
  if (!axis) return dims.empty() ? given : e.reshape(given, {});
  Dims wide(x->dims.size(), Dim(1));
  wide[static_cast<size_t>(*axis)] = product(dims);
  return e.reshape(given, wide);
}

// (self, scale, zero_point, quant_min, quant_max), numbers or tensors
Result<Value> per_tensor(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId scale = parameter(e, args[1], x, std::nullopt), zero = parameter(e, args[2], x, std::nullopt);
  return e.result(simulated(e, x, scale, zero, args[3], args[4]));
}

// (self, scale, zero_point, axis, quant_min, quant_max)
Result<Value> per_channel(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(3), x->dims.size()));
  const ValueId scale = parameter(e, args[1], x, axis), zero = parameter(e, args[2], x, axis);
  return e.result(simulated(e, x, scale, zero, args[4], args[5]));
}

/// Whether a 0/1 tensor of the program is on; it is a buffer of the file.
Result<bool> is_on(Lowering& lowering, const TensorRef& flag) {
  const auto elements = lowering.elements(flag);
  if (elements && elements->size() == 1 && (*elements)[0].is_known()) return (*elements)[0].value() != 0;
  LAN_TRY(const Dim number, lowering.integer_of(flag));
  LAN_TRY(const int64_t known, lowering.concrete(number));
  return known != 0;
}

// (self, observer_on, fake_quant_on, running_min, running_max, scale, zero_point, averaging_const, quant_min,
//  quant_max, ch_axis, per_row_fake_quant, symmetric_quant)
Result<Value> observed(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const bool observes, is_on(lowering, args.tensor(1)));
  LAN_TRY(const bool quantizes, is_on(lowering, args.tensor(2)));
  if (observes) lowering.note("a fake quantization still observes its input: its scale is the one in the file");
  if (!quantizes) return args[0];
  std::optional<int64_t> axis;
  if (args.flag(11)) {
    LAN_TRY(axis, axis_of(lowering, args.integer(10), x->dims.size()));
  }
  const ValueId scale = parameter(e, args[5], x, axis), zero = parameter(e, args[6], x, axis);
  return e.result(simulated(e, x, scale, zero, args[8], args[9]));
}

constexpr AtenRow kRows[] = {
    {"aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int quant_min, int quant_max) -> "
     "Tensor",
     per_tensor},
    {"aten::fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, int "
     "quant_min, int quant_max) -> Tensor",
     per_tensor},
    {"aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, "
     "int quant_max) -> Tensor",
     per_channel},
    {"aten::fused_moving_avg_obs_fake_quant(Tensor self, Tensor observer_on, Tensor fake_quant_on, Tensor(a!) "
     "running_min, Tensor(b!) running_max, Tensor(c!) scale, Tensor(d!) zero_point, float averaging_const, int "
     "quant_min, int quant_max, int ch_axis, bool per_row_fake_quant=False, bool symmetric_quant=False) -> Tensor",
     observed},
};

}  // namespace

extern const std::span<const AtenRow> aten_fake_quantize = kRows;

}  // namespace lanthorn::script
