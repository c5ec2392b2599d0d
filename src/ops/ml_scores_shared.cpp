// https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html and its kin

#include "ops/ml_scores_shared.h"

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/text_lists_shared.h"

namespace lanthorn {
namespace {

// Winitzki's approximation of the inverse error function, which the transform is defined by.
double probit(double x) {
  constexpr double kA = 0.147, kPi = 3.14159265358979323846;
  const double y = 2 * x - 1, rest = (1 - y) * (1 + y);
  if (rest == 0) return 0;
  const double log = std::log(rest), half = 2 / (kPi * kA) + log / 2;
  const double size = std::sqrt(-half + std::sqrt(half * half - log / kA));
  return 1.41421356 * (y < 0 ? -size : size);
}

void softmax(std::span<double> scores, bool zeros_stay) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    const bool zero = zeros_stay && std::fabs(score) <= 1e-7;
    score = zero ? score * std::exp(-largest) : std::exp(score - largest);
    sum += score;
  }
  for (double& score : scores) score = sum == 0 ? 0.5 : score / sum;
}

}  // namespace

double logistic(double x) {
  const double y = 1 / (1 + std::exp(-std::fabs(x)));
  return x < 0 ? 1 - y : y;
}

Result<PostTransform> post_transform_of(const Attributes& attributes) {
  const std::string_view text = attributes.text("post_transform", "NONE");
  if (text == "NONE") return PostTransform::kNone;
  if (text == "SOFTMAX") return PostTransform::kSoftmax;
  if (text == "LOGISTIC") return PostTransform::kLogistic;
  if (text == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (text == "PROBIT") return PostTransform::kProbit;
  return attribute_error("post_transform", "there is no '" + std::string(text) + "'");
}

void transform_scores(PostTransform transform, std::span<double> scores) {
  if (scores.empty()) return;
  if (transform == PostTransform::kSoftmax) softmax(scores, false);
  if (transform == PostTransform::kSoftmaxZero) softmax(scores, true);
  for (double& score : scores) {
    if (transform == PostTransform::kLogistic) score = logistic(score);
    if (transform == PostTransform::kProbit) score = probit(score);
  }
}

std::vector<double> both_scores(PostTransform transform, double score, LoneScore kind) {
  if (transform == PostTransform::kLogistic) return {logistic(-score), logistic(score)};
  if (kind == LoneScore::kProbability) return {1 - score, score};
  return {-score, score};
}

ClassLabels ClassLabels::of(const Attributes& attributes, std::string_view strings,
                            std::string_view numbers) {
  ClassLabels labels;
  const std::vector<std::string>& texts = text_list(attributes, strings);
  if (!texts.empty())
    labels.texts_ = &texts;
  else
    labels.numbers_ = attributes.ints(numbers);
  return labels;
}

void ClassLabels::store(const MutableTensorView& to, size_t at, size_t index) const {
  if (!to.present()) return;
  if (texts_) {
    to.as<std::string>()[at] = index < texts_->size() ? (*texts_)[index] : std::to_string(index);
  } else {
    to.as<int64_t>()[at] = index < numbers_.size() ? numbers_[index] : static_cast<int64_t>(index);
  }
}

size_t arg_max(std::span<const double> numbers) {
  return static_cast<size_t>(std::max_element(numbers.begin(), numbers.end()) - numbers.begin());
}

Status require_rows(const InferContext& c) {
  if (c.rank(0) == 1 || c.rank(0) == 2) return ok();
  return shape_error("samples are [N, features], not " + dims_text(c.dims(0)));
}

Dim row_count(const InferContext& c) { return c.rank(0) == 1 ? Dim(1) : c.dims(0)[0]; }

Rows read_rows(const TensorView& view) {
  Rows rows;
  rows.numbers = read_doubles(view);
  rows.width = static_cast<size_t>(view.shape.back());
  rows.count = view.rank() == 1 ? 1 : static_cast<size_t>(view.shape[0]);
  return rows;
}

std::vector<double> numbers_of(const Tensor& tensor) {
  return tensor.to_doubles().value_or(std::vector<double>{});
}

std::vector<double> numbers_of(const Attributes& attributes, const std::string& name) {
  if (const Tensor* tensor = attributes.tensor(name + "_as_tensor")) return numbers_of(*tensor);
  const std::vector<float> reals = attributes.reals(name);
  return {reals.begin(), reals.end()};
}

}  // namespace lanthorn
