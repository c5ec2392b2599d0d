// OPS: negative_log_likelihood_loss softmax_cross_entropy_loss
// Losses of classifiers: https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html and
// its kin. Scores are [N, C, ...], targets [N, ...] with class numbers.

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

enum class Reduction : uint8_t { kNone, kSum, kMean };

Result<Reduction> reduction_of(const Attributes& attributes) {
  const std::string_view text = attributes.text("reduction", "mean");
  if (text == "none") return Reduction::kNone;
  if (text == "sum") return Reduction::kSum;
  if (text == "mean") return Reduction::kMean;
  return attribute_error("reduction", "it is none, sum or mean");
}

Status infer(InferContext& c) {
  LAN_TRY(const Reduction reduction, reduction_of(c.attributes()));
  const Dims &scores = c.dims(0), &target = c.dims(1);
  if (scores.size() < 2) return shape_error("the scores need a batch and classes");
  bool fits = target.size() + 1 == scores.size() && may_equal(target[0], scores[0]);
  for (size_t i = 1; fits && i < target.size(); ++i) fits = may_equal(target[i], scores[i + 1]);
  if (!fits) {
    return shape_error("targets " + dims_text(target) + " for scores " + dims_text(scores));
  }
  if (c.has_input(2) && (c.rank(2) != 1 || !may_equal(c.dims(2)[0], scores[1]))) {
    return shape_error("weights " + dims_text(c.dims(2)) + " for scores " + dims_text(scores));
  }
  c.set_output(0, c.dtype(0), reduction == Reduction::kNone ? target : Dims{});
  c.set_output(1, c.dtype(0), scores);
  return ok();
}

// What is lost for each target, from the logarithms of probabilities.
Status lose(const RunContext& c, const std::vector<double>& log_probabilities) {
  LAN_TRY(const Reduction reduction, reduction_of(c.attributes()));
  const std::vector<int64_t> targets = read_ints(c.input(1));
  std::vector<double> weights;
  if (c.has_input(2)) weights = read_doubles(c.input(2));
  const bool ignores = c.attributes().has("ignore_index");
  const int64_t ignored = c.attributes().integer("ignore_index", 0);
  const int64_t classes = c.input(0).shape[1];
  const int64_t inner = count_between(c.input(0).shape, 2, c.input(0).rank());
  std::vector<double> losses(targets.size());
  double sum = 0, weight_sum = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const int64_t target = targets[i];
    if (ignores && target == ignored) continue;
    if (target < 0 || target >= classes) {
      return shape_error("a target is class " + std::to_string(target) + " of " +
                         std::to_string(classes));
    }
    const auto at = static_cast<int64_t>(i);
    const int64_t place = (at / inner * classes + target) * inner + at % inner;
    const double weight = weights.empty() ? 1 : weights[static_cast<size_t>(target)];
    losses[i] = -weight * log_probabilities[static_cast<size_t>(place)];
    sum += losses[i];
    weight_sum += weight;
  }
  if (reduction == Reduction::kSum) losses = {sum};
  if (reduction == Reduction::kMean) losses = {sum / weight_sum};
  write_doubles(c.output(0), losses);
  return ok();
}

Status run_likelihood(const RunContext& c) { return lose(c, read_doubles(c.input(0))); }

Status run_cross_entropy(const RunContext& c) {
  std::vector<double> x = read_doubles(c.input(0));
  const auto classes = static_cast<size_t>(c.input(0).shape[1]);
  const auto inner = static_cast<size_t>(count_between(c.input(0).shape, 2, c.input(0).rank()));
  for (size_t begin = 0; begin < x.size(); begin += classes * inner) {
    for (size_t at = begin; at < begin + inner; ++at) {
      double largest = -INFINITY, sum = 0;
      for (size_t k = 0; k < classes; ++k) largest = std::max(largest, x[at + k * inner]);
      for (size_t k = 0; k < classes; ++k) sum += std::exp(x[at + k * inner] - largest);
      const double shift = largest + std::log(sum);
      for (size_t k = 0; k < classes; ++k) x[at + k * inner] -= shift;
    }
  }
  write_doubles(c.output(1), x);
  return lose(c, x);
}

constexpr uint64_t kTargets = type_bit(DType::kI32) | kI64Type;

}  // namespace

extern constinit const OpDef op_negative_log_likelihood_loss{
    .name = "NegativeLogLikelihoodLoss",
    .since = 22,
    .inputs = {{"input", kFloats}, {"target", kTargets}, {"weight", kFloats, true}},
    .outputs = {{"loss", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = run_likelihood,
};

extern constinit const OpDef op_softmax_cross_entropy_loss{
    .name = "SoftmaxCrossEntropyLoss",
    .since = 13,
    .inputs = {{"scores", kFloats}, {"labels", kTargets}, {"weights", kFloats, true}},
    .outputs = {{"output", kFloats}, {"log_prob", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = run_cross_entropy,
};

}  // namespace lanthorn
