// Losses and distances.
#include <algorithm>

#include "script/aten/loss_shared.h"

namespace lanthorn::script {
namespace {

struct Pair {
  ValueId a, b;
  DType dtype;
};

Pair operands(Emitter& e, const Args& args) {
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  return {e.operand(args[0], dtype), e.operand(args[1], dtype), dtype};
}

// (self, target, reduction)
Result<Value> mse_loss(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const ValueId apart = e.op("Sub", {p.a, p.b});
  return reduced(e, e.op("Mul", {apart, apart}), args.integer(2));
}

Result<Value> l1_loss(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  return reduced(e, e.op("Abs", {e.op("Sub", {p.a, p.b})}), args.integer(2));
}

/// Quadratic below `limit`, linear above it. (self, target, reduction, beta or delta)
template <bool kHuber>
Result<Value> smooth_loss(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const double limit = args.real(3);
  const Pair p = operands(e, args);
  const ValueId size = e.op("Abs", {e.op("Sub", {p.a, p.b})});
  if (limit == 0) return reduced(e, size, args.integer(2));
  const ValueId at = e.number(limit, p.dtype);
  ValueId square = e.op("Mul", {e.op("Mul", {size, size}), e.number(kHuber ? 0.5 : 0.5 / limit, p.dtype)});
  ValueId line = e.op("Sub", {size, e.number(0.5 * limit, p.dtype)});
  if (kHuber) line = e.op("Mul", {line, at});
  return reduced(e, e.op("Where", {e.op("Less", {size, at}), square, line}), args.integer(2));
}

// (self, target, weight, reduction); logarithms are bounded by -100
Result<Value> binary_cross_entropy(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const ValueId one = e.number(1, p.dtype), low = e.number(-100, p.dtype);
  const ValueId yes = e.op("Max", {e.op("Log", {p.a}), low});
  const ValueId no = e.op("Max", {e.op("Log", {e.op("Sub", {one, p.a})}), low});
  ValueId loss = e.op("Neg", {e.op("Add", {e.op("Mul", {p.b, yes}), e.op("Mul", {e.op("Sub", {one, p.b}), no})})});
  if (!args.is_none(2)) loss = e.op("Mul", {loss, e.read(args.tensor(2))});
  return reduced(e, loss, args.integer(3));
}

// (self, target, weight, pos_weight, reduction)
Result<Value> with_logits(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const ValueId one = e.number(1, p.dtype);
  // (1 - y) x + (1 + (w - 1) y) log(1 + exp(-x))
  ValueId softplus = e.op("Softplus", {e.op("Neg", {p.a})});
  if (!args.is_none(3)) {
    const ValueId more = e.op("Mul", {e.op("Sub", {e.read(args.tensor(3)), one}), p.b});
    softplus = e.op("Mul", {softplus, e.op("Add", {more, one})});
  }
  ValueId loss = e.op("Add", {e.op("Mul", {e.op("Sub", {one, p.b}), p.a}), softplus});
  if (!args.is_none(2)) loss = e.op("Mul", {loss, e.read(args.tensor(2))});
  return reduced(e, loss, args.integer(4));
}

// (self, target, reduction, log_target)
Result<Value> kl_div(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  if (args.flag(3)) {
    const ValueId loss = e.op("Mul", {e.op("Exp", {p.b}), e.op("Sub", {p.b, p.a})});
    return reduced(e, loss, args.integer(2));
  }
  const ValueId zero = e.number(0, p.dtype);
  const ValueId entropy = e.op("Where", {e.op("Equal", {p.b, zero}), zero, e.op("Mul", {p.b, e.op("Log", {p.b})})});
  return reduced(e, e.op("Sub", {entropy, e.op("Mul", {p.b, p.a})}), args.integer(2));
}

/// Log-probabilities with the classes on `axis`, and what each target weighs (0 where it is ignored).
struct Classes {
  ValueId logs, target, weight;  // target: class numbers, 0 in place of the ignored one
  int64_t axis;
};

Result<Classes> classes_of(Emitter& e, ValueId logs, const Args& args) {
  LAN_TRY(const int64_t ignored, e.lowering().concrete(args.integer(4)));
  const DType dtype = e.dtype(logs);
  const ValueId zero = e.integer(0, DType::kI64);
  const ValueId target = e.read(args.tensor(1), DType::kI64);
  const ValueId skip = e.op("Equal", {target, e.integer(ignored, DType::kI64)});
  Classes classes{.logs = logs, .axis = args.tensor(0)->dims.size() == 1 ? 0 : 1};
  classes.target = e.op("Where", {skip, zero, target});
  const ValueId weight = args.is_none(2) ? e.number(1, dtype)
                                         : e.op("Gather", {e.read(args.tensor(2), dtype), classes.target});
  classes.weight = e.op("Where", {skip, e.number(0, dtype), weight});
  return classes;
}

/// What `loss` (already weighted) comes to: the mean is over weights.
ValueId weighted(Emitter& e, ValueId loss, const Classes& classes, int64_t reduction) {
  if (reduction == 0) return loss;
  const ValueId sum = e.reduce("ReduceSum", loss, {}, false);
  return reduction == 2 ? sum : e.op("Div", {sum, e.reduce("ReduceSum", classes.weight, {}, false)});
}

ValueId likelihood(Emitter& e, const Classes& classes) {
  const ValueId at = e.unsqueeze(classes.target, {classes.axis});
  const ValueId picked = e.op("GatherElements", {classes.logs, at}, {{"axis", classes.axis}});
  return e.op("Neg", {e.op("Mul", {e.squeeze(picked, {classes.axis}), classes.weight})});
}

// (self, target, weight, reduction, ignore_index)
Result<Value> nll_loss(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const int64_t reduction, lowering.concrete(args.integer(3)));
  LAN_TRY(const Classes classes, classes_of(e, e.read(args.tensor(0)), args));
  return e.result(weighted(e, likelihood(e, classes), classes, reduction));
}

ValueId along(Emitter& e, const TensorRef& weight, size_t rank, int64_t axis) {
  Dims dims(rank, Dim(1));
  dims[static_cast<size_t>(axis)] = weight->dims.at(0);
  return e.reshape(e.read(weight), dims);
}

// (self, target, weight, reduction, ignore_index, label_smoothing)
Result<Value> cross_entropy(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0), target = args.tensor(1);
  const double smoothing = args.real(5);
  const int64_t axis = x->dims.size() == 1 ? 0 : 1;
  const Dim count = x->dims.at(static_cast<size_t>(axis));
  LAN_TRY(const int64_t reduction, lowering.concrete(args.integer(3)));
  LAN_TRY(const int64_t class_count, lowering.concrete(count));
  const ValueId logs = e.op("LogSoftmax", {e.read(x)}, {{"axis", axis}});
  const DType dtype = x->dtype;
  ValueId scaled = logs;
  if (!args.is_none(2)) scaled = e.op("Mul", {logs, along(e, args.tensor(2), x->dims.size(), axis)});
  if (is_floating(target->dtype)) {
    // The target is a distribution over classes.
    ValueId wanted = e.read(target, dtype);
    if (smoothing != 0) {
      wanted = e.op("Add", {e.op("Mul", {wanted, e.number(1 - smoothing, dtype)}),
                            e.number(smoothing / static_cast<double>(class_count), dtype)});
    }
    const ValueId loss = e.op("Neg", {e.reduce("ReduceSum", e.op("Mul", {scaled, wanted}), {axis}, false)});
    return axis == 0 ? e.result(loss) : reduced(e, loss, args.integer(3));
  }
  LAN_TRY(const Classes classes, classes_of(e, logs, args));
  ValueId loss = weighted(e, likelihood(e, classes), classes, reduction);
  if (smoothing != 0) {
    const ValueId kept = e.cast(e.cast(classes.weight, DType::kBool), dtype);
    const ValueId all = e.op("Neg", {e.reduce("ReduceSum", scaled, {axis}, false)});
    const ValueId spread = weighted(e, e.op("Mul", {all, kept}), classes, reduction);
    loss = e.op("Add", {e.op("Mul", {loss, e.number(1 - smoothing, dtype)}),
                        e.op("Mul", {spread, e.number(smoothing / static_cast<double>(class_count), dtype)})});
  }
  return e.result(loss);
}

// (x1, x2, dim, eps): each norm is at least eps
Result<Value> cosine_similarity(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const size_t rank = std::max(args.tensor(0)->dims.size(), args.tensor(1)->dims.size());
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(2), rank));
  const int64_t from_end = axis - static_cast<int64_t>(rank);
  const ValueId least = e.number(args.real(3), p.dtype);
  const auto unit = [&](ValueId x) {
    return e.op("Div", {x, e.op("Max", {e.reduce("ReduceL2", x, {from_end}, true), least})});
  };
  return e.result(e.reduce("ReduceSum", e.op("Mul", {unit(p.a), unit(p.b)}), {from_end}, false));
}

// (x1, x2, p, eps, keepdim): eps is added to the difference
Result<Value> pairwise_distance(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const ValueId apart = e.op("Add", {e.op("Sub", {p.a, p.b}), e.number(args.real(3), p.dtype)});
  return e.result(p_norm(e, apart, args.real(2), -1, args.flag(4)));
}

// (x1 [.., n, d], x2 [.., m, d], p, compute_mode) -> [.., n, m]
Result<Value> cdist(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Pair p = operands(e, args);
  const ValueId apart = e.op("Sub", {e.unsqueeze(p.a, {-2}), e.unsqueeze(p.b, {-3})});
  return e.result(p_norm(e, apart, args.real(2), -1, false));
}

constexpr AtenRow kRows[] = {
    {"aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", mse_loss},
    {"aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", l1_loss},
    {"aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor",
     smooth_loss<false>},
    {"aten::huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor", smooth_loss<true>},
    {"aten::binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
     binary_cross_entropy},
    {"aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? "
     "pos_weight=None, int reduction=1) -> Tensor",
     with_logits},
    {"aten::kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor", kl_div},
    {"aten::nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) "
     "-> Tensor",
     nll_loss},
    {"aten::nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt "
     "ignore_index=-100) -> Tensor",
     nll_loss},
    {"aten::nll_loss2d(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt "
     "ignore_index=-100) -> Tensor",
     nll_loss},
    {"aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt "
     "ignore_index=-100, float label_smoothing=0.) -> Tensor",
     cross_entropy},
    {"aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor", cosine_similarity},
    {"aten::pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, bool "
     "keepdim=False) -> Tensor",
     pairwise_distance},
    {"aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor", cdist},
};

}  // namespace

extern const std::span<const AtenRow> aten_loss = kRows;

}  // namespace lanthorn::script
