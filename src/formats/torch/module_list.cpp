#include "formats/module_list.h"

#include <algorithm>
#include <string_view>

#include "formats/torch/object_text.h"
#include "formats/torch/object_walk.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr size_t kSettingBytes = 120;

class ModuleFinder : public ObjectVisitor {
 public:
  explicit ModuleFinder(const ObjectTree& tree) : tree_(tree) {}

  Result<bool> visit(const std::string& name, ObjectId id) override {
    const Object& object = tree_[id];
    if (object.kind == Kind::kInstance && is_module_state(tree_, object.state)) {
      modules_.push_back(entry_of(name, object));
    }
    return true;
  }
  std::vector<ModuleEntry> take() { return std::move(modules_); }

 private:
  ModuleEntry entry_of(const std::string& name, const Object& object) const;
  std::vector<std::string> names_in(const Object& dict) const;
  void add_hooks(std::string_view attribute, const Object& dict, ModuleEntry& entry) const;

  const ObjectTree& tree_;
  std::vector<ModuleEntry> modules_;
};

/// The keys of a dict whose values are there: a module keeps None for a bias that it has not.
std::vector<std::string> ModuleFinder::names_in(const Object& dict) const {
  std::vector<std::string> names;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (tree_[dict.items[i + 1]].kind != Kind::kNone) {
      names.push_back(object_key_text(tree_, dict.items[i]));
    }
  }
  return names;
}

/// "_forward_pre_hooks" is {number: function}.
void ModuleFinder::add_hooks(std::string_view attribute, const Object& dict,
                             ModuleEntry& entry) const {
  attribute.remove_prefix(1);
  attribute.remove_suffix(std::string_view("_hooks").size());
  for (size_t i = 1; i < dict.items.size(); i += 2) {
    entry.hooks.push_back(
        {std::string(attribute), object_text(tree_, dict.items[i], kSettingBytes)});
  }
}

ModuleEntry ModuleFinder::entry_of(const std::string& name, const Object& object) const {
  ModuleEntry entry;
  entry.name = name;
  entry.class_name = object.text;
  const std::vector<ObjectId>& items = tree_[object.state].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const std::string key = object_key_text(tree_, items[i]);
    const Object& value = tree_[items[i + 1]];
    if (key == "training") {
      if (value.kind == Kind::kBool) entry.training = value.flag;
    } else if (key == "_parameters") {
      entry.parameters = names_in(value);
    } else if (key == "_buffers") {
      entry.buffers = names_in(value);
    } else if (key.starts_with('_') && key.ends_with("_hooks") && value.kind == Kind::kDict) {
      add_hooks(key, value, entry);
    } else if (!key.starts_with('_') && value.kind != Kind::kTensor) {
      entry.settings.emplace_back(key, object_text(tree_, items[i + 1], kSettingBytes));
    }
  }
  return entry;
}

}  // namespace

Result<std::vector<ModuleEntry>> list_modules(const ObjectTree& tree) {
  ModuleFinder finder(tree);
  LAN_OK(walk_objects(tree, tree.root, finder));
  return finder.take();
}

}  // namespace lanthorn
