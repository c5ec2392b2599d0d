#include "script/aten/numbers_shared.h"

#include <cmath>
#include <cstdio>

#include "script/class_table.h"

namespace lanthorn::script {
namespace {

constexpr int kMaxNesting = 64;
/// Lists may share parts, or hold themselves.
constexpr int kMaxComparisons = 1'000'000;
constexpr size_t kMaxText = size_t{1} << 20;

Result<bool> same_at(Lowering& lowering, const Value& a, const Value& b, int& left, int depth);

Result<bool> same_items(Lowering& lowering, const std::vector<Value>& a,
                        const std::vector<Value>& b, int& left, int depth) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    LAN_TRY(const bool same, same_at(lowering, a[i], b[i], left, depth));
    if (!same) return false;
  }
  return true;
}

Result<bool> same_at(Lowering& lowering, const Value& a, const Value& b, int& left, int depth) {
  if (depth > kMaxNesting || --left < 0)
    return lowering.error(ErrorCode::kLimit, "values are nested too deep to be compared");
  if (a.integer() && b.integer()) return lowering.equal(*a.integer(), *b.integer());
  if (a.list() && b.list())
    return same_items(lowering, a.list()->items, b.list()->items, left, depth + 1);
  if (a.tuple() && b.tuple())
    return same_items(lowering, a.tuple()->items, b.tuple()->items, left, depth + 1);
  if ((a.integer() || b.integer()) && (a.real() || b.real())) {
    LAN_TRY(const double x, real_number(lowering, a));
    LAN_TRY(const double y, real_number(lowering, b));
    return x == y;
  }
  const auto known = equal_values(a, b);
  if (known) return *known;
  if (a.tensor() && b.tensor() && a.tensor() == b.tensor()) return true;
  return lowering.error(ErrorCode::kUnsupported,
                        "comparing a " + kind_of(a) + " with a " + kind_of(b));
}

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[48];
  if (std::fabs(value) < 1e10 && value == std::trunc(value)) {
    std::snprintf(text, sizeof text, "%.0f.", value);
  } else {
    std::snprintf(text, sizeof text, "%.17g", value);
  }
  return text;
}

std::string text_at(const Value& value, int depth) {
  if (depth > kMaxNesting) return "...";
  const auto joined = [&](const std::vector<Value>& items, char open, char close) {
    std::string text(1, open);
    for (size_t i = 0; i < items.size() && text.size() < kMaxText; ++i)
      text += (i ? ", " : "") + text_at(items[i], depth + 1);
    return text + close;
  };
  if (value.is_none()) return "None";
  if (const bool* flag = value.flag()) return *flag ? "True" : "False";
  if (const Dim* integer = value.integer()) return integer->text();
  if (const double* real = value.real()) return real_text(*real);
  if (const auto* number = value.complex())
    return real_text(number->real()) + "+" + real_text(number->imag()) + "j";
  if (const std::string* text = value.text()) return *text;
  if (const Device* device = value.device()) return device->name;
  if (const auto list = value.list()) return joined(list->items, '[', ']');
  if (const auto tuple = value.tuple()) return joined(tuple->items, '(', ')');
  if (const auto dict = value.dict()) {
    std::string text = "{";
    for (const auto& [key, item] : dict->entries) {
      text +=
          (text.size() > 1 ? ", " : "") + text_at(key, depth + 1) + ": " + text_at(item, depth + 1);
    }
    return text + "}";
  }
  if (const TensorRef tensor = value.tensor()) return "Tensor" + dims_text(tensor->dims);
  if (const auto object = value.object()) {
    const Value* name = object->find("name");
    const bool member = object->type && object->type->kind == ClassType::Kind::kEnum;
    if (member && name && name->text()) return object->type->readable_name() + "." + *name->text();
  }
  return "<" + kind_of(value) + ">";
}

}  // namespace

Result<double> real_number(Lowering& lowering, const Value& value) {
  if (const double* real = value.real()) return *real;
  if (const bool* flag = value.flag()) return *flag ? 1.0 : 0.0;
  if (const Dim* integer = value.integer()) {
    LAN_TRY(const int64_t known, lowering.concrete(*integer));
    return static_cast<double>(known);
  }
  return lowering.error(ErrorCode::kUnsupported, "a " + kind_of(value) + " is no number");
}

Result<int> compare_values(Lowering& lowering, const Value& a, const Value& b) {
  if (a.integer() && b.integer()) {
    LAN_TRY(const bool less, lowering.less(*a.integer(), *b.integer()));
    if (less) return -1;
    LAN_TRY(const bool more, lowering.less(*b.integer(), *a.integer()));
    return more ? 1 : 0;
  }
  if (a.text() && b.text())
    return a.text()->compare(*b.text()) < 0 ? -1 : *a.text() == *b.text() ? 0 : 1;
  const auto items = [](const Value& value) -> const std::vector<Value>* {
    if (const auto list = value.list()) return &list->items;
    if (const auto tuple = value.tuple()) return &tuple->items;
    return nullptr;
  };
  const std::vector<Value>* x_items = items(a);
  const std::vector<Value>* y_items = items(b);
  if (x_items && y_items) {
    for (size_t i = 0; i < x_items->size() && i < y_items->size(); ++i) {
      if ((*x_items)[i].list() || (*x_items)[i].tuple()) {
        return lowering.error(ErrorCode::kUnsupported, "an order of nested lists");
      }
      LAN_TRY(const int order, compare_values(lowering, (*x_items)[i], (*y_items)[i]));
      if (order != 0) return order;
    }
    return x_items->size() < y_items->size() ? -1 : x_items->size() > y_items->size() ? 1 : 0;
  }
  LAN_TRY(const double x, real_number(lowering, a));
  LAN_TRY(const double y, real_number(lowering, b));
  return x < y ? -1 : x > y ? 1 : 0;
}

Result<bool> same_value(Lowering& lowering, const Value& a, const Value& b) {
  int left = kMaxComparisons;
  return same_at(lowering, a, b, left, 0);
}

std::string text_of(const Value& value) { return text_at(value, 0); }

}  // namespace lanthorn::script
