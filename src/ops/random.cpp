// Random numbers: https://onnx.ai/onnx/operators/onnx__RandomNormal.html and its kin. The text
// leaves the generator open; with a seed the numbers are the same in every run.
// OPS: bernoulli dropout multinomial random_normal random_normal_like random_uniform
// OPS: random_uniform_like
#include <bit>
#include <cmath>
#include <random>

#include "graph/onnx_dtype.h"
#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

std::mt19937_64 generator_of(const Attributes& attributes) {
  if (attributes.has("seed")) {
    return std::mt19937_64(std::bit_cast<uint32_t>(attributes.real("seed", 0)));
  }
  std::random_device entropy;
  return std::mt19937_64((uint64_t{entropy()} << 32) | entropy());
}

// In [0, 1), of 53 random bits; the distributions of the standard library differ from one to
// another.
double uniform(std::mt19937_64& generator) {
  return static_cast<double>(generator() >> 11) * 0x1p-53;
}

// Box and Muller's transform of two uniform numbers.
double normal(std::mt19937_64& generator) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(generator)));
  return radius * std::cos(2.0 * 3.14159265358979323846 * uniform(generator));
}

Result<DType> asked_dtype(const InferContext& context, DType fallback, uint64_t allowed) {
  const int64_t number = context.attributes().integer("dtype", 0);
  const DType dtype = number == 0 ? fallback : dtype_from_onnx(number);
  if ((type_bit(dtype) & allowed) == 0)
    return refused("random numbers of type " + std::string(dtype_name(dtype)));
  return dtype;
}

Status infer_shaped(InferContext& context) {
  LAN_TRY(const DType dtype, asked_dtype(context, DType::kF32, kFloats));
  const std::vector<int64_t> shape = context.attributes().ints("shape");
  for (const int64_t size : shape) {
    if (size < 0) return refused("the shape " + shape_text(shape) + " has a negative dimension");
  }
  context.set_output(0, dtype, Dims(shape.begin(), shape.end()));
  return ok();
}

Status infer_like(InferContext& context) {
  LAN_TRY(const DType dtype, asked_dtype(context, context.dtype(0), kFloats));
  context.set_output(0, dtype, context.dims(0));
  return ok();
}

template <class F>
Status fill(const MutableTensorView& to, F draw) {
  for (int64_t i = 0; i < to.count(); ++i) {
    const double number = draw();
    store_wide(&number, to, i, 1);
  }
  return ok();
}

Status run_normal(const RunContext& context) {
  std::mt19937_64 generator = generator_of(context.attributes());
  const double mean = static_cast<double>(context.attributes().real("mean", 0));
  const double scale = static_cast<double>(context.attributes().real("scale", 1));
  return fill(context.output(0), [&] { return mean + scale * normal(generator); });
}

Status run_uniform(const RunContext& context) {
  std::mt19937_64 generator = generator_of(context.attributes());
  const double low = static_cast<double>(context.attributes().real("low", 0));
  const double high = static_cast<double>(context.attributes().real("high", 1));
  return fill(context.output(0), [&] { return low + (high - low) * uniform(generator); });
}

Status infer_bernoulli(InferContext& context) {
  LAN_TRY(const DType dtype, asked_dtype(context, context.dtype(0), kNumbers | kBoolType));
  context.set_output(0, dtype, context.dims(0));
  return ok();
}

Status run_bernoulli(const RunContext& context) {
  std::mt19937_64 generator = generator_of(context.attributes());
  const std::vector<double> chances = wide_copy<double>(context.input(0));
  size_t next = 0;
  return fill(context.output(0), [&] { return uniform(generator) < chances[next++] ? 1.0 : 0.0; });
}

Status infer_multinomial(InferContext& context) {
  LAN_OK(require_rank(context, 0, 2, 2));
  LAN_TRY(const DType dtype, asked_dtype(context, DType::kI32, type_bit(DType::kI32) | kI64Type));
  const int64_t samples = context.attributes().integer("sample_size", 1);
  if (samples < 0) return refused("attribute 'sample_size' is " + std::to_string(samples));
  context.set_output(0, dtype, Dims{context.dims(0)[0], samples});
  return ok();
}

// Draws from logits: softmax without its division, as the place where a running sum passes a
// number.
Status run_multinomial(const RunContext& context) {
  std::mt19937_64 generator = generator_of(context.attributes());
  const std::vector<double> logits = wide_copy<double>(context.input(0));
  const int64_t classes = context.input(0).shape[1], samples = context.output(0).shape[1];
  std::vector<double> sums(static_cast<size_t>(classes));
  for (int64_t row = 0; row < context.input(0).shape[0]; ++row) {
    const double* from = logits.data() + row * classes;
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < classes; ++i) largest = std::max(largest, from[i]);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = sum += std::exp(from[i] - largest);
    for (int64_t sample = 0; sample < samples; ++sample) {
      const double number = uniform(generator) * sum;
      int64_t chosen = 0;
      while (chosen + 1 < classes && sums[static_cast<size_t>(chosen)] <= number) ++chosen;
      store_wide(&chosen, context.output(0), row * samples + sample, 1);
    }
  }
  return ok();
}

Status infer_dropout(InferContext& context) {
  context.set_output(0, context.input(0));
  context.set_output(1, DType::kBool, context.dims(0));
  return ok();
}

// Only in training does it drop anything.
Status run_dropout(const RunContext& context) {
  int64_t training = 0;
  double ratio = 0.5;
  if (context.has_input(2)) load_wide(context.input(2), 0, 1, &training, 1);
  if (context.has_input(1)) load_wide(context.input(1), 0, 1, &ratio, 1);
  if (training == 0) ratio = 0;
  if (!(ratio >= 0 && ratio < 1))
    return Error{ErrorCode::kInvalidInput, "the ratio is not in [0, 1)", "", ""};
  std::mt19937_64 generator = generator_of(context.attributes());
  const MutableTensorView& to = context.output(0);
  const bool has_mask = context.output_count() > 1 && context.output(1).present();
  for (int64_t i = 0; i < context.input(0).count(); ++i) {
    const bool keep = ratio == 0 || uniform(generator) >= ratio;
    double number = 0;
    load_wide(context.input(0), i, 1, &number, 1);
    number = keep ? number / (1 - ratio) : 0;
    if (to.present()) store_wide(&number, to, i, 1);
    if (has_mask) context.output(1).as<uint8_t>()[static_cast<size_t>(i)] = keep;
  }
  return ok();
}

consteval OpDef random(std::string_view name, FixedList<OpPort, 12> inputs,
                       Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = 22,
          .inputs = inputs,
          .outputs = {{"output"}},
          .infer = rule,
          .reference = run,
          .random = true};
}

constexpr uint64_t kF8 = type_bit(DType::kF8E4M3FN) | type_bit(DType::kF8E4M3FNUZ) |
                         type_bit(DType::kF8E5M2) | type_bit(DType::kF8E5M2FNUZ);

}  // namespace

extern constinit const OpDef op_bernoulli =
    random("Bernoulli", {{"input", kFloats}}, infer_bernoulli, run_bernoulli);
extern constinit const OpDef op_multinomial =
    random("Multinomial", {{"input", kFloats}}, infer_multinomial, run_multinomial);
extern constinit const OpDef op_random_normal =
    random("RandomNormal", {}, infer_shaped, run_normal);
extern constinit const OpDef op_random_normal_like =
    random("RandomNormalLike", {{"input"}}, infer_like, run_normal);
extern constinit const OpDef op_random_uniform =
    random("RandomUniform", {}, infer_shaped, run_uniform);
extern constinit const OpDef op_random_uniform_like =
    random("RandomUniformLike", {{"input"}}, infer_like, run_uniform);
extern constinit const OpDef op_dropout = {.name = "Dropout",
                                           .since = 22,
                                           .inputs = {{"data", kFloats | kF8},
                                                      {"ratio", kFloats | kF8, true},
                                                      {"training_mode", kBoolType, true}},
                                           .outputs = {{"output"}, {"mask", kBoolType, true}},
                                           .infer = infer_dropout,
                                           .reference = run_dropout,
                                           .random = true};

}  // namespace lanthorn
