#include "lanthorn/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "lanthorn/checkpoint_store.h"
#include "lanthorn/model.h"
#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

namespace fs = std::filesystem;

Checkpoint step(int64_t epoch, double accuracy) {
  Checkpoint made;
  made.epoch = epoch;
  EXPECT_TRUE(made.model.add("w", Tensor::scalar_f32(static_cast<float>(epoch))));
  made.metrics = {{"accuracy", accuracy}};
  return made;
}

std::vector<std::string> names(const std::vector<fs::path>& paths) {
  std::vector<std::string> found;
  for (const fs::path& path : paths) found.push_back(path.filename().string());
  return found;
}

StoreOptions by_accuracy(size_t last, size_t best) {
  return {.keep_last = last, .keep_best = best, .metric = "accuracy", .higher_is_better = true};
}

TEST(checkpoint, the_keys_and_their_order_are_those_that_were_read) {
  const PlainEntry entries[] = {{"note", std::string("mine")}, {"epoch", int64_t{4}}};
  ObjectTree tree = ObjectTree::dict_of(entries);
  const ObjectId model = tree.add_dict();
  tree.set(model, "w", tree.add_tensor(Tensor::scalar_f32(2)));
  tree.set(tree.root, "state_dict", model);
  tree.set(tree.root, "optimizer", tree.add(PlainValue(std::string("of a kind of its own"))));
  const auto read = checkpoint_of(tree);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->epoch, 4);
  EXPECT_EQ(read->model.size(), 1u);
  EXPECT_FALSE(read->optimizer);
  const ObjectTree written = checkpoint_tree(*read);
  std::vector<std::string> keys;
  for (size_t i = 0; i < written[written.root].items.size(); i += 2) {
    keys.push_back(written[written[written.root].items[i]].text);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"note", "epoch", "state_dict", "optimizer"}));
}

TEST(checkpoint, a_bare_state_dict_is_a_model) {
  ObjectTree tree;
  tree.root = tree.add_dict("collections.OrderedDict");
  tree.set(tree.root, "model", tree.add_tensor(Tensor::scalar_f32(1)));
  tree.set(tree.root, "fc.weight", tree.add_tensor(Tensor::scalar_f32(2)));
  const auto read = checkpoint_of(tree);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->model.size(), 2u);
  EXPECT_TRUE(read->rest.empty());
}

TEST(checkpoint, an_optimizer_is_known_by_its_options) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSGD, OptimizerKind::kAdam, OptimizerKind::kAdamW, OptimizerKind::kRMSprop,
        OptimizerKind::kAdagrad}) {
    const auto state = make_optimizer_state(kind, 1, {{"lr", 0.5}});
    ASSERT_TRUE(state);
    EXPECT_EQ(state->kind(), kind);
    EXPECT_EQ(state->groups[0].option("lr", 0), 0.5);
  }
  EXPECT_FALSE(make_optimizer_state(OptimizerKind::kSGD, 1, {{"betas.0", 0.5}}));
  const auto adam = make_optimizer_state(OptimizerKind::kAdam, 1, {{"betas.1", 0.95}});
  ASSERT_TRUE(adam);
  EXPECT_EQ(adam->groups[0].option("betas.1", 0), 0.95);
  EXPECT_EQ(adam->groups[0].option("betas.2", -1), -1);
}

TEST(checkpoint_store, the_newest_and_the_best_stay) {
  const TemporaryFolder folder;
  auto store = CheckpointStore::open(folder.path, by_accuracy(2, 2));
  ASSERT_TRUE(store);
  const double accuracies[] = {0.1, 0.9, 0.2, 0.8, 0.3, 0.4};
  for (int64_t epoch = 0; epoch < 6; ++epoch) {
    ASSERT_TRUE(store->save(step(epoch, accuracies[epoch])));
  }
  EXPECT_EQ(names(store->checkpoints()),
            (std::vector<std::string>{"checkpoint_00000005.pth", "checkpoint_00000004.pth",
                                      "checkpoint_00000003.pth", "checkpoint_00000001.pth"}));
  EXPECT_EQ(fs::read_symlink(folder.path / "best.pth"), "checkpoint_00000001.pth");
  EXPECT_EQ(fs::read_symlink(folder.path / "latest.pth"), "checkpoint_00000005.pth");
  EXPECT_EQ(store->best().filename(), "checkpoint_00000001.pth");
}

TEST(checkpoint_store, what_is_best_is_known_after_it_was_opened_again) {
  const TemporaryFolder folder;
  {
    auto store = CheckpointStore::open(folder.path, by_accuracy(1, 1));
    ASSERT_TRUE(store);
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      ASSERT_TRUE(store->save_async(step(epoch, epoch == 1 ? 0.9 : 0.5)));
    }
    ASSERT_TRUE(store->wait());
  }
  auto store = CheckpointStore::open(folder.path, by_accuracy(1, 1));
  ASSERT_TRUE(store);
  EXPECT_EQ(store->best().filename(), "checkpoint_00000001.pth");
  const auto last = store->resume();
  ASSERT_TRUE(last);
  ASSERT_TRUE(last->has_value());
  EXPECT_EQ((*last)->epoch, 2);
  EXPECT_EQ((*last)->digests.size(), 1u);
  Checkpoint unnumbered = step(0, 0.1);
  unnumbered.epoch.reset();
  const auto path = store->save(unnumbered);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->filename(), "checkpoint_00000003.pth");
}

TEST(checkpoint_store, a_folder_has_one_writer_and_leftovers_go) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path / ".incoming");
  fs::create_directory(folder.path / ".incoming" / "half");
  auto store = CheckpointStore::open(folder.path);
  ASSERT_TRUE(store);
  EXPECT_TRUE(fs::is_empty(folder.path / ".incoming"));
  const auto second = CheckpointStore::open(folder.path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kSystem);
  const auto nothing = store->resume();
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
}

}  // namespace
}  // namespace lanthorn
