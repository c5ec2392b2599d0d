#include "script/module_paths.h"

#include <utility>
#include <vector>

#include "script/class_table.h"

namespace lanthorn::script {
namespace {

// Modules nest as deep as their names have dots.
constexpr size_t kMaxPath = 4096;

}  // namespace

std::unordered_map<const Object*, std::string> module_paths(const Object& root) {
  std::unordered_map<const Object*, std::string> paths{{&root, ""}};
  std::vector<const Object*> open{&root};
  while (!open.empty()) {
    const Object* module = open.back();
    open.pop_back();
    const std::string prefix = paths.at(module).empty() ? "" : paths.at(module) + ".";
    for (const auto& [name, value] : module->attributes) {
      const auto inner = value.object();
      if (!inner || !inner->type || inner->type->kind != ClassType::Kind::kModule) continue;
      if (prefix.size() + name.size() > kMaxPath) continue;
      if (paths.emplace(inner.get(), prefix + name).second) open.push_back(inner.get());
    }
  }
  return paths;
}

}  // namespace lanthorn::script
