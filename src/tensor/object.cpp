#include "lanthorn/object.h"

#include <unordered_map>

namespace lanthorn {
namespace {

/// Where the value of a key is in a dict's items; the size where it is not.
template <class Matches>
size_t value_index(const ObjectTree& tree, ObjectId dict, const Matches& matches) {
  const std::vector<ObjectId>& items = tree[dict].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (matches(tree[items[i]])) return i + 1;
  }
  return items.size();
}

auto is_text(std::string_view key) {
  return
      [key](const Object& node) { return node.kind == Object::Kind::kString && node.text == key; };
}
auto is_number(int64_t key) {
  return
      [key](const Object& node) { return node.kind == Object::Kind::kInt && node.integer == key; };
}

template <class Matches>
ObjectId find_key(const ObjectTree& tree, ObjectId dict, const Matches& matches) {
  if (dict >= tree.nodes.size() || tree[dict].kind != Object::Kind::kDict) return kNoObject;
  const size_t at = value_index(tree, dict, matches);
  return at < tree[dict].items.size() ? tree[dict].items[at] : kNoObject;
}

void set_key(ObjectTree& tree, ObjectId dict, size_t at, const PlainValue& key, ObjectId value) {
  std::vector<ObjectId>& items = tree.nodes[dict].items;
  if (at < items.size()) {
    items[at] = value;
    return;
  }
  items.push_back(tree.add(key));
  items.push_back(value);
}

}  // namespace

ObjectTree ObjectTree::dict_of(std::span<const PlainEntry> entries) {
  ObjectTree tree;
  tree.root = tree.add_dict();
  for (const auto& [key, value] : entries) tree.set(tree.root, key, tree.add(value));
  return tree;
}

ObjectId ObjectTree::find(ObjectId dict, std::string_view key) const {
  return find_key(*this, dict, is_text(key));
}
ObjectId ObjectTree::find(ObjectId dict, int64_t key) const {
  return find_key(*this, dict, is_number(key));
}

PlainValue ObjectTree::plain(ObjectId id) const {
  if (id >= nodes.size()) return {};
  const Object& node = nodes[id];
  switch (node.kind) {
    case Object::Kind::kBool:
      return node.flag;
    case Object::Kind::kInt:
      return node.integer;
    case Object::Kind::kFloat:
      return node.real;
    case Object::Kind::kString:
      return node.text;
    default:
      return {};
  }
}

ObjectId ObjectTree::add(Object node) {
  nodes.push_back(std::move(node));
  return static_cast<ObjectId>(nodes.size() - 1);
}

ObjectId ObjectTree::add(const PlainValue& value) {
  Object node;
  if (const auto* flag = std::get_if<bool>(&value)) {
    node.kind = Object::Kind::kBool;
    node.flag = *flag;
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    node.kind = Object::Kind::kInt;
    node.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&value)) {
    node.kind = Object::Kind::kFloat;
    node.real = *real;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    node.kind = Object::Kind::kString;
    node.text = *text;
  }
  return add(std::move(node));
}

ObjectId ObjectTree::add_tensor(Tensor tensor) {
  Object node;
  node.kind = Object::Kind::kTensor;
  node.tensor = std::move(tensor);
  return add(std::move(node));
}

ObjectId ObjectTree::add_list(std::vector<ObjectId> items, Object::Kind kind) {
  Object node;
  node.kind = kind;
  node.items = std::move(items);
  return add(std::move(node));
}

ObjectId ObjectTree::add_dict(std::string class_name) {
  Object node;
  node.kind = Object::Kind::kDict;
  node.text = std::move(class_name);
  return add(std::move(node));
}

void ObjectTree::set(ObjectId dict, std::string_view key, ObjectId value) {
  set_key(*this, dict, value_index(*this, dict, is_text(key)), std::string(key), value);
}
void ObjectTree::set(ObjectId dict, int64_t key, ObjectId value) {
  set_key(*this, dict, value_index(*this, dict, is_number(key)), key, value);
}

ObjectId ObjectTree::graft(const ObjectTree& from, ObjectId id) {
  std::unordered_map<ObjectId, ObjectId> copied;
  std::vector<ObjectId> waiting;
  const auto copy_of = [&](ObjectId old) {
    if (old == kNoObject) return kNoObject;
    const auto [at, is_new] = copied.try_emplace(old, static_cast<ObjectId>(nodes.size()));
    if (is_new) {
      add(from[old]);
      waiting.push_back(old);
    }
    return at->second;
  };
  const ObjectId made = copy_of(id);
  while (!waiting.empty()) {
    const ObjectId old = waiting.back();
    waiting.pop_back();
    const ObjectId at = copied[old];
    for (size_t i = 0; i < from[old].items.size(); ++i) {
      const ObjectId item = copy_of(from[old].items[i]);
      nodes[at].items[i] = item;
    }
    const ObjectId arguments = copy_of(from[old].arguments), state = copy_of(from[old].state);
    nodes[at].arguments = arguments;
    nodes[at].state = state;
  }
  return made;
}

}  // namespace lanthorn
