// Normalizations.
#include <cmath>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// The affine parameter, or a constant of its shape where there is none.
ValueId affine(Emitter& e, const TensorRef& tensor, const Shape& shape, double otherwise, DType dtype) {
  return tensor ? e.read(tensor) : e.filled(shape, otherwise, dtype);
}

std::vector<int64_t> ones_except(size_t rank, size_t axis, int64_t size) {
  std::vector<int64_t> dims(rank, 1);
  dims[axis] = size;
  return dims;
}

struct BatchNorm {
  TensorRef input, weight, bias, mean, variance;
  bool training = false;
  double epsilon = 1e-5;
};

struct Normalized {
  ValueId output = kNoValue, mean = kNoValue, inverse = kNoValue;
};

/// Normalizes by the statistics of the batch itself.
Normalized by_batch_statistics(Emitter& e, const BatchNorm& norm, int64_t channels) {
  const size_t rank = norm.input->dims.size();
  std::vector<int64_t> axes;
  for (size_t i = 0; i < rank; ++i) {
    if (i != 1) axes.push_back(static_cast<int64_t>(i));
  }
  const DType dtype = norm.input->dtype;
  const ValueId x = e.read(norm.input);
  const ValueId mean = e.reduce("ReduceMean", x, axes, true);
  const ValueId centered = e.op("Sub", {x, mean});
  const ValueId variance = e.reduce("ReduceMean", e.op("Mul", {centered, centered}), axes, true);
  const ValueId deviation = e.op("Sqrt", {e.op("Add", {variance, e.number(norm.epsilon, dtype)})});
  ValueId y = e.op("Div", {centered, deviation});
  const ValueId shape = e.ints(ones_except(rank, 1, channels));
  if (norm.weight) y = e.op("Mul", {y, e.op("Reshape", {e.read(norm.weight), shape})});
  if (norm.bias) y = e.op("Add", {y, e.op("Reshape", {e.read(norm.bias), shape})});
  const ValueId flat = e.ints({channels});
  return {y, e.op("Reshape", {mean, flat}), e.op("Reciprocal", {e.op("Reshape", {deviation, flat})})};
}

Result<Normalized> normalize(Emitter& e, const BatchNorm& norm) {
  if (norm.input->dims.size() < 2) {
    return e.lowering().error(ErrorCode::kInvalidInput, "batch_norm of a tensor of rank " +
                                                            std::to_string(norm.input->dims.size()));
  }
  LAN_TRY(const int64_t channels, e.lowering().concrete(norm.input->dims[1]));
  if (norm.training || !norm.mean || !norm.variance) {
    if (norm.training && norm.mean) {
      e.lowering().note(
          "batch_norm is in training mode: it normalizes by the batch, and running statistics stay as "
          "they are");
    }
    return by_batch_statistics(e, norm, channels);
  }
  const DType dtype = norm.input->dtype;
  const ValueId y =
      e.op("BatchNormalization",
           {e.read(norm.input), affine(e, norm.weight, {channels}, 1, dtype),
            affine(e, norm.bias, {channels}, 0, dtype), e.read(norm.mean), e.read(norm.variance)},
           {{"epsilon", static_cast<float>(norm.epsilon)}});
  return Normalized{.output = y};
}

// (input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled)
Result<Value> batch_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Normalized made,
          normalize(e, {args.tensor(0), args.optional_tensor(1), args.optional_tensor(2),
                        args.optional_tensor(3), args.optional_tensor(4), args.flag(5), args.real(7)}));
  return e.result(made.output);
}

/// (output, mean, inverse deviation): the latter two are empty outside of training.
Result<Value> with_statistics(Emitter& e, const Normalized& made) {
  const ValueId none = made.mean == kNoValue ? e.filled({0}, 0, DType::kF32) : kNoValue;
  return e.tuple({made.output, made.mean == kNoValue ? none : made.mean,
                  made.mean == kNoValue ? none : made.inverse});
}

// (input, weight, bias, running_mean, running_var, training, momentum, eps)
Result<Value> native_batch_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Normalized made,
          normalize(e, {args.tensor(0), args.optional_tensor(1), args.optional_tensor(2),
                        args.optional_tensor(3), args.optional_tensor(4), args.flag(5), args.real(7)}));
  return with_statistics(e, made);
}

// (input, weight, bias, training, momentum, eps)
Result<Value> batch_norm_no_stats(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Normalized made, normalize(e, {args.tensor(0), args.optional_tensor(1),
                                               args.optional_tensor(2), nullptr, nullptr, true, args.real(5)}));
  return with_statistics(e, made);
}

// (input, weight, bias, running_mean, running_var, momentum, eps)
Result<Value> batch_norm_no_training(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Normalized made,
          normalize(e, {args.tensor(0), args.optional_tensor(1), args.optional_tensor(2), args.tensor(3),
                        args.tensor(4), false, args.real(6)}));
  return with_statistics(e, made);
}

std::vector<ValueId> layer_norm_values(Emitter& e, const TensorRef& input, const Shape& shape,
                                       const TensorRef& weight, const TensorRef& bias, double epsilon,
                                       size_t outputs) {
  const DType dtype = input->dtype;
  std::vector<ValueId> inputs = {e.read(input), affine(e, weight, shape, 1, dtype)};
  if (bias) inputs.push_back(e.read(bias));
  return e.ops("LayerNormalization", std::move(inputs), outputs,
               {{"axis", -static_cast<int64_t>(shape.size())}, {"epsilon", static_cast<float>(epsilon)}});
}

// (input, normalized_shape, weight, bias, eps, ...)
Result<Value> layer_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Shape shape, lowering.concrete(args.ints(1)));
  return e.result(layer_norm_values(e, args.tensor(0), shape, args.optional_tensor(2),
                                    args.optional_tensor(3), args.real(4), 1)[0]);
}

Result<Value> native_layer_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Shape shape, lowering.concrete(args.ints(1)));
  return e.tuple(layer_norm_values(e, args.tensor(0), shape, args.optional_tensor(2),
                                   args.optional_tensor(3), args.real(4), 3));
}

// (input, normalized_shape, weight, eps)
Result<Value> rms_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = args.tensor(0)->dtype;
  LAN_TRY(const Shape shape, lowering.concrete(args.ints(1)));
  const double epsilon = args.is_none(3) ? epsilon_of(dtype) : args.real(3);
  return e.result(e.op("RMSNormalization",
                       {e.read(args.tensor(0)), affine(e, args.optional_tensor(2), shape, 1, dtype)},
                       {{"axis", -static_cast<int64_t>(shape.size())},
                        {"epsilon", static_cast<float>(epsilon)}}));
}

ValueId group_norm_value(Emitter& e, const TensorRef& input, int64_t channels, int64_t groups,
                         const TensorRef& weight, const TensorRef& bias, double epsilon) {
  ValueId x = e.read(input);
  const bool flat = input->dims.size() == 2;  // GroupNormalization wants a spatial dimension
  if (flat) x = e.unsqueeze(x, {2});
  const ValueId y = e.op("GroupNormalization",
                         {x, affine(e, weight, {channels}, 1, input->dtype),
                          affine(e, bias, {channels}, 0, input->dtype)},
                         {{"epsilon", static_cast<float>(epsilon)}, {"num_groups", groups}});
  return flat ? e.squeeze(y, {2}) : y;
}

// (input, num_groups, weight, bias, eps, cudnn_enabled)
Result<Value> group_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t groups, lowering.concrete(args.integer(1)));
  LAN_TRY(const int64_t channels, lowering.concrete(args.tensor(0)->dims.at(1)));
  return e.result(group_norm_value(e, args.tensor(0), channels, groups, args.optional_tensor(2),
                                   args.optional_tensor(3), args.real(4)));
}

// (input, weight, bias, N, C, HxW, group, eps)
Result<Value> native_group_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef input = args.tensor(0);
  LAN_TRY(const int64_t groups, lowering.concrete(args.integer(6)));
  LAN_TRY(const int64_t channels, lowering.concrete(args.integer(4)));
  const ValueId y = group_norm_value(e, input, channels, groups, args.optional_tensor(1),
                                     args.optional_tensor(2), args.real(7));
  const ValueId grouped = e.reshape(e.read(input), {input->dims[0], Dim(groups),
                                                    floor_div(product(input->dims), input->dims[0] * Dim(groups))});
  const ValueId mean = e.reduce("ReduceMean", grouped, {2}, true);
  const ValueId centered = e.op("Sub", {grouped, mean});
  const ValueId variance = e.reduce("ReduceMean", e.op("Mul", {centered, centered}), {2}, false);
  const ValueId inverse = e.op(
      "Reciprocal", {e.op("Sqrt", {e.op("Add", {variance, e.number(args.real(7), input->dtype)})})});
  return e.tuple({y, e.squeeze(mean, {2}), inverse});
}

// (input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled)
Result<Value> instance_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef input = args.tensor(0);
  if (!args.flag(5)) {
    LAN_TRY(const Normalized made,
            normalize(e, {input, args.optional_tensor(1), args.optional_tensor(2), args.optional_tensor(3),
                          args.optional_tensor(4), false, args.real(7)}));
    return e.result(made.output);
  }
  if (input->dims.size() < 3) {
    return lowering.error(ErrorCode::kInvalidInput,
                          "instance_norm of a tensor of rank " + std::to_string(input->dims.size()));
  }
  LAN_TRY(const int64_t channels, lowering.concrete(input->dims[1]));
  return e.result(e.op("InstanceNormalization",
                       {e.read(input), affine(e, args.optional_tensor(1), {channels}, 1, input->dtype),
                        affine(e, args.optional_tensor(2), {channels}, 0, input->dtype)},
                       {{"epsilon", static_cast<float>(args.real(7))}}));
}

// v * g / norm(v), the norm over all dimensions but `dim`
Result<Value> weight_norm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef v = args.tensor(0);
  LAN_TRY(const int64_t kept, lowering.concrete(args.integer(2)));
  std::vector<int64_t> axes;
  for (size_t i = 0; i < v->dims.size(); ++i) {
    if (kept == -1 || static_cast<int64_t>(i) != kept) axes.push_back(static_cast<int64_t>(i));
  }
  const ValueId x = e.read(v);
  const ValueId norm = e.reduce("ReduceL2", x, std::move(axes), kept != -1);
  return e.result(e.op("Mul", {x, e.op("Div", {e.read(args.tensor(1)), norm})}));
}

constexpr AtenRow kRows[] = {
    {"aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
     batch_norm},
    {"aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     native_batch_norm},
    {"aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, "
     "Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     native_batch_norm},
    {"aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
     "float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     batch_norm_no_stats},
    {"aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor "
     "running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     batch_norm_no_training},
    {"aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
     "float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor",
     layer_norm},
    {"aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float "
     "eps) -> (Tensor, Tensor, Tensor)",
     native_layer_norm},
    {"aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
     "Tensor",
     rms_norm},
    {"aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
     "eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor",
     group_norm},
    {"aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, "
     "int group, float eps) -> (Tensor, Tensor, Tensor)",
     native_group_norm},
    {"aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
     instance_norm},
    {"aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor", weight_norm},
};

}  // namespace

extern const std::span<const AtenRow> aten_norm = kRows;

}  // namespace lanthorn::script
