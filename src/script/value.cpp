#include "script/value.h"

#include "script/class_table.h"

namespace lanthorn::script {
namespace {

template <class T, class State>
T shared_of(const State& state) {
  const T* found = std::get_if<T>(&state);
  return found ? *found : nullptr;
}

}  // namespace

TensorRef Value::tensor() const { return shared_of<TensorRef>(state_); }
std::shared_ptr<List> Value::list() const { return shared_of<std::shared_ptr<List>>(state_); }
std::shared_ptr<Tuple> Value::tuple() const { return shared_of<std::shared_ptr<Tuple>>(state_); }
std::shared_ptr<Dict> Value::dict() const { return shared_of<std::shared_ptr<Dict>>(state_); }
std::shared_ptr<Object> Value::object() const { return shared_of<std::shared_ptr<Object>>(state_); }
std::shared_ptr<const ClassType> Value::class_type() const {
  return shared_of<std::shared_ptr<const ClassType>>(state_);
}

const Value* Object::find(std::string_view name) const {
  for (const auto& [key, value] : attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Object::set(std::string_view name, Value value) {
  for (auto& [key, old] : attributes) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  attributes.emplace_back(std::string(name), std::move(value));
}

namespace {

std::string kind_at(const Value& value, int depth) {
  if (depth > 8) return "...";
  if (value.is_none()) return "NoneType";
  if (value.flag()) return "bool";
  if (value.integer()) return "int";
  if (value.real()) return "float";
  if (value.complex()) return "complex";
  if (value.text()) return "str";
  if (value.tensor()) return "Tensor";
  if (const auto list = value.list()) {
    if (!list->element_type.empty()) return "List[" + list->element_type + "]";
    return list->items.empty() ? "List" : "List[" + kind_at(list->items[0], depth + 1) + "]";
  }
  if (const auto tuple = value.tuple()) {
    std::string text = "Tuple[";
    for (size_t i = 0; i < tuple->items.size() && i < 8; ++i) {
      text += (i ? ", " : "") + kind_at(tuple->items[i], depth + 1);
    }
    return text + "]";
  }
  if (value.dict()) return "Dict";
  if (const auto object = value.object())
    return object->type ? object->type->readable_name() : "object";
  if (value.device()) return "Device";
  if (value.callable()) return "function";
  if (value.class_type()) return "class";
  return "unknown";
}

}  // namespace

std::string kind_of(const Value& value) { return kind_at(value, 0); }

Value make_list(std::vector<Value> items, std::string element_type) {
  return Value(std::make_shared<List>(List{std::move(items), std::move(element_type)}));
}

Value make_tuple(std::vector<Value> items) {
  return Value(std::make_shared<Tuple>(Tuple{std::move(items), {}}));
}

Value make_ints(std::span<const Dim> dims) {
  return make_list(std::vector<Value>(dims.begin(), dims.end()), "int");
}

namespace {

/// Comparisons that one question may cost: lists may share parts, or hold themselves.
constexpr int kMaxComparisons = 1'000'000;
constexpr int kMaxNesting = 64;

struct Budget {
  int left = kMaxComparisons;
  int depth = 0;
};

std::optional<bool> equal_at(const Value& a, const Value& b, Budget& budget);

std::optional<bool> equal_items(const std::vector<Value>& a, const std::vector<Value>& b,
                                Budget& budget) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto same = equal_at(a[i], b[i], budget);
    if (!same || !*same) return same;
  }
  return true;
}

std::optional<double> real_of(const Value& value) {
  if (const bool* flag = value.flag()) return *flag ? 1.0 : 0.0;
  if (const double* real = value.real()) return *real;
  const Dim* integer = value.integer();
  if (integer && integer->is_known()) return static_cast<double>(integer->value());
  return std::nullopt;
}

std::optional<bool> equal_parts(const Value& a, const Value& b, Budget& budget) {
  if (a.is_unknown() || b.is_unknown() || a.tensor() || b.tensor()) return std::nullopt;
  if (a.integer() && b.integer()) {
    const Dim difference = *a.integer() - *b.integer();
    if (difference.is_known()) return difference.value() == 0;
    return std::nullopt;
  }
  const bool numbers =
      (a.flag() || a.integer() || a.real()) && (b.flag() || b.integer() || b.real());
  if (numbers) {
    const auto x = real_of(a);
    const auto y = real_of(b);
    if (!x || !y) return std::nullopt;
    return *x == *y;
  }
  if (a.complex() && b.complex()) return *a.complex() == *b.complex();
  if (a.text() && b.text()) return *a.text() == *b.text();
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.list() && b.list()) return equal_items(a.list()->items, b.list()->items, budget);
  if (a.tuple() && b.tuple()) return equal_items(a.tuple()->items, b.tuple()->items, budget);
  if (a.device() && b.device()) return a.device()->name == b.device()->name;
  if (a.object() && b.object()) {
    const auto x = a.object();
    const auto y = b.object();
    if (x == y) return true;
    if (!x->type || x->type != y->type || x->type->kind != ClassType::Kind::kEnum) return false;
    const Value* left = x->find("name");
    const Value* right = y->find("name");
    return left && right ? equal_at(*left, *right, budget) : std::optional(false);
  }
  if (a.dict() && b.dict()) {
    const auto& x = a.dict()->entries;
    const auto& y = b.dict()->entries;
    if (x.size() != y.size()) return false;
    for (const auto& [key, value] : x) {
      bool found = false;
      for (const auto& [other, theirs] : y) {
        const auto same = equal_at(key, other, budget);
        if (!same) return std::nullopt;
        if (!*same) continue;
        const auto equal = equal_at(value, theirs, budget);
        if (!equal || !*equal) return equal;
        found = true;
        break;
      }
      if (!found) return false;
    }
    return true;
  }
  return false;
}

std::optional<bool> equal_at(const Value& a, const Value& b, Budget& budget) {
  if (--budget.left < 0 || budget.depth >= kMaxNesting) return std::nullopt;
  ++budget.depth;
  const auto same = equal_parts(a, b, budget);
  --budget.depth;
  return same;
}

}  // namespace

std::optional<bool> equal_values(const Value& a, const Value& b) {
  Budget budget;
  return equal_at(a, b, budget);
}

}  // namespace lanthorn::script
