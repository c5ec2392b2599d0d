#include "ops/ml_trees_shared.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"
#include "ops/text_lists_shared.h"

namespace lanthorn {
namespace {

using Mode = Trees::Mode;

bool is_true(const Trees& trees, const Trees::Node& node, double x) {
  if (std::isnan(x) && node.missing_is_true) return true;
  switch (node.mode) {
    case Mode::kLess:
      return x < node.threshold;
    case Mode::kLessEqual:
      return x <= node.threshold;
    case Mode::kGreater:
      return x > node.threshold;
    case Mode::kGreaterEqual:
      return x >= node.threshold;
    case Mode::kEqual:
      return x == node.threshold;
    case Mode::kNotEqual:
      return x != node.threshold;
    case Mode::kMember: {
      const std::vector<double>& members = trees.members[node.members];
      return std::find(members.begin(), members.end(), x) != members.end();
    }
    case Mode::kLeaf:
      break;
  }
  return false;
}

// Lists that go in parallel; those that may be left out have a default.
struct Lists {
  std::vector<int64_t> feature, yes, no, missing;
  std::vector<double> threshold;

  Status read(const Attributes& a, std::vector<double> thresholds, size_t count) {
    feature = a.ints("nodes_featureids");
    yes = a.ints("nodes_truenodeids");
    no = a.ints("nodes_falsenodeids");
    missing = a.ints("nodes_missing_value_tracks_true");
    threshold = std::move(thresholds);
    if (missing.empty()) missing.assign(count, 0);
    if (threshold.empty()) threshold.assign(count, 0);
    if (feature.size() == count && yes.size() == count && no.size() == count &&
        missing.size() == count && threshold.size() == count && count < UINT32_MAX) {
      return ok();
    }
    return attribute_error("nodes_featureids", "the lists of nodes are of different lengths");
  }

  // Everything of node `i` but its children.
  Status fill(Trees& trees, size_t i, Mode mode) const {
    Trees::Node& node = trees.nodes[i];
    node.mode = mode;
    if (mode == Mode::kLeaf) return ok();
    if (feature[i] < 0 || feature[i] >= int64_t{1} << 31) {
      return attribute_error("nodes_featureids",
                             "a feature has number " + std::to_string(feature[i]));
    }
    node.missing_is_true = missing[i] != 0;
    node.feature = static_cast<uint32_t>(feature[i]);
    node.threshold = threshold[i];
    trees.features = std::max(trees.features, node.feature + 1);
    return ok();
  }
};

void count_votes(Trees& trees) {
  trees.one_target = trees.all_positive = true;
  for (const Trees::Vote& vote : trees.votes) {
    trees.one_target = trees.one_target && vote.target == trees.votes.front().target;
    trees.all_positive = trees.all_positive && vote.weight >= 0;
  }
}

Result<Trees::Aggregate> aggregate_of(std::string_view text) {
  if (text == "SUM") return Trees::Aggregate::kSum;
  if (text == "AVERAGE") return Trees::Aggregate::kAverage;
  if (text == "MIN") return Trees::Aggregate::kMin;
  if (text == "MAX") return Trees::Aggregate::kMax;
  return attribute_error("aggregate_function", "there is no '" + std::string(text) + "'");
}

Result<Mode> mode_of(std::string_view text) {
  constexpr std::pair<std::string_view, Mode> kModes[] = {
      {"BRANCH_LEQ", Mode::kLessEqual},    {"BRANCH_LT", Mode::kLess},
      {"BRANCH_GTE", Mode::kGreaterEqual}, {"BRANCH_GT", Mode::kGreater},
      {"BRANCH_EQ", Mode::kEqual},         {"BRANCH_NEQ", Mode::kNotEqual},
      {"BRANCH_MEMBER", Mode::kMember},    {"LEAF", Mode::kLeaf}};
  for (const auto& [name, mode] : kModes) {
    if (name == text) return mode;
  }
  return attribute_error("nodes_modes", "there is no '" + std::string(text) + "'");
}

struct Id {
  int64_t tree = 0, node = 0;
  bool operator==(const Id&) const = default;
};
struct IdHash {
  size_t operator()(const Id& id) const {
    return static_cast<size_t>(id.tree) * 0x9e3779b97f4a7c15u ^ static_cast<size_t>(id.node);
  }
};
using IdIndex = std::unordered_map<Id, uint32_t, IdHash>;

// Votes sorted by their leaf, each leaf pointing at its first.
Status place_votes(Trees& trees, const Attributes& a, const std::string& name,
                   const IdIndex& index) {
  const std::vector<int64_t> tree_ids = a.ints(name + "_treeids"),
                             node_ids = a.ints(name + "_nodeids"), targets = a.ints(name + "_ids");
  const std::vector<double> weights = numbers_of(a, name + "_weights");
  const size_t count = targets.size();
  if (tree_ids.size() != count || node_ids.size() != count || weights.size() != count) {
    return attribute_error(name + "_ids", "the lists of votes are of different lengths");
  }
  std::vector<std::pair<uint32_t, size_t>> order;
  for (size_t i = 0; i < count; ++i) {
    const auto node = index.find({tree_ids[i], node_ids[i]});
    if (node == index.end()) return attribute_error(name + "_nodeids", "a vote is at no node");
    if (targets[i] < 0 || static_cast<uint64_t>(targets[i]) >= trees.targets) {
      return attribute_error(name + "_ids", "a vote is for " + std::to_string(targets[i]));
    }
    // A vote at a branch is never counted.
    if (trees.nodes[node->second].mode == Mode::kLeaf) order.emplace_back(node->second, i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  for (const auto& [at, i] : order) {
    Trees::Node& node = trees.nodes[at];
    if (node.no == 0) node.yes = static_cast<uint32_t>(trees.votes.size());
    ++node.no;
    trees.votes.push_back({static_cast<uint32_t>(targets[i]), weights[i]});
  }
  return ok();
}

}  // namespace

Result<const Trees::Node*> Trees::leaf(uint32_t root, std::span<const double> sample) const {
  const Node* node = &nodes[root];
  for (size_t steps = 0; node->mode != Mode::kLeaf; ++steps) {
    if (steps > nodes.size()) return attribute_error("nodes_truenodeids", "the nodes form a ring");
    node = &nodes[is_true(*this, *node, sample[node->feature]) ? node->yes : node->no];
  }
  return node;
}

Status Trees::vote(std::span<const double> sample, std::span<double> scores,
                   std::span<uint8_t> voted) const {
  for (const uint32_t root : roots) {
    LAN_TRY(const Node* node, leaf(root, sample));
    for (uint32_t i = node->yes; i < node->yes + node->no; ++i) {
      const auto [target, weight] = votes[i];
      double& score = scores[target];
      if (voted[target] == 0)
        score = weight;
      else if (aggregate == Aggregate::kMin)
        score = std::min(score, weight);
      else if (aggregate == Aggregate::kMax)
        score = std::max(score, weight);
      else
        score += weight;
      voted[target] = 1;
    }
  }
  if (aggregate != Aggregate::kAverage) return ok();
  for (double& score : scores) score /= static_cast<double>(roots.size());
  return ok();
}

Result<std::shared_ptr<const Trees>> read_old_trees(const Attributes& a, std::string_view votes,
                                                    size_t targets) {
  auto trees = std::make_shared<Trees>();
  trees->targets = targets;
  LAN_TRY(trees->aggregate, aggregate_of(a.text("aggregate_function", "SUM")));
  trees->base = numbers_of(a, "base_values");
  const std::vector<int64_t> tree_ids = a.ints("nodes_treeids"), node_ids = a.ints("nodes_nodeids");
  const std::vector<std::string>& modes = text_list(a, "nodes_modes");
  if (tree_ids.size() != modes.size() || node_ids.size() != modes.size()) {
    return attribute_error("nodes_nodeids", "the lists of nodes are of different lengths");
  }
  Lists lists;
  LAN_OK(lists.read(a, numbers_of(a, "nodes_values"), modes.size()));
  trees->nodes.resize(modes.size());
  IdIndex index;
  for (size_t i = 0; i < modes.size(); ++i) {
    if (!index.emplace(Id{tree_ids[i], node_ids[i]}, static_cast<uint32_t>(i)).second) {
      return attribute_error("nodes_nodeids", "two nodes of one tree have the same number");
    }
    LAN_TRY(const Mode mode, mode_of(modes[i]));
    if (mode == Mode::kMember)
      return attribute_error("nodes_modes", "BRANCH_MEMBER is of TreeEnsemble");
    LAN_OK(lists.fill(*trees, i, mode));
  }
  std::vector<bool> has_parent(modes.size());
  for (size_t i = 0; i < modes.size(); ++i) {
    Trees::Node& node = trees->nodes[i];
    if (node.mode == Mode::kLeaf) continue;
    const auto yes = index.find({tree_ids[i], lists.yes[i]}),
               no = index.find({tree_ids[i], lists.no[i]});
    if (yes == index.end() || no == index.end()) {
      return attribute_error("nodes_truenodeids", "a child is no node of its tree");
    }
    node.yes = yes->second;
    node.no = no->second;
    has_parent[node.yes] = has_parent[node.no] = true;
  }
  for (size_t i = 0; i < modes.size(); ++i) {
    if (!has_parent[i]) trees->roots.push_back(static_cast<uint32_t>(i));
  }
  LAN_OK(place_votes(*trees, a, std::string(votes), index));
  count_votes(*trees);
  return std::shared_ptr<const Trees>(std::move(trees));
}

Result<std::shared_ptr<const Trees>> read_trees(const Attributes& a) {
  auto trees = std::make_shared<Trees>();
  const int64_t aggregate = a.integer("aggregate_function", 1), targets = a.integer("n_targets", 0);
  if (aggregate < 0 || aggregate > 3) return attribute_error("aggregate_function", "it is 0 to 3");
  trees->aggregate = static_cast<Trees::Aggregate>(aggregate);
  if (targets < 1 || targets > 1 << 24) return attribute_error("n_targets", "it must be positive");
  trees->targets = static_cast<size_t>(targets);
  const Tensor *modes = a.tensor("nodes_modes"), *splits = a.tensor("nodes_splits"),
               *weights = a.tensor("leaf_weights"), *members = a.tensor("membership_values");
  if (!modes || !splits || !weights) return attribute_error("nodes_modes", "it must be a tensor");
  const std::vector<double> mode_numbers = numbers_of(*modes), leaf_weights = numbers_of(*weights);
  const std::vector<int64_t> leaf_targets = a.ints("leaf_targetids"),
                             yes_leafs = a.ints("nodes_trueleafs"),
                             no_leafs = a.ints("nodes_falseleafs");
  const size_t count = mode_numbers.size(), leafs = leaf_weights.size();
  Lists lists;
  LAN_OK(lists.read(a, numbers_of(*splits), count));
  if (leaf_targets.size() != leafs || yes_leafs.size() != count || no_leafs.size() != count ||
      leafs >= UINT32_MAX - count) {
    return attribute_error("leaf_targetids", "the lists of leafs are of different lengths");
  }
  constexpr Mode kModes[] = {Mode::kLessEqual, Mode::kLess,     Mode::kGreaterEqual, Mode::kGreater,
                             Mode::kEqual,     Mode::kNotEqual, Mode::kMember};
  trees->nodes.resize(count + leafs);
  std::vector<double> member_values;
  if (members) member_values = numbers_of(*members);
  size_t next_member = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!(mode_numbers[i] >= 0 && mode_numbers[i] <= 6))
      return attribute_error("nodes_modes", "it is 0 to 6");
    LAN_OK(lists.fill(*trees, i, kModes[static_cast<size_t>(mode_numbers[i])]));
    Trees::Node& node = trees->nodes[i];
    const auto child = [&](int64_t at, bool is_leaf) -> Result<uint32_t> {
      if (at < 0 || static_cast<uint64_t>(at) >= (is_leaf ? leafs : count)) {
        return attribute_error("nodes_truenodeids", "a child is no node");
      }
      return static_cast<uint32_t>(is_leaf ? static_cast<size_t>(at) + count
                                           : static_cast<size_t>(at));
    };
    LAN_TRY(node.yes, child(lists.yes[i], yes_leafs[i] != 0));
    LAN_TRY(node.no, child(lists.no[i], no_leafs[i] != 0));
    if (node.mode != Mode::kMember) continue;
    node.members = static_cast<uint32_t>(trees->members.size());
    std::vector<double>& set = trees->members.emplace_back();
    for (; next_member < member_values.size() && !std::isnan(member_values[next_member]);
         ++next_member) {
      set.push_back(member_values[next_member]);
    }
    if (next_member++ >= member_values.size()) {
      return attribute_error("membership_values", "a set of members has no end");
    }
  }
  for (size_t i = 0; i < leafs; ++i) {
    if (leaf_targets[i] < 0 || leaf_targets[i] >= targets) {
      return attribute_error("leaf_targetids",
                             "there is no target " + std::to_string(leaf_targets[i]));
    }
    trees->nodes[count + i].yes = static_cast<uint32_t>(i);
    trees->nodes[count + i].no = 1;
    trees->votes.push_back({static_cast<uint32_t>(leaf_targets[i]), leaf_weights[i]});
  }
  for (const int64_t root : a.ints("tree_roots")) {
    if (root < 0 || static_cast<uint64_t>(root) >= count)
      return attribute_error("tree_roots", "no node");
    trees->roots.push_back(static_cast<uint32_t>(root));
  }
  count_votes(*trees);
  return std::shared_ptr<const Trees>(std::move(trees));
}

}  // namespace lanthorn
