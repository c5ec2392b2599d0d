// Losses of margins and rankings, and of counts.
#include <cmath>

#include "script/aten/loss_shared.h"

namespace lanthorn::script {
namespace {

ValueId positive_part(Emitter& e, ValueId x) { return e.op("Relu", {x}); }

// (input1, input2, target, margin, reduction): 1 - cos where the target is 1, else what cos exceeds the margin by
Result<Value> cosine_embedding(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId a = e.operand(args[0], dtype), b = e.operand(args[1], dtype);
  const int64_t axis = static_cast<int64_t>(args.tensor(0)->dims.size()) - 1;
  const auto sum = [&](ValueId x, ValueId y) { return e.reduce("ReduceSum", e.op("Mul", {x, y}), {axis}, false); };
  const ValueId epsilon = e.number(1e-12, dtype);
  const ValueId norms = e.op("Sqrt", {e.op("Mul", {e.op("Add", {sum(a, a), epsilon}), e.op("Add", {sum(b, b), epsilon})})});
  const ValueId cosine = e.op("Div", {sum(a, b), norms});
  const ValueId target = e.read(args.tensor(2), dtype);
  const ValueId one = e.number(1, dtype), zero = e.number(0, dtype);
  const ValueId alike = e.op("Where", {e.op("Equal", {target, one}), e.op("Sub", {one, cosine}), zero});
  const ValueId over = positive_part(e, e.op("Sub", {cosine, e.number(args.real(3), dtype)}));
  const ValueId apart = e.op("Where", {e.op("Equal", {target, e.number(-1, dtype)}), over, zero});
  return reduced(e, e.op("Add", {alike, apart}), args.integer(4));
}

// (anchor, positive, negative, margin, p, eps, swap, reduction)
Result<Value> triplet(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1], args[2]}));
  const ValueId anchor = e.operand(args[0], dtype), good = e.operand(args[1], dtype), bad = e.operand(args[2], dtype);
  const ValueId epsilon = e.number(args.real(5), dtype);
  const auto distance = [&](ValueId x, ValueId y) {
    return p_norm(e, e.op("Add", {e.op("Sub", {x, y}), epsilon}), args.real(4), -1, false);
  };
  ValueId far = distance(anchor, bad);
  if (args.flag(6)) far = e.op("Min", {far, distance(good, bad)});
  const ValueId more = e.op("Add", {e.op("Sub", {distance(anchor, good), far}), e.number(args.real(3), dtype)});
  return reduced(e, positive_part(e, more), args.integer(7));
}

// (self, target, margin, reduction)
Result<Value> hinge_embedding(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(args.tensor(0)->dtype);
  const ValueId x = e.operand(args[0], dtype), target = e.operand(args[1], dtype);
  const ValueId one = e.number(1, dtype), zero = e.number(0, dtype);
  const ValueId under = positive_part(e, e.op("Sub", {e.number(args.real(2), dtype), x}));
  const ValueId far = e.op("Where", {e.op("Equal", {target, one}), zero, under});
  const ValueId near = e.op("Where", {e.op("Equal", {target, e.number(-1, dtype)}), zero, x});
  return reduced(e, e.op("Add", {far, near}), args.integer(3));
}

// (input1, input2, target, margin, reduction)
Result<Value> margin_ranking(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1], args[2]}));
  const ValueId apart = e.op("Sub", {e.operand(args[0], dtype), e.operand(args[1], dtype)});
  const ValueId wanted = e.op("Neg", {e.op("Mul", {e.operand(args[2], dtype), apart})});
  return reduced(e, positive_part(e, e.op("Add", {wanted, e.number(args.real(3), dtype)})), args.integer(4));
}

// (self, target, reduction): log(1 + exp(-target x))
Result<Value> soft_margin(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(args.tensor(0)->dtype);
  const ValueId product = e.op("Mul", {e.operand(args[0], dtype), e.operand(args[1], dtype)});
  return reduced(e, e.op("Softplus", {e.op("Neg", {product})}), args.integer(2));
}

/// Class numbers as a mask over the classes in the last dimension.
ValueId mask_of(Emitter& e, ValueId classes, const Dim& count) {
  const ValueId range = e.op("Range", {e.integer(0, DType::kI64), e.squeeze(e.shape({count}), {0}), e.integer(1, DType::kI64)});
  return e.op("Equal", {e.unsqueeze(classes, {-1}), range});
}

// (self, target, p, margin, weight, reduction)
Result<Value> multi_margin(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const DType dtype = x->dtype;
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a margin loss of a single number");
  const ValueId value = e.read(x), target = e.read(args.tensor(1), DType::kI64);
  ValueId classes = target;
  if (x->dims.size() == 1 && args.tensor(1)->dims.size() == 1) classes = e.squeeze(target, {0});
  const ValueId mask = mask_of(e, classes, x->dims.back());
  const ValueId chosen = e.reduce("ReduceSum", e.op("Where", {mask, value, e.number(0, dtype)}), {-1}, true);
  ValueId over = positive_part(e, e.op("Add", {e.op("Sub", {value, chosen}), e.operand(args[3], dtype)}));
  LAN_TRY(const double power, [&]() -> Result<double> {
    const auto number = number_of(args[2]);
    if (number) return *number;
    return lowering.error(ErrorCode::kUnsupported, "a power that depends on data");
  }());
  if (power == 2) over = e.op("Mul", {over, over});
  if (!args.is_none(4)) over = e.op("Mul", {over, e.unsqueeze(e.op("Gather", {e.read(args.tensor(4)), classes}), {-1})});
  const ValueId others = e.op("Where", {mask, e.number(0, dtype), over});
  const ValueId count = e.operand(Value(x->dims.back()), dtype);
  return reduced(e, e.op("Div", {e.reduce("ReduceSum", others, {-1}, false), count}), args.integer(5));
}

// (self, target, reduction): the targets are class numbers up to the first -1
Result<Value> multilabel_margin(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const DType dtype = x->dtype;
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a margin loss of a single number");
  const ValueId value = e.read(x), target = e.read(args.tensor(1), DType::kI64);
  const ValueId zero = e.integer(0, DType::kI64);
  const ValueId ended = e.op("CumSum", {e.cast(e.op("Less", {target, zero}), DType::kI64), e.integer(-1, DType::kI64)});
  const ValueId used = e.op("Equal", {ended, zero});  // [.., C]
  const ValueId safe = e.op("Where", {used, target, zero});
  const ValueId at = e.op("And", {mask_of(e, safe, x->dims.back()), e.unsqueeze(used, {-1})});  // [.., C, C]
  const ValueId is_target = e.cast(e.reduce("ReduceMax", e.cast(at, DType::kI64), {-2}, false), DType::kBool);
  const ValueId scores = e.op("GatherElements", {value, safe}, {{"axis", int64_t{-1}}});
  const ValueId apart = e.op("Sub", {e.unsqueeze(value, {-2}), e.unsqueeze(scores, {-1})});
  const ValueId over = positive_part(e, e.op("Add", {apart, e.number(1, dtype)}));  // [.., target, class]
  const ValueId counts = e.op("And", {e.unsqueeze(used, {-1}), e.op("Not", {e.unsqueeze(is_target, {-2})})});
  const ValueId sum = e.reduce("ReduceSum", e.op("Where", {counts, over, e.number(0, dtype)}), {-2, -1}, false);
  return reduced(e, e.op("Div", {sum, e.operand(Value(x->dims.back()), dtype)}), args.integer(2));
}

// (input, target, log_input, full, eps, reduction)
Result<Value> poisson_nll(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = float_type(result_type(std::vector<Value>{args[0], args[1]}));
  const ValueId x = e.operand(args[0], dtype), target = e.operand(args[1], dtype);
  ValueId loss = kNoValue;
  if (args.flag(2)) {
    loss = e.op("Sub", {e.op("Exp", {x}), e.op("Mul", {target, x})});
  } else {
    const ValueId logs = e.op("Log", {e.op("Add", {x, e.number(args.real(4), dtype)})});
    loss = e.op("Sub", {x, e.op("Mul", {target, logs})});
  }
  if (args.flag(3)) {
    // Stirling's formula, for targets above 1.
    const ValueId main = e.op("Sub", {e.op("Mul", {target, e.op("Log", {target})}), target});
    const ValueId rest = e.op("Mul", {e.op("Log", {e.op("Mul", {target, e.number(2 * 3.14159265358979323846, dtype)})}), e.number(0.5, dtype)});
    const ValueId small = e.op("LessOrEqual", {target, e.number(1, dtype)});
    loss = e.op("Add", {loss, e.op("Where", {small, e.number(0, dtype), e.op("Add", {main, rest})})});
  }
  return reduced(e, loss, args.integer(5));
}

constexpr AtenRow kRows[] = {
    {"aten::cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> "
     "Tensor",
     cosine_embedding},
    {"aten::triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., float p=2., float "
     "eps=9.9999999999999995e-07, bool swap=False, int reduction=1) -> Tensor",
     triplet},
    {"aten::hinge_embedding_loss(Tensor self, Tensor target, float margin=1., int reduction=1) -> Tensor",
     hinge_embedding},
    {"aten::margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> "
     "Tensor",
     margin_ranking},
    {"aten::soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", soft_margin},
    {"aten::multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, int "
     "reduction=1) -> Tensor",
     multi_margin},
    {"aten::multilabel_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", multilabel_margin},
    {"aten::poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> "
     "Tensor",
     poisson_nll},
};

}  // namespace

extern const std::span<const AtenRow> aten_margin_loss = kRows;

}  // namespace lanthorn::script
