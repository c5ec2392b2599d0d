// OPS: ml_tree_ensemble ml_tree_ensemble_classifier ml_tree_ensemble_regressor
// https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html and its kin. What the text leaves
// open about two classes is as ONNX Runtime has it.

#include <algorithm>

#include "ops/ml_scores_shared.h"
#include "ops/ml_tree_ensemble_shared.h"
#include "ops/ml_trees_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

constexpr int64_t kMaxTargets = int64_t{1} << 24;

Status infer_ensemble(InferContext& c) {
  LAN_OK(require_rows(c));
  const int64_t transform = c.attributes().integer("post_transform", 0);
  if (transform < 0 || transform > 4) return attribute_error("post_transform", "it is 0 to 4");
  const int64_t targets = c.attributes().integer("n_targets", 0);
  if (targets < 1 || targets > kMaxTargets)
    return attribute_error("n_targets", "it must be positive");
  c.set_output(0, c.dtype(0), Dims{row_count(c), Dim(targets)});
  return ok();
}

Status infer_regressor(InferContext& c) {
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(c.attributes()));
  const int64_t targets = c.attributes().integer("n_targets", 1);
  if (targets < 1 || targets > kMaxTargets)
    return attribute_error("n_targets", "it must be positive");
  c.set_output(0, DType::kF32, Dims{row_count(c), Dim(targets)});
  return ok();
}

Status infer_classifier(InferContext& c) {
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(c.attributes()));
  const ClassLabels labels =
      ClassLabels::of(c.attributes(), "classlabels_strings", "classlabels_int64s");
  if (labels.size() == 0) return attribute_error("classlabels_int64s", "there are no classes");
  c.set_output(0, labels.dtype(), Dims{row_count(c)});
  c.set_output(1, DType::kF32, Dims{row_count(c), Dim(static_cast<int64_t>(labels.size()))});
  return ok();
}

Status run_regression(const RunContext& c, const Trees& trees, PostTransform transform) {
  const Rows rows = read_rows(c.input(0));
  if (rows.width < trees.features) return shape_error("samples have too few features");
  std::vector<double> y(rows.count * trees.targets);
  for (size_t i = 0; i < rows.count; ++i) {
    const auto scores = std::span(y).subspan(i * trees.targets, trees.targets);
    std::vector<uint8_t> voted(trees.targets);
    LAN_OK(trees.vote(rows.row(i), scores, voted));
    for (size_t k = 0; k < scores.size() && k < trees.base.size(); ++k) scores[k] += trees.base[k];
    transform_scores(transform, scores);
  }
  write_doubles(c.output(0), y);
  return ok();
}

Status run_ensemble(const RunContext& c) {
  LAN_TRY(const auto trees, prepared_trees(c));
  const int64_t transform = c.attributes().integer("post_transform", 0);
  return run_regression(c, *trees, static_cast<PostTransform>(transform));
}

Status run_regressor(const RunContext& c) {
  LAN_TRY(const auto trees, prepared_trees(c));
  LAN_TRY(const PostTransform transform, post_transform_of(c.attributes()));
  return run_regression(c, *trees, transform);
}

// The scores of two classes, and which of them it is.
struct TwoClasses {
  std::vector<double> scores;
  size_t label = 0;
};

TwoClasses decide(const Trees& trees, PostTransform transform, std::vector<double> scores,
                  bool second_voted) {
  const bool binary = trees.one_target;
  if (trees.base.size() == 2) {
    if (binary) {
      // Both bases are taken to be the same.
      scores[1] = trees.base[1] + (second_voted ? scores[1] : scores[0]);
      scores[0] = -scores[1];
    } else {
      scores[0] += trees.base[0];
      scores[1] += trees.base[1];
    }
    second_voted = true;
  } else if (trees.base.size() == 1) {
    scores[second_voted ? 1 : 0] += trees.base[0];
  }
  TwoClasses made;
  const double positive = second_voted ? scores[1] : scores[0];
  // Votes are float32, and so is their sum: half of them is to be half.
  const float threshold = binary && trees.all_positive ? 0.5f : 0.0f;
  const bool is_second = static_cast<float>(positive) > threshold;
  made.label = !binary && second_voted ? arg_max(scores) : is_second ? 1 : 0;
  if (second_voted) {
    transform_scores(transform, scores);
    made.scores = std::move(scores);
  } else if (transform == PostTransform::kProbit) {
    transform_scores(transform, scores);
    made.scores = {0, scores[0]};
  } else {
    made.scores = both_scores(transform, positive,
                              trees.all_positive ? LoneScore::kProbability : LoneScore::kMargin);
  }
  return made;
}

Status run_classifier(const RunContext& c) {
  LAN_TRY(const auto shared, prepared_trees(c));
  const Trees& trees = *shared;
  LAN_TRY(const PostTransform transform, post_transform_of(c.attributes()));
  const ClassLabels labels =
      ClassLabels::of(c.attributes(), "classlabels_strings", "classlabels_int64s");
  const Rows rows = read_rows(c.input(0));
  if (rows.width < trees.features) return shape_error("samples have too few features");
  const size_t classes = labels.size();
  std::vector<double> y(rows.count * classes);
  for (size_t i = 0; i < rows.count; ++i) {
    std::vector<double> scores(classes);
    std::vector<uint8_t> voted(classes);
    LAN_OK(trees.vote(rows.row(i), scores, voted));
    size_t label = 0;
    if (classes == 2) {
      TwoClasses made = decide(trees, transform, std::move(scores), voted[1] != 0);
      scores = std::move(made.scores);
      label = made.label;
    } else {
      for (size_t k = 0; k < classes && k < trees.base.size(); ++k) scores[k] += trees.base[k];
      // Of a lone class its number tells whether it is the one.
      label = classes == 1 ? (scores[0] > 0 ? 1 : 0) : arg_max(scores);
      transform_scores(transform, scores);
    }
    std::copy(scores.begin(), scores.end(), y.begin() + static_cast<std::ptrdiff_t>(i * classes));
    if (classes == 1 && labels.dtype() == DType::kI64) {
      c.output(0).as<int64_t>()[i] = static_cast<int64_t>(label);
    } else {
      labels.store(c.output(0), i, label);
    }
  }
  write_doubles(c.output(1), y);
  return ok();
}

constexpr uint64_t kEnsembleTypes =
    type_bit(DType::kF32) | type_bit(DType::kF64) | type_bit(DType::kF16);
constexpr uint64_t kLabels = kStringType | kI64Type;

}  // namespace

Result<std::shared_ptr<const Trees>> trees_of(const Node& node) {
  const Attributes& a = node.attributes;
  if (node.op == "TreeEnsemble") return read_trees(a);
  if (node.op == "TreeEnsembleRegressor") {
    return read_old_trees(a, "target", static_cast<size_t>(a.integer("n_targets", 1)));
  }
  return read_old_trees(a, "class",
                        ClassLabels::of(a, "classlabels_strings", "classlabels_int64s").size());
}

Result<std::shared_ptr<const Trees>> prepared_trees(const RunContext& c) {
  if (!c.prepared()) return trees_of(c.node());
  // The plan keeps what was prepared for as long as the node runs.
  return std::shared_ptr<const Trees>(std::shared_ptr<const void>{},
                                      static_cast<const Trees*>(c.prepared()));
}

extern constinit const OpDef op_ml_tree_ensemble{
    .name = "TreeEnsemble",
    .domain = kMlDomain,
    .since = 5,
    .inputs = {{"X", kEnsembleTypes}},
    .outputs = {{"Y", kEnsembleTypes}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_ensemble,
    .reference = run_ensemble,
};

extern constinit const OpDef op_ml_tree_ensemble_classifier{
    .name = "TreeEnsembleClassifier",
    .domain = kMlDomain,
    .since = 5,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", kLabels}, {"Z", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_classifier,
    .reference = run_classifier,
};

extern constinit const OpDef op_ml_tree_ensemble_regressor{
    .name = "TreeEnsembleRegressor",
    .domain = kMlDomain,
    .since = 5,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_regressor,
    .reference = run_regressor,
};

}  // namespace lanthorn
