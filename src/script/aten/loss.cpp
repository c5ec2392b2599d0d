// Losses and distances.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// 0: none, 1: mean, 2: sum
Result<Value> reduced(Emitter& e, ValueId loss, const Dim& reduction) {
  LAN_TRY(const int64_t kind, e.lowering().concrete(reduction));
  if (kind == 0) return e.result(loss);
  return e.result(e.reduce(kind == 1 ? "ReduceMean" : "ReduceSum", loss, {}, false));
}

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

/// Of log-probabilities [N, C, ...] or [C] and class numbers.
Result<Value> negative_likelihood(Emitter& e, ValueId x, const Args& args) {
  LAN_TRY(const int64_t reduction, e.lowering().concrete(args.integer(3)));
  LAN_TRY(const int64_t ignored, e.lowering().concrete(args.integer(4)));
  ValueId target = e.read(args.tensor(1), DType::kI64);
  const bool single = args.tensor(0)->dims.size() == 1;
  if (single) {
    x = e.unsqueeze(x, {0});
    target = e.reshape(target, {Dim(1)});
  }
  std::vector<ValueId> inputs = {x, target};
  if (!args.is_none(2)) inputs.push_back(e.read(args.tensor(2)));
  const std::string kinds[] = {"none", "mean", "sum"};
  const std::string kind = kinds[reduction >= 0 && reduction <= 2 ? reduction : 1];
  const ValueId loss = e.op("NegativeLogLikelihoodLoss", std::move(inputs),
                            {{"reduction", kind}, {"ignore_index", ignored}});
  return e.result(single && reduction == 0 ? e.squeeze(loss, {0}) : loss);
}

// (self, target, weight, reduction, ignore_index)
Result<Value> nll_loss(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return negative_likelihood(e, e.read(args.tensor(0)), args);
}

// (self, target, weight, reduction, ignore_index, label_smoothing)
Result<Value> cross_entropy(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0), target = args.tensor(1);
  if (args.real(5) != 0) return lowering.error(ErrorCode::kUnsupported, "label smoothing");
  const int64_t axis = x->dims.size() == 1 ? 0 : 1;
  const ValueId logs = e.op("LogSoftmax", {e.read(x)}, {{"axis", axis}});
  if (!is_floating(target->dtype)) return negative_likelihood(e, logs, args);
  // The target is a distribution.
  ValueId product = e.op("Mul", {logs, e.read(target)});
  if (!args.is_none(2)) {
    Dims dims(x->dims.size(), Dim(1));
    dims[static_cast<size_t>(axis)] = args.tensor(2)->dims[0];
    product = e.op("Mul", {product, e.reshape(e.read(args.tensor(2)), dims)});
  }
  const ValueId loss = e.op("Neg", {e.reduce("ReduceSum", product, {axis}, false)});
  if (axis == 0) return e.result(loss);
  return reduced(e, loss, args.integer(3));
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

ValueId p_norm(Emitter& e, ValueId x, double p, int64_t axis, bool keep) {
  const DType dtype = e.dtype(x);
  if (p == 2) return e.reduce("ReduceL2", x, {axis}, keep);
  if (p == 1) return e.reduce("ReduceL1", x, {axis}, keep);
  if (p > 1e300) return e.reduce("ReduceMax", e.op("Abs", {x}), {axis}, keep);
  if (p == 0) {
    const ValueId some = e.cast(e.op("Not", {e.op("Equal", {x, e.number(0, dtype)})}), dtype);
    return e.reduce("ReduceSum", some, {axis}, keep);
  }
  const ValueId sum = e.reduce("ReduceSum", e.op("Pow", {e.op("Abs", {x}), e.number(p, dtype)}), {axis}, keep);
  return e.op("Pow", {sum, e.number(1 / p, dtype)});
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
