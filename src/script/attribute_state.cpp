#include "script/attribute_state.h"

#include <array>
#include <set>

#include "script/class_table.h"
#include "script/complex_tensor.h"

namespace lanthorn::script {
namespace {

constexpr int kMaxDepth = 100;

bool changed(const Value& now, const Value& before, int depth);

bool any_changed(const std::vector<Value>& now, const std::vector<Value>& before, int depth) {
  if (now.size() != before.size()) return true;
  for (size_t i = 0; i < now.size(); ++i) {
    if (changed(now[i], before[i], depth + 1)) return true;
  }
  return false;
}

bool changed(const Value& now, const Value& before, int depth) {
  if (depth > kMaxDepth) return false;
  if (const TensorRef tensor = now.tensor()) {
    const TensorRef old = before.tensor();
    if (!old || tensor->base || tensor->root->version > 0 || !tensor->root->loaded.defined()) return true;
    return tensor->root->attribute != old->root->attribute || tensor->dims != old->dims;
  }
  if (const auto list = now.list()) return !before.list() || any_changed(list->items, before.list()->items, depth);
  if (const auto tuple = now.tuple()) return !before.tuple() || any_changed(tuple->items, before.tuple()->items, depth);
  if (const auto dict = now.dict()) {
    const auto old = before.dict();
    if (!old || old->entries.size() != dict->entries.size()) return true;
    for (size_t i = 0; i < dict->entries.size(); ++i) {
      if (changed(dict->entries[i].first, old->entries[i].first, depth + 1) ||
          changed(dict->entries[i].second, old->entries[i].second, depth + 1)) {
        return true;
      }
    }
    return false;
  }
  if (now.object() || now.callable()) return false;
  return !equal_values(now, before).value_or(false);
}

class Finder {
 public:
  void visit(const Object& now, const Object& before, const std::string& path, int depth) {
    if (depth > kMaxDepth || !seen_.insert(&now).second) return;
    for (const auto& [name, value] : now.attributes) {
      const Value* old = before.find(name);
      const std::string place = path.empty() ? name : path + "." + name;
      const auto object = value.object();
      if (object && old && old->object()) {
        visit(*object, *old->object(), place, depth + 1);
      } else if (!object && changed(value, old ? *old : Value(), 0)) {
        found.emplace_back(place, value);
      }
    }
  }
  std::vector<std::pair<std::string, Value>> found;

 private:
  std::set<const Object*> seen_;
};

}  // namespace

AttributePlace place_of(const std::shared_ptr<Object>& root, std::string_view path) {
  std::shared_ptr<Object> holder = root;
  for (size_t dot = path.find('.'); holder && dot != std::string_view::npos; dot = path.find('.')) {
    const Value* inner = holder->find(path.substr(0, dot));
    holder = inner ? inner->object() : nullptr;
    path.remove_prefix(dot + 1);
  }
  return {holder, path};
}

std::vector<std::pair<std::string, Value>> changed_attributes(const Object& now, const Object& before) {
  Finder finder;
  finder.visit(now, before, "", 0);
  return std::move(finder.found);
}

Result<lanthorn::Value> value_now(GraphLowering& lowering, const Value& value, int depth) {
  if (depth > kMaxDepth) return lowering.error(ErrorCode::kLimit, "an attribute is nested too deep to be kept");
  if (const TensorRef tensor = value.tensor()) {
    LAN_TRY(ValueId id, lowering.read(tensor));
    if (is_complex(tensor->dtype)) {
      LAN_TRY(id, lowering.emit("ViewAsComplex", {id}, {}, "lanthorn"));
    }
    LAN_OK(lowering.compute(std::array{id}));
    const Tensor* known = lowering.known(id);
    return lanthorn::Value(known ? *known : lowering.bound(id));
  }
  if (const Dim* integer = value.integer()) {
    LAN_TRY(const int64_t number, lowering.concrete(*integer));
    return lanthorn::Value(number);
  }
  if (const double* real = value.real()) return lanthorn::Value(*real);
  if (const bool* flag = value.flag()) return lanthorn::Value(*flag);
  if (const std::string* text = value.text()) return lanthorn::Value(*text);
  if (value.is_none()) return lanthorn::Value();
  const auto items = [&](const std::vector<Value>& from) -> Result<lanthorn::Value> {
    lanthorn::Value::Sequence made;
    for (const Value& item : from) {
      LAN_TRY(lanthorn::Value one, value_now(lowering, item, depth + 1));
      made.push_back(std::move(one));
    }
    return lanthorn::Value::sequence(std::move(made));
  };
  if (const auto list = value.list()) return items(list->items);
  if (const auto tuple = value.tuple()) return items(tuple->items);
  if (const auto dict = value.dict()) {
    lanthorn::Value::Map made;
    for (const auto& [key, item] : dict->entries) {
      LAN_TRY(lanthorn::Value name, value_now(lowering, key, depth + 1));
      LAN_TRY(lanthorn::Value one, value_now(lowering, item, depth + 1));
      made.emplace_back(std::move(name), std::move(one));
    }
    return lanthorn::Value::map(std::move(made));
  }
  return lowering.error(ErrorCode::kUnsupported, "an attribute that changes from call to call is a " + kind_of(value));
}

}  // namespace lanthorn::script
