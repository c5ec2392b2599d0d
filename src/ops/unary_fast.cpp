// Functions of one float32 value.
// FAST: relu clip leaky_relu sigmoid tanh hard_sigmoid hard_swish swish gelu
// FAST: exp log sqrt reciprocal erf abs neg floor ceil
#include <array>
#include <limits>
#include <optional>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

struct PreparedUnary {
  const KernelTable* table = nullptr;
  std::optional<Unary> unary;  // else the activation
  Activation activation = Activation::kNone;
  float alpha = 0.0f, beta = 0.0f;
};

struct Named {
  std::string_view op;
  std::optional<Unary> unary;
  Activation activation = Activation::kNone;
  float alpha = 0.0f, beta = 0.0f;  // where the attribute is absent
};

constexpr Named kNamed[] = {
    {"Relu", {}, Activation::kRelu},
    {"Clip", {}, Activation::kClip},
    {"LeakyRelu", {}, Activation::kLeakyRelu, 0.01f},
    {"Sigmoid", {}, Activation::kSigmoid},
    {"Tanh", {}, Activation::kTanh},
    {"HardSigmoid", {}, Activation::kHardSigmoid, 0.2f, 0.5f},
    {"HardSwish", {}, Activation::kHardSwish},
    {"Swish", {}, Activation::kSilu, 1.0f},
    {"Gelu", {}, Activation::kGelu},
    {"Exp", Unary::kExp},
    {"Log", Unary::kLog},
    {"Sqrt", Unary::kSqrt},
    {"Reciprocal", Unary::kReciprocal},
    {"Erf", Unary::kErf},
    {"Abs", Unary::kAbs},
    {"Neg", Unary::kNeg},
    {"Floor", Unary::kFloor},
    {"Ceil", Unary::kCeil},
};

const Named* named(const KernelQuery& query) {
  for (const Named& entry : kNamed) {
    if (entry.op == query.node.op) return &entry;
  }
  return nullptr;
}

bool applies(const KernelQuery& query) { return all_float32(query) && named(query) != nullptr; }

bool clip_applies(const KernelQuery& query) {
  if (!all_float32(query)) return false;
  for (size_t i = 1; i < query.inputs.size(); ++i) {
    if (query.has_input(i) && (query.constants[i] == nullptr || query.constants[i]->count() != 1)) {
      return false;
    }
  }
  return true;
}

float bound(const KernelQuery& query, size_t i, float fallback) {
  if (i >= query.inputs.size() || !query.has_input(i)) return fallback;
  return query.constants[i]->as<float>()[0];
}

Result<std::shared_ptr<const void>> prepare(const KernelQuery& query) {
  const Named& entry = *named(query);
  const Attributes& attributes = query.node.attributes;
  auto prepared = std::make_shared<PreparedUnary>();
  prepared->table = &kernels(query.isa);
  prepared->unary = entry.unary;
  prepared->activation = entry.activation;
  prepared->alpha = attributes.real("alpha", entry.alpha);
  prepared->beta = attributes.real("beta", entry.beta);
  if (entry.activation == Activation::kClip) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    prepared->alpha = bound(query, 1, -kInfinity);
    prepared->beta = bound(query, 2, kInfinity);
  }
  if (entry.activation == Activation::kGelu && attributes.text("approximate", "none") == "tanh") {
    prepared->activation = Activation::kGeluTanh;
  }
  return std::shared_ptr<const void>(std::move(prepared));
}

Status run(const RunContext& context) {
  const auto& prepared = *static_cast<const PreparedUnary*>(context.prepared());
  const float* x = floats(context.input(0));
  float* y = floats(context.output(0));
  const auto count = static_cast<size_t>(context.input(0).count());
  constexpr size_t kLeast = 8192;  // some microseconds of the slower functions
  const Workers workers = workers_of(context);
  workers.run(count, workers.grain(count, kLeast), [&](size_t begin, size_t end) {
    const ElementwiseKernels& loops = *prepared.table->elementwise;
    if (prepared.unary) {
      loops.unary(*prepared.unary, x + begin, y + begin, end - begin);
    } else {
      loops.activate(prepared.activation, prepared.alpha, prepared.beta, x + begin, y + begin,
                     end - begin);
    }
  });
  return ok();
}

constexpr FastKernel kUnary[] = {{.name = "unary/vector",
                                  .applies = applies,
                                  .prepare = prepare,
                                  .pack_key = key_of_isa,
                                  .run = run,
                                  .in_place = true}};
constexpr FastKernel kClip[] = {{.name = "clip/vector",
                                 .applies = clip_applies,
                                 .prepare = prepare,
                                 .pack_key = key_of_isa,
                                 .run = run,
                                 .in_place = true}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_relu = kUnary;
extern constinit const std::span<const FastKernel> fast_clip = kClip;
extern constinit const std::span<const FastKernel> fast_leaky_relu = kUnary;
extern constinit const std::span<const FastKernel> fast_sigmoid = kUnary;
extern constinit const std::span<const FastKernel> fast_tanh = kUnary;
extern constinit const std::span<const FastKernel> fast_hard_sigmoid = kUnary;
extern constinit const std::span<const FastKernel> fast_hard_swish = kUnary;
extern constinit const std::span<const FastKernel> fast_swish = kUnary;
extern constinit const std::span<const FastKernel> fast_gelu = kUnary;
extern constinit const std::span<const FastKernel> fast_exp = kUnary;
extern constinit const std::span<const FastKernel> fast_log = kUnary;
extern constinit const std::span<const FastKernel> fast_sqrt = kUnary;
extern constinit const std::span<const FastKernel> fast_reciprocal = kUnary;
extern constinit const std::span<const FastKernel> fast_erf = kUnary;
extern constinit const std::span<const FastKernel> fast_abs = kUnary;
extern constinit const std::span<const FastKernel> fast_neg = kUnary;
extern constinit const std::span<const FastKernel> fast_floor = kUnary;
extern constinit const std::span<const FastKernel> fast_ceil = kUnary;

}  // namespace lanthorn
