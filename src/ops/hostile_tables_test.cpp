// Trees, tables and vocabularies that no honest exporter writes: an error, never a crash.
#include "ops/op_testing.h"

namespace lanthorn {
namespace {

using testing::run_op;

Tensor floats(Shape shape) { return *Tensor::allocate(DType::kF32, std::move(shape)); }
using Ints = std::vector<int64_t>;
using Reals = std::vector<float>;
using Texts = std::vector<std::string>;

Attributes stump(Ints yes, Ints no, Ints votes_for, Ints features) {
  return {{"nodes_treeids", Ints{0, 0, 0}},
          {"nodes_nodeids", Ints{0, 1, 2}},
          {"nodes_featureids", std::move(features)},
          {"nodes_modes", Texts{"BRANCH_LEQ", "LEAF", "BRANCH_LEQ"}},
          {"nodes_values", Reals{0.5f, 0, 0}},
          {"nodes_truenodeids", std::move(yes)},
          {"nodes_falsenodeids", std::move(no)},
          {"target_treeids", Ints{0}},
          {"target_nodeids", Ints{1}},
          {"target_ids", std::move(votes_for)},
          {"target_weights", Reals{2}},
          {"n_targets", int64_t{1}}};
}

auto run_stump(Ints yes, Ints no, Ints votes_for, Ints features) {
  return run_op("TreeEnsembleRegressor", {floats({2, 2})},
                stump(std::move(yes), std::move(no), std::move(votes_for), std::move(features)), 1,
                "ai.onnx.ml");
}

TEST(hostile_tables, a_tree_is_walked) {
  const auto out = run_stump({1, 0, 1}, {2, 0, 1}, {0}, {0, 0, 1});
  ASSERT_TRUE(out.ok()) << out.error().text();
  EXPECT_EQ(testing::numbers_of(out), (std::vector<double>{2, 2}));
}

TEST(hostile_tables, nodes_in_a_ring_are_refused) {
  EXPECT_FALSE(run_stump({2, 0, 2}, {1, 0, 2}, {0}, {0, 0, 0}).ok());
}

TEST(hostile_tables, children_votes_and_features_that_do_not_exist_are_refused) {
  EXPECT_FALSE(run_stump({7, 0, 1}, {2, 0, 1}, {0}, {0, 0, 1}).ok());
  EXPECT_FALSE(run_stump({1, 0, 1}, {2, 0, 1}, {1}, {0, 0, 1}).ok());
  EXPECT_FALSE(run_stump({1, 0, 1}, {2, 0, 1}, {-1}, {0, 0, 1}).ok());
  EXPECT_FALSE(run_stump({1, 0, 1}, {2, 0, 1}, {0}, {0, 0, 2}).ok());
  EXPECT_FALSE(run_stump({1, 0, 1}, {2, 0, 1}, {0}, {0, 0, INT64_MAX}).ok());
  EXPECT_FALSE(run_stump({1, 0}, {2, 0, 1}, {0}, {0, 0, 1}).ok());
}

TEST(hostile_tables, machines_whose_attributes_do_not_fit_are_refused) {
  for (const int64_t supports : {INT64_MIN, int64_t{-1}, int64_t{3}, INT64_MAX}) {
    const Attributes a{{"n_supports", supports},
                       {"support_vectors", Reals{1, 2, 3, 4}},
                       {"coefficients", Reals{1, 2}},
                       {"rho", Reals{0}},
                       {"kernel_type", std::string("RBF")}};
    EXPECT_FALSE(run_op("SVMRegressor", {floats({2, 2})}, a, 1, "ai.onnx.ml").ok()) << supports;
  }
  for (const int64_t count : {INT64_MIN, int64_t{5}, INT64_MAX}) {
    const Attributes a{{"vectors_per_class", Ints{count, count}},
                       {"support_vectors", Reals{1, 2, 3, 4}},
                       {"coefficients", Reals{1, 2}},
                       {"rho", Reals{0}},
                       {"classlabels_ints", Ints{0, 1}}};
    EXPECT_FALSE(run_op("SVMClassifier", {floats({2, 2})}, a, 2, "ai.onnx.ml").ok()) << count;
  }
}

TEST(hostile_tables, ngrams_that_have_no_place_are_refused) {
  for (const int64_t extreme : {INT64_MIN, int64_t{-1}, INT64_MAX}) {
    const Attributes places{{"mode", std::string("TF")},
                            {"pool_int64s", Ints{1, 2}},
                            {"ngram_counts", Ints{0}},
                            {"ngram_indexes", Ints{0, extreme}}};
    EXPECT_FALSE(run_op("TfIdfVectorizer", {Tensor::of_ints(Ints{1, 2})}, places).ok()) << extreme;
    const Attributes starts{{"mode", std::string("TF")},
                            {"pool_int64s", Ints{1, 2}},
                            {"ngram_counts", Ints{0, extreme}},
                            {"ngram_indexes", Ints{0, 1}}};
    EXPECT_FALSE(run_op("TfIdfVectorizer", {Tensor::of_ints(Ints{1, 2})}, starts).ok()) << extreme;
  }
}

TEST(hostile_tables, transforms_of_extreme_lengths_are_refused) {
  for (const int64_t length : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX, INT64_MAX / 2}) {
    EXPECT_FALSE(
        run_op("DFT", {floats({1, 4, 1}), Tensor::scalar_i64(length), Tensor::scalar_i64(1)}).ok())
        << length;
    EXPECT_FALSE(
        run_op("STFT", {floats({1, 4, 1}), Tensor::scalar_i64(1), {}, Tensor::scalar_i64(length)})
            .ok())
        << length;
  }
  for (const int64_t step : {INT64_MIN, int64_t{-1}, int64_t{0}}) {
    EXPECT_FALSE(run_op("STFT", {floats({1, 4, 1}), Tensor::scalar_i64(step)}).ok()) << step;
  }
}

TEST(hostile_tables, classes_that_do_not_exist_are_refused_unless_ignored) {
  const auto loss = [](int64_t target, Attributes attributes) {
    return run_op("NegativeLogLikelihoodLoss", {floats({1, 3}), Tensor::of_ints(Ints{target})},
                  std::move(attributes));
  };
  EXPECT_FALSE(loss(3, {}).ok());
  EXPECT_FALSE(loss(-1, {}).ok());
  EXPECT_TRUE(loss(-1, {{"ignore_index", int64_t{-1}}}).ok());
}

}  // namespace
}  // namespace lanthorn
