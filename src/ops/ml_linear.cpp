// OPS: ml_linear_classifier ml_linear_regressor
// https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html and its kin

#include <algorithm>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Result<int64_t> features_of(const InferContext& c, int64_t targets) {
  const auto count = static_cast<int64_t>(c.attributes().reals("coefficients").size());
  if (targets < 1 || count % targets != 0) {
    return attribute_error("coefficients", std::to_string(count) + " of them for " +
                                               std::to_string(targets) + " targets");
  }
  const int64_t features = count / targets;
  const Dim& width = c.dims(0).back();
  if (may_equal(width, Dim(features))) return features;
  return shape_error("samples have " + width.text() + " features, not " + std::to_string(features));
}

Status infer_regressor(InferContext& c) {
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(c.attributes()));
  const int64_t targets = c.attributes().integer("targets", 1);
  LAN_OK(features_of(c, targets));
  c.set_output(0, DType::kF32, Dims{row_count(c), Dim(targets)});
  return ok();
}

ClassLabels labels_of(const Attributes& a) {
  return ClassLabels::of(a, "classlabels_strings", "classlabels_ints");
}

// How many sets of coefficients there are: of one for every class, or one for two classes.
int64_t classifier_targets(const Attributes& a) {
  return std::max<int64_t>(1, static_cast<int64_t>(a.reals("intercepts").size()));
}

Status infer_classifier(InferContext& c) {
  const Attributes& a = c.attributes();
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(a));
  const ClassLabels labels = labels_of(a);
  int64_t targets = classifier_targets(a);
  if (a.reals("intercepts").empty() && labels.size() > 0)
    targets = static_cast<int64_t>(labels.size());
  LAN_OK(features_of(c, targets));
  if (targets == 1 && labels.size() == 2) targets = 2;
  c.set_output(0, labels.dtype(), Dims{row_count(c)});
  c.set_output(1, DType::kF32, Dims{row_count(c), Dim(targets)});
  return ok();
}

// Scores [rows, targets].
std::vector<double> linear_scores(const RunContext& c, const Rows& rows, size_t targets) {
  const std::vector<double> weights = numbers_of(c.attributes(), "coefficients");
  const std::vector<double> offsets = numbers_of(c.attributes(), "intercepts");
  std::vector<double> y(rows.count * targets);
  for (size_t i = 0; i < y.size(); ++i) {
    const auto row = rows.row(i / targets);
    const size_t target = i % targets;
    y[i] = offsets.size() == targets ? offsets[target] : 0;
    for (size_t k = 0; k < row.size(); ++k) y[i] += row[k] * weights[target * row.size() + k];
  }
  return y;
}

Status run_regressor(const RunContext& c) {
  LAN_TRY(const PostTransform transform, post_transform_of(c.attributes()));
  const Rows rows = read_rows(c.input(0));
  const auto targets = static_cast<size_t>(c.output(0).shape[1]);
  std::vector<double> y = linear_scores(c, rows, targets);
  for (size_t i = 0; i < rows.count; ++i)
    transform_scores(transform, std::span(y).subspan(i * targets, targets));
  write_doubles(c.output(0), y);
  return ok();
}

Status run_classifier(const RunContext& c) {
  const Attributes& a = c.attributes();
  LAN_TRY(const PostTransform transform, post_transform_of(a));
  const ClassLabels labels = labels_of(a);
  const Rows rows = read_rows(c.input(0));
  const size_t targets =
      rows.width == 0 ? 1 : std::max<size_t>(1, a.reals("coefficients").size() / rows.width);
  const std::vector<double> scores = linear_scores(c, rows, targets);
  const bool both = targets == 1 && labels.size() == 2;
  std::vector<double> y;
  for (size_t i = 0; i < rows.count; ++i) {
    const std::span<const double> given(scores.data() + i * targets, targets);
    std::vector<double> row(given.begin(), given.end());
    if (both) row = {-given[0], given[0]};
    // The text leaves open what the other class has; ONNX Runtime takes the score for a
    // probability.
    if (both && transform == PostTransform::kNone) row[0] = 1 - given[0];
    // Of one score the sign tells the class.
    labels.store(c.output(0), i, targets == 1 ? (given[0] > 0 ? 1 : 0) : arg_max(row));
    transform_scores(transform, row);
    y.insert(y.end(), row.begin(), row.end());
  }
  write_doubles(c.output(1), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ml_linear_classifier{
    .name = "LinearClassifier",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", kStringType | kI64Type}, {"Z", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_classifier,
    .reference = run_classifier,
};

extern constinit const OpDef op_ml_linear_regressor{
    .name = "LinearRegressor",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_regressor,
    .reference = run_regressor,
};

}  // namespace lanthorn
