#include "model/checkpoint_parts.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

bool is_plain(const Object& object) {
  return object.kind == Kind::kNone || object.kind == Kind::kBool || object.kind == Kind::kInt ||
         object.kind == Kind::kFloat || object.kind == Kind::kString;
}

std::optional<OptimizerState::Parameter> read_parameter(const ObjectTree& tree, ObjectId key,
                                                        ObjectId id) {
  if (tree[key].kind != Kind::kInt || tree[id].kind != Kind::kDict) return std::nullopt;
  OptimizerState::Parameter parameter;
  parameter.number = tree[key].integer;
  const std::vector<ObjectId>& items = tree[id].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const Object &name = tree[items[i]], &value = tree[items[i + 1]];
    if (name.kind != Kind::kString) return std::nullopt;
    if (value.kind == Kind::kTensor && value.text.empty()) {
      parameter.tensors.push_back({name.text, value.tensor});
    } else if (is_plain(value)) {
      parameter.values.emplace_back(name.text, tree.plain(items[i + 1]));
    } else {
      return std::nullopt;
    }
  }
  return parameter;
}

std::optional<OptimizerState::Group> read_group(const ObjectTree& tree, ObjectId id) {
  const ObjectId numbers = tree.find(id, "params");
  if (numbers == kNoObject || tree[numbers].kind != Kind::kList) return std::nullopt;
  OptimizerState::Group group;
  group.options.root = group.options.add_dict();
  for (const ObjectId number : tree[numbers].items) {
    if (tree[number].kind != Kind::kInt) return std::nullopt;
    group.parameters.push_back(tree[number].integer);
  }
  const std::vector<ObjectId>& items = tree[id].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (tree[items[i]].kind != Kind::kString) return std::nullopt;
    if (items[i + 1] == numbers) continue;
    group.options.set(group.options.root, tree[items[i]].text,
                      group.options.graft(tree, items[i + 1]));
  }
  return group;
}

}  // namespace

std::optional<OptimizerState> read_optimizer(const ObjectTree& tree, ObjectId id) {
  const ObjectId kept = tree.find(id, "state"), groups = tree.find(id, "param_groups");
  if (kept == kNoObject || groups == kNoObject || tree[id].items.size() != 4) return std::nullopt;
  if (tree[kept].kind != Kind::kDict || tree[groups].kind != Kind::kList) return std::nullopt;
  OptimizerState state;
  const std::vector<ObjectId>& items = tree[kept].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    auto parameter = read_parameter(tree, items[i], items[i + 1]);
    if (!parameter) return std::nullopt;
    state.parameters.push_back(*std::move(parameter));
  }
  for (const ObjectId group_id : tree[groups].items) {
    auto group = read_group(tree, group_id);
    if (!group) return std::nullopt;
    state.groups.push_back(*std::move(group));
  }
  return state;
}

ObjectId add_optimizer(const OptimizerState& state, ObjectTree& tree) {
  const ObjectId kept = tree.add_dict();
  for (const OptimizerState::Parameter& parameter : state.parameters) {
    const ObjectId entry = tree.add_dict();
    for (const auto& [name, value] : parameter.values) tree.set(entry, name, tree.add(value));
    for (const NamedTensor& named : parameter.tensors) {
      tree.set(entry, named.name, tree.add_tensor(named.tensor));
    }
    tree.nodes[kept].items.push_back(tree.add(PlainValue(parameter.number)));
    tree.nodes[kept].items.push_back(entry);
  }
  std::vector<ObjectId> groups;
  for (const OptimizerState::Group& group : state.groups) {
    const ObjectId entry =
        group.options.empty() ? tree.add_dict() : tree.graft(group.options, group.options.root);
    std::vector<ObjectId> numbers;
    for (const int64_t number : group.parameters) numbers.push_back(tree.add(PlainValue(number)));
    tree.set(entry, "params", tree.add_list(std::move(numbers)));
    groups.push_back(entry);
  }
  const ObjectId made = tree.add_dict();
  tree.set(made, "state", kept);
  tree.set(made, "param_groups", tree.add_list(std::move(groups)));
  return made;
}

}  // namespace lanthorn
