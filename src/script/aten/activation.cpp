// Activations and softmax.
#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// One node of the same name, on a floating-point input (integers become float32).
template <const char* kOp>
Result<Value> floating(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(e.op(kOp, {e.read(x, float_type(x->dtype))}));
}

constexpr char kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kMish[] = "Mish",
               kHardSwish[] = "HardSwish", kSelu[] = "Selu", kSwish[] = "Swish";

/// A number that must be known.
Result<double> known_number(Lowering& lowering, const Value& value) {
  if (const auto number = number_of(value)) return *number;
  if (const Dim* dim = value.integer()) {
    LAN_TRY(const int64_t number, lowering.concrete(*dim));
    return static_cast<double>(number);
  }
  return lowering.error(ErrorCode::kUnsupported, "a number that only running tells");
}

Result<Value> relu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Relu", {e.read(args.tensor(0))}));
}

ValueId clip(Emitter& e, ValueId x, double low, double high) {
  const DType dtype = e.dtype(x);
  return e.op("Clip", {x, e.number(low, dtype), e.number(high, dtype)});
}

Result<Value> relu6(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(clip(e, e.read(args.tensor(0)), 0, 6));
}

Result<Value> hardtanh(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double low, known_number(lowering, args[1]));
  LAN_TRY(const double high, known_number(lowering, args[2]));
  return e.result(clip(e, e.read(args.tensor(0)), low, high));
}

Result<Value> leaky_relu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double slope, known_number(lowering, args[1]));
  return e.result(e.op("LeakyRelu", {e.read(args.tensor(0))}, {{"alpha", static_cast<float>(slope)}}));
}

// (self, lower, upper, training, generator)
Result<Value> rrelu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double lower, known_number(lowering, args[1]));
  LAN_TRY(const double upper, known_number(lowering, args[2]));
  if (args.flag(3)) lowering.note("rrelu is in training mode: its slope is the mean of its bounds");
  return e.result(
      e.op("LeakyRelu", {e.read(args.tensor(0))}, {{"alpha", static_cast<float>((lower + upper) / 2)}}));
}

// The weight belongs to dimension 1.
Result<Value> prelu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0), weight = args.tensor(1);
  ValueId slope = e.read(weight);
  if (x->dims.size() > 2 && weight->dims.size() == 1) {
    Dims dims(x->dims.size() - 1, Dim(1));
    dims[0] = weight->dims[0];
    slope = e.reshape(slope, dims);
  }
  return e.result(e.op("PRelu", {e.read(x), slope}));
}

// (self, alpha, scale, input_scale)
Result<Value> elu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double alpha, known_number(lowering, args[1]));
  LAN_TRY(const double scale, known_number(lowering, args[2]));
  LAN_TRY(const double input_scale, known_number(lowering, args[3]));
  const ValueId x = e.read(args.tensor(0));
  const DType dtype = e.dtype(x);
  if (input_scale == 1) {
    ValueId y = e.op("Elu", {x}, {{"alpha", static_cast<float>(alpha)}});
    if (scale != 1) y = e.op("Mul", {y, e.number(scale, dtype)});
    return e.result(y);
  }
  const ValueId zero = e.number(0, dtype);
  const ValueId below = e.op("Elu", {e.op("Mul", {e.op("Min", {x, zero}), e.number(input_scale, dtype)})},
                             {{"alpha", static_cast<float>(alpha)}});
  return e.result(e.op("Mul", {e.op("Add", {e.op("Max", {x, zero}), below}), e.number(scale, dtype)}));
}

Result<Value> celu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double alpha, known_number(lowering, args[1]));
  return e.result(e.op("Celu", {e.read(args.tensor(0))}, {{"alpha", static_cast<float>(alpha)}}));
}

Result<Value> gelu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const std::string approximate = args.size() > 1 ? args.text(1) : "none";
  return e.result(e.op("Gelu", {e.read(args.tensor(0))}, {{"approximate", approximate}}));
}

Result<Value> hardsigmoid(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("HardSigmoid", {e.read(args.tensor(0))}, {{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}}));
}

Result<Value> hardshrink(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double lambda, known_number(lowering, args[1]));
  return e.result(
      e.op("Shrink", {e.read(args.tensor(0))}, {{"lambd", static_cast<float>(lambda)}, {"bias", 0.0f}}));
}

Result<Value> softshrink(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double lambda, known_number(lowering, args[1]));
  return e.result(e.op("Shrink", {e.read(args.tensor(0))},
                       {{"lambd", static_cast<float>(lambda)}, {"bias", static_cast<float>(lambda)}}));
}

// log(1 + exp(beta * x)) / beta; x itself above the threshold, where the two round to the same.
Result<Value> softplus(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const double beta, known_number(lowering, args[1]));
  LAN_TRY(const double threshold, known_number(lowering, args[2]));
  const ValueId x = e.read(args.tensor(0));
  const DType dtype = e.dtype(x);
  const ValueId scaled = beta == 1 ? x : e.op("Mul", {x, e.number(beta, dtype)});
  ValueId y = e.op("Softplus", {scaled});
  if (beta != 1) y = e.op("Div", {y, e.number(beta, dtype)});
  if (beta == 1 && threshold >= 20) return e.result(y);
  const ValueId above = e.op("Greater", {scaled, e.number(threshold, dtype)});
  return e.result(e.op("Where", {above, x, y}));
}

Result<Value> threshold(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  const DType dtype = e.dtype(x);
  const ValueId below = e.op("LessOrEqual", {x, e.operand(args[1], dtype)});
  return e.result(e.op("Where", {below, e.operand(args[2], dtype), x}));
}

ValueId log_sigmoid_value(Emitter& e, const TensorRef& x) {
  return e.op("Neg", {e.op("Softplus", {e.op("Neg", {e.read(x)})})});
}

Result<Value> log_sigmoid(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(log_sigmoid_value(e, args.tensor(0)));
}

Result<Value> log_sigmoid_forward(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId y = log_sigmoid_value(e, args.tensor(0));
  return e.tuple({y, e.filled({0}, 0, args.tensor(0)->dtype)});
}

Result<Value> glu(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  const Dim half = floor_div(x->dims.at(static_cast<size_t>(axis)), 2);
  const auto halves = e.split(e.read(x), axis, {half, half});
  return e.result(e.op("Mul", {halves[0], e.op("Sigmoid", {halves[1]})}));
}

template <const char* kOp>
Result<Value> softmax_of(Lowering& lowering, const TensorRef& x, const Dim& dim, DType dtype) {
  Emitter e(lowering);
  LAN_TRY(const int64_t axis, axis_of(lowering, dim, x->dims.size()));
  ValueId value = e.read(x, dtype);
  const bool scalar = x->dims.empty();
  if (scalar) value = e.unsqueeze(value, {0});
  value = e.op(kOp, {value}, {{"axis", axis}});
  return e.result(scalar ? e.squeeze(value, {0}) : value);
}

constexpr char kSoftmax[] = "Softmax", kLogSoftmax[] = "LogSoftmax";

// (self, dim, dtype)
template <const char* kOp>
Result<Value> softmax(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  return softmax_of<kOp>(lowering, x, args.integer(1), args.dtype(2).value_or(x->dtype));
}

// (self, dim, half_to_float)
template <const char* kOp>
Result<Value> inner_softmax(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  return softmax_of<kOp>(lowering, x, args.integer(1), args.flag(2) ? DType::kF32 : x->dtype);
}

constexpr AtenRow kRows[] = {
    {"aten::relu(Tensor self) -> Tensor", relu},
    {"aten::relu6(Tensor self) -> Tensor", relu6},
    {"aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", hardtanh},
    {"aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", leaky_relu},
    {"aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, "
     "Generator? generator=None) -> Tensor",
     rrelu},
    {"aten::prelu(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", elu},
    {"aten::celu(Tensor self, Scalar alpha=1.) -> Tensor", celu},
    {"aten::selu(Tensor self) -> Tensor", floating<kSelu>},
    {"aten::silu(Tensor self) -> Tensor", floating<kSwish>},
    {"aten::mish(Tensor self) -> Tensor", floating<kMish>},
    {"aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor", gelu},
    {"aten::hardswish(Tensor self) -> Tensor", floating<kHardSwish>},
    {"aten::hardsigmoid(Tensor self) -> Tensor", hardsigmoid},
    {"aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", hardshrink},
    {"aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", softshrink},
    {"aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", softplus},
    {"aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", threshold},
    {"aten::sigmoid(Tensor self) -> Tensor", floating<kSigmoid>},
    {"aten::special_expit(Tensor self) -> Tensor", floating<kSigmoid>},
    {"aten::tanh(Tensor self) -> Tensor", floating<kTanh>},
    {"aten::log_sigmoid(Tensor self) -> Tensor", log_sigmoid},
    {"aten::log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)", log_sigmoid_forward},
    {"aten::glu(Tensor self, int dim=-1) -> Tensor", glu},
    {"aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax<kSoftmax>},
    {"aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax<kLogSoftmax>},
    {"aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", inner_softmax<kSoftmax>},
    {"aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", inner_softmax<kLogSoftmax>},
};

}  // namespace

extern const std::span<const AtenRow> aten_activation = kRows;

}  // namespace lanthorn::script
