#include "formats/torch/object_walk.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr uint64_t kMaxSteps = 4'000'000;
constexpr size_t kMaxDepth = 2000;
constexpr std::array<std::string_view, 3> kModuleParts = {"_parameters", "_buffers", "_modules"};

Error too_many() {
  return Error{ErrorCode::kLimit, "the file reaches its objects in more ways than can be named"};
}

std::string key_text(const ObjectTree& tree, ObjectId id, int depth) {
  const Object& key = tree[id];
  switch (key.kind) {
    case Kind::kInt:
      return std::to_string(key.integer);
    case Kind::kBool:
      return key.flag ? "True" : "False";
    case Kind::kNone:
      return "None";
    case Kind::kFloat: {
      std::array<char, 40> buffer;
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), key.real).ptr;
      return std::string(buffer.data(), end);
    }
    case Kind::kTuple: {
      std::string text = "(";
      for (size_t i = 0; i < key.items.size() && i < 16 && depth < 4; ++i) {
        text += (i > 0 ? ", " : "") + key_text(tree, key.items[i], depth + 1);
      }
      return text + ")";
    }
    default:
      return key.text;
  }
}

class Walk {
 public:
  Walk(const ObjectTree& tree, ObjectVisitor& visitor)
      : tree_(tree), visitor_(visitor), open_(tree.nodes.size(), false) {}

  Status visit(ObjectId id);

 private:
  Status visit_named(std::string name, ObjectId id);
  Status visit_entries(const std::vector<ObjectId>& items);
  Status visit_items(const std::vector<ObjectId>& items);
  Status visit_instance(const Object& object);
  Status visit_state(ObjectId id);

  const ObjectTree& tree_;
  ObjectVisitor& visitor_;
  std::vector<bool> open_;  // nodes on the way from the root
  std::string path_;
  size_t depth_ = 0;
  uint64_t steps_ = 0;
};

Status Walk::visit_named(std::string name, ObjectId id) {
  const size_t before = path_.size();
  if (depth_ > 1) path_ += '.';
  path_ += name;
  auto status = visit(id);
  path_.resize(before);
  return status;
}

Status Walk::visit_entries(const std::vector<ObjectId>& items) {
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    // Keys that have no short text, such as parameters, are counted.
    const Kind kind = tree_[items[i]].kind;
    const bool has_text = kind != Kind::kTensor && kind != Kind::kInstance && kind != Kind::kDict &&
                          kind != Kind::kList && kind != Kind::kSet && kind != Kind::kFrozenSet;
    LAN_OK(visit_named(has_text ? object_key_text(tree_, items[i]) : std::to_string(i / 2),
                       items[i + 1]));
  }
  return ok();
}

Status Walk::visit_items(const std::vector<ObjectId>& items) {
  for (size_t i = 0; i < items.size(); ++i) LAN_OK(visit_named(std::to_string(i), items[i]));
  return ok();
}

/// The attributes that a state sets: a dict, (dict, slots), or something of the class's own.
Status Walk::visit_state(ObjectId id) {
  if (id == kNoObject) return ok();
  const Object& state = tree_[id];
  if (state.kind == Kind::kTuple && state.items.size() == 2 &&
      (tree_[state.items[1]].kind == Kind::kDict || tree_[state.items[1]].kind == Kind::kNone)) {
    LAN_OK(visit_state(state.items[0]));
    return visit_state(state.items[1]);
  }
  if (state.kind == Kind::kTuple || state.kind == Kind::kList) return visit_items(state.items);
  if (state.kind != Kind::kDict) return ok();
  if (!is_module_state(tree_, id)) return visit_entries(state.items);
  for (size_t i = 0; i + 1 < state.items.size(); i += 2) {
    const std::string key = object_key_text(tree_, state.items[i]);
    const Object& value = tree_[state.items[i + 1]];
    const bool part =
        std::find(kModuleParts.begin(), kModuleParts.end(), key) != kModuleParts.end();
    if (part && value.kind == Kind::kDict) {
      LAN_OK(visit_entries(value.items));
    } else {
      LAN_OK(visit_named(key, state.items[i + 1]));
    }
  }
  return ok();
}

Status Walk::visit_instance(const Object& object) {
  if (object.arguments != kNoObject && tree_[object.arguments].kind == Kind::kTuple) {
    LAN_OK(visit_items(tree_[object.arguments].items));
  }
  LAN_OK(visit_state(object.state));
  return visit_entries(object.items);
}

Status Walk::visit(ObjectId id) {
  if (++steps_ > kMaxSteps) return too_many();
  if (id == kNoObject || open_[id]) return ok();
  const Object& object = tree_[id];
  LAN_TRY(const bool wanted, visitor_.visit(path_, id));
  if (!wanted || depth_ >= kMaxDepth) return ok();
  open_[id] = true;
  ++depth_;
  Status status = ok();
  switch (object.kind) {
    case Kind::kDict:
      status = visit_entries(object.items);
      break;
    case Kind::kList:
    case Kind::kTuple:
      status = visit_items(object.items);
      break;
    case Kind::kInstance:
      status = visit_instance(object);
      break;
    default:
      break;
  }
  --depth_;
  open_[id] = false;
  return status;
}

}  // namespace

std::string object_key_text(const ObjectTree& tree, ObjectId id) { return key_text(tree, id, 0); }

std::string path_text(const ObjectTree& tree, const std::vector<ObjectId>& parts) {
  std::string path;
  for (const ObjectId part : parts) {
    if (!path.empty() && path.back() != '/' && path.back() != '\\') path += '/';
    path += tree[part].text;
  }
  return path.empty() ? "." : path;
}

bool is_module_state(const ObjectTree& tree, ObjectId id) {
  return std::all_of(kModuleParts.begin(), kModuleParts.end(), [&](std::string_view part) {
    const ObjectId found = tree.find(id, part);
    return found != kNoObject && tree[found].kind == Kind::kDict;
  });
}

Status walk_objects(const ObjectTree& tree, ObjectId root, ObjectVisitor& visitor) {
  return Walk(tree, visitor).visit(root);
}

}  // namespace lanthorn
