// Random tensors: the numbers are others than PyTorch's, from the same distribution.
#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

void warn(Lowering& lowering) {
  lowering.note("the program draws random numbers: they are not PyTorch's, but of the same distribution");
}

/// Ones of the wanted shape, which the random operators take shape and dtype from.
ValueId pattern(Emitter& e, const Dims& dims, DType dtype) { return e.expand(e.number(1, dtype), dims); }

ValueId uniform(Emitter& e, const Dims& dims, DType dtype, double low, double high) {
  warn(e.lowering());
  return e.op("RandomUniformLike", {pattern(e, dims, dtype)},
              {{"low", static_cast<float>(low)}, {"high", static_cast<float>(high)}});
}

ValueId normal(Emitter& e, const Dims& dims, DType dtype, double mean, double deviation) {
  warn(e.lowering());
  return e.op("RandomNormalLike", {pattern(e, dims, dtype)},
              {{"mean", static_cast<float>(mean)}, {"scale", static_cast<float>(deviation)}});
}

// (size, dtype, ...)
Result<Value> rand(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(uniform(e, args.ints(0), args.dtype(1).value_or(DType::kF32), 0, 1));
}
Result<Value> randn(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(normal(e, args.ints(0), args.dtype(1).value_or(DType::kF32), 0, 1));
}

// (self, dtype, ...)
Result<Value> rand_like(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(uniform(e, x->dims, args.dtype(1).value_or(x->dtype), 0, 1));
}
Result<Value> randn_like(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(normal(e, x->dims, args.dtype(1).value_or(x->dtype), 0, 1));
}

Result<Value> integers(Lowering& lowering, const Dim& low, const Dim& high, const Dims& dims,
                       std::optional<DType> dtype) {
  Emitter e(lowering);
  LAN_TRY(const int64_t first, lowering.concrete(low));
  LAN_TRY(const int64_t last, lowering.concrete(high));
  const ValueId drawn = uniform(e, dims, DType::kF64, static_cast<double>(first), static_cast<double>(last));
  return e.result(e.cast(e.op("Floor", {drawn}), dtype.value_or(DType::kI64)));
}

// (high, size, dtype, ...)
Result<Value> randint(Lowering& lowering, const Args& args) {
  return integers(lowering, Dim(0), args.integer(0), args.ints(1), args.dtype(2));
}
// (low, high, size, dtype, ...)
Result<Value> randint_low(Lowering& lowering, const Args& args) {
  return integers(lowering, args.integer(0), args.integer(1), args.ints(2), args.dtype(3));
}

// (n, dtype, ...): the order in which drawn numbers would be sorted
Result<Value> randperm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const Dim n = args.integer(0);
  const ValueId drawn = uniform(e, {n}, DType::kF32, 0, 1);
  const auto made = e.ops("TopK", {drawn, e.shape({n})}, 2, {{"axis", int64_t{0}}});
  return e.result(e.cast(made[1], args.dtype(1).value_or(DType::kI64)));
}

// (self, from, to, generator)
Result<Value> uniform_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId drawn = uniform(e, x->dims, x->dtype, args.real(1), args.real(2));
  if (e.failed()) return e.error();
  return lowering.write(x, drawn);
}

// (self, mean, std, generator)
Result<Value> normal_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId drawn = normal(e, x->dims, x->dtype, args.real(1), args.real(2));
  if (e.failed()) return e.error();
  return lowering.write(x, drawn);
}

/// 1 with the probability that each element says.
ValueId flips(Emitter& e, ValueId chances, DType dtype) {
  warn(e.lowering());
  const ValueId inner = is_floating(e.dtype(chances)) ? chances : e.cast(chances, DType::kF32);
  return e.cast(e.op("Bernoulli", {inner}), dtype);
}

Result<Value> bernoulli(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(flips(e, e.read(x), x->dtype));
}

// (self, p, generator)
Result<Value> bernoulli_p(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  return e.result(flips(e, e.expand(e.number(args.real(1), DType::kF32), x->dims), x->dtype));
}

Result<Value> bernoulli_in_place(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId drawn = flips(e, e.expand(e.number(args.real(1), DType::kF32), x->dims), x->dtype);
  if (e.failed()) return e.error();
  return lowering.write(x, drawn);
}

// (mean, std, generator), one or both a tensor
Result<Value> normal_of(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef mean = args[0].tensor(), deviation = args[1].tensor();
  const DType dtype = mean ? mean->dtype : deviation->dtype;
  const ValueId at = e.operand(args[0], dtype), scale = e.operand(args[1], dtype);
  const Dims dims = e.dims(e.op("Add", {at, scale}));
  if (e.failed()) return e.error();
  return e.result(e.op("Add", {e.op("Mul", {normal(e, dims, dtype, 0, 1), scale}), at}));
}

// (mean, std, size, generator, dtype, ...)
Result<Value> normal_sized(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(normal(e, args.ints(2), args.dtype(4).value_or(DType::kF32), args.real(0), args.real(1)));
}

// (self, num_samples, replacement, generator): the largest of Gumbel-distributed scores are drawn without
// replacement by the weights, and with it one draw at a time
Result<Value> multinomial(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (x->dims.empty() || x->dims.size() > 2) return lowering.error(ErrorCode::kInvalidInput, "multinomial wants one or two dimensions");
  const ValueId weights = e.op("Log", {e.read(x, DType::kF32)});
  Dims dims = x->dims;
  if (args.flag(2)) dims.insert(dims.end() - 1, args.integer(1));
  const ValueId drawn = uniform(e, dims, DType::kF32, 1e-30, 1);
  const ValueId noise = e.op("Neg", {e.op("Log", {e.op("Neg", {e.op("Log", {drawn})})})});
  if (args.flag(2)) {
    const ValueId scores = e.op("Add", {e.unsqueeze(weights, {-2}), noise});
    return e.result(e.op("ArgMax", {scores}, {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}}));
  }
  const ValueId scores = e.op("Add", {weights, noise});
  return e.result(e.ops("TopK", {scores, e.shape({args.integer(1)})}, 2, {{"axis", int64_t{-1}}})[1]);
}

constexpr AtenRow kRows[] = {
    {"aten::normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor", normal_of},
    {"aten::normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor", normal_of},
    {"aten::normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor", normal_of},
    {"aten::normal.float_float(float mean, float std, SymInt[] size, *, Generator? generator=None, ScalarType? "
     "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     normal_sized},
    {"aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> "
     "Tensor",
     multinomial},
    {"aten::rand(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     rand},
    {"aten::randn(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     randn},
    {"aten::rand_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     rand_like},
    {"aten::randn_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     randn_like},
    {"aten::randint(SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, "
     "bool? pin_memory=None) -> Tensor",
     randint},
    {"aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     randint_low},
    {"aten::randperm(SymInt n, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     randperm},
    {"aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)",
     uniform_in_place},
    {"aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)",
     normal_in_place},
    {"aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor", bernoulli},
    {"aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor", bernoulli_p},
    {"aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)",
     bernoulli_in_place},
};

}  // namespace

extern const std::span<const AtenRow> aten_random = kRows;

}  // namespace lanthorn::script
