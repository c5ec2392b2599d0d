#include "lanthorn/object.h"

#include <gtest/gtest.h>

#include <string>

#include "lanthorn/tensor.h"

namespace lanthorn {
namespace {

TEST(object_tree, a_key_that_is_set_again_keeps_its_place) {
  const PlainEntry entries[] = {{"lr", 0.1}, {"steps", int64_t{3}}, {"name", std::string("tiny")}};
  ObjectTree tree = ObjectTree::dict_of(entries);
  tree.set(tree.root, "lr", tree.add(PlainValue(0.2)));
  EXPECT_EQ(tree[tree.root].items.size(), 6u);
  EXPECT_EQ(std::get<double>(tree.plain(tree.find(tree.root, "lr"))), 0.2);
  EXPECT_EQ(std::get<int64_t>(tree.plain(tree.find(tree.root, "steps"))), 3);
  EXPECT_EQ(tree.find(tree.root, "none"), kNoObject);
  EXPECT_EQ(tree.find(kNoObject, "none"), kNoObject);
}

TEST(object_tree, grafting_keeps_what_is_shared_and_survives_a_cycle) {
  ObjectTree from;
  const ObjectId shared = from.add_list({from.add(PlainValue(int64_t{1}))});
  from.root = from.add_list({shared, shared});
  from.nodes[shared].items.push_back(from.root);
  ObjectTree to;
  to.add(PlainValue(true));
  const ObjectId copy = to.graft(from, from.root);
  ASSERT_EQ(to[copy].items.size(), 2u);
  EXPECT_EQ(to[copy].items[0], to[copy].items[1]);
  EXPECT_EQ(to[to[copy].items[0]].items[1], copy);
  EXPECT_EQ(to.nodes.size(), 1 + from.nodes.size());
}

TEST(state_dict, many_names_in_any_order_are_found_and_come_back_in_theirs) {
  StateDict state;
  constexpr int kNames = 5000;
  // 1237 and 5000 have no common factor: every name once, in no order.
  for (int i = 0; i < kNames; ++i) {
    ASSERT_TRUE(state.add("layer" + std::to_string(i * 1237 % kNames), Tensor::scalar_i64(i)));
  }
  EXPECT_EQ(state.size(), 5000u);
  EXPECT_EQ(state.entries()[1].name, "layer1237");
  for (int i = 0; i < kNames; ++i) {
    const Tensor* tensor = state.find("layer" + std::to_string(i * 1237 % kNames));
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->to_ints()->front(), i);
  }
  EXPECT_EQ(state.find("layer"), nullptr);
  EXPECT_FALSE(state.add("layer77", Tensor::scalar_i64(0)));
  EXPECT_EQ(state.size(), 5000u);
}

}  // namespace
}  // namespace lanthorn
