#include "formats/module_list.h"

#include "formats/torch/object_text.h"
#include "script/class_table.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxModules = 200'000;
constexpr int kMaxDepth = 100;
constexpr size_t kMaxItems = 16;

/// A plain value as Python prints it; empty for tensors, objects and long lists.
std::string plain_text(const script::Value& value) {
  if (value.is_none()) return "None";
  if (const bool* flag = value.flag()) return *flag ? "True" : "False";
  if (const Dim* number = value.integer()) return number->text();
  if (const double* real = value.real()) return python_float_text(*real);
  if (const std::string* text = value.text()) return "'" + text->substr(0, 100) + "'";
  const auto list = value.list();
  const auto tuple = value.tuple();
  if (!list && !tuple) return {};
  const std::vector<script::Value>& items = list ? list->items : tuple->items;
  if (items.size() > kMaxItems) return {};
  std::string text = list ? "[" : "(";
  for (const script::Value& item : items) {
    const std::string part = item.list() || item.tuple() ? std::string() : plain_text(item);
    if (part.empty()) return {};
    text += (text.size() > 1 ? ", " : "") + part;
  }
  return text + (list ? "]" : items.size() == 1 ? ",)" : ")");
}

void add_modules(const script::Object& object, const std::string& name, int depth,
                 std::vector<ModuleEntry>& modules) {
  if (depth > kMaxDepth || modules.size() >= kMaxModules || !object.type) return;
  if (object.type->kind != script::ClassType::Kind::kModule) return;
  ModuleEntry entry;
  entry.name = name;
  entry.class_name = object.type->readable_name();
  for (const auto& [key, value] : object.attributes) {
    if (key == "training" && value.flag()) {
      entry.training = *value.flag();
    } else if (value.tensor()) {
      (object.type->is_parameter(key) ? entry.parameters : entry.buffers).push_back(key);
    } else if (!key.starts_with('_')) {
      const std::string text = plain_text(value);
      if (!text.empty()) entry.settings.emplace_back(key, text);
    }
  }
  modules.push_back(std::move(entry));
  for (const auto& [key, value] : object.attributes) {
    if (const auto child = value.object()) {
      add_modules(*child, name.empty() ? key : name + "." + key, depth + 1, modules);
    }
  }
}

}  // namespace

std::vector<ModuleEntry> list_modules(const script::Program& program) {
  std::vector<ModuleEntry> modules;
  if (program.root) add_modules(*program.root, "", 0, modules);
  return modules;
}

}  // namespace lanthorn
