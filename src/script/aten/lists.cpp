// Lists and tuples.
#include <algorithm>

#include "script/aten/numbers_shared.h"

namespace lanthorn::script {
namespace {

constexpr size_t kMaxListItems = 1'000'000;

/// A position of a list counted from its front; an error outside.
Result<size_t> position(Lowering& lowering, const Dim& index, size_t size) {
  LAN_TRY(int64_t at, lowering.concrete(index));
  if (at < 0) at += static_cast<int64_t>(size);
  if (at < 0 || at >= static_cast<int64_t>(size)) {
    return lowering.error(ErrorCode::kInvalidInput, "the program takes item " + index.text() +
                                                        " of a list of " + std::to_string(size));
  }
  return static_cast<size_t>(at);
}

struct Bounds {
  int64_t start = 0, end = 0, step = 1;
};
Result<Bounds> bounds_of(Lowering& lowering, const Args& args, size_t count) {
  const int64_t size = static_cast<int64_t>(count);
  Bounds out;
  LAN_TRY(out.step, lowering.concrete(args.integer(3)));
  if (out.step == 0) return lowering.error(ErrorCode::kInvalidInput, "a slice with a step of zero");
  const bool down = out.step < 0;
  const auto clamped = [&](size_t i, int64_t fallback) -> Result<int64_t> {
    if (args.is_none(i)) return fallback;
    LAN_TRY(int64_t at, lowering.concrete(args.integer(i)));
    if (at < 0) at += size;
    return std::clamp<int64_t>(at, down ? -1 : 0, down ? size - 1 : size);
  };
  LAN_TRY(out.start, clamped(1, down ? size - 1 : 0));
  LAN_TRY(out.end, clamped(2, down ? -1 : size));
  return out;
}
std::vector<Value> sliced(const std::vector<Value>& items, const Bounds& bounds) {
  std::vector<Value> out;
  for (int64_t i = bounds.start; bounds.step > 0 ? i < bounds.end : i > bounds.end;
       i += bounds.step) {
    out.push_back(items[static_cast<size_t>(i)]);
  }
  return out;
}

Status check_size(Lowering& lowering, size_t size) {
  if (size <= kMaxListItems) return ok();
  return lowering.error(ErrorCode::kLimit, "a list of the program grows beyond " +
                                               std::to_string(kMaxListItems) + " items");
}

Result<Value> get_item(Lowering& lowering, const Args& args) {
  const auto list = args.list(0);
  LAN_TRY(const size_t at, position(lowering, args.integer(1), list->items.size()));
  return list->items[at];
}
Result<Value> get_tuple_item(Lowering& lowering, const Args& args) {
  const auto tuple = args[0].tuple();
  if (!tuple) return lowering.error(ErrorCode::kUnsupported, "an item of a " + kind_of(args[0]));
  LAN_TRY(const size_t at, position(lowering, args.integer(1), tuple->items.size()));
  return tuple->items[at];
}
Result<Value> set_item(Lowering& lowering, const Args& args) {
  const auto list = args.list(0);
  LAN_TRY(const size_t at, position(lowering, args.integer(1), list->items.size()));
  list->items[at] = args[2];
  return args[0];
}
Result<Value> slice(Lowering& lowering, const Args& args) {
  const auto list = args.list(0);
  LAN_TRY(const Bounds bounds, bounds_of(lowering, args, list->items.size()));
  return make_list(sliced(list->items, bounds), list->element_type);
}
Result<Value> slice_tuple(Lowering& lowering, const Args& args) {
  const auto tuple = args[0].tuple();
  if (!tuple) return lowering.error(ErrorCode::kUnsupported, "a part of a " + kind_of(args[0]));
  LAN_TRY(const Bounds bounds, bounds_of(lowering, args, tuple->items.size()));
  return make_tuple(sliced(tuple->items, bounds));
}
Result<Value> len(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(args.list(0)->items.size())));
}
Result<Value> len_tuple(Lowering& lowering, const Args& args) {
  const auto tuple = args[0].tuple();
  if (!tuple) return lowering.error(ErrorCode::kUnsupported, "the length of a " + kind_of(args[0]));
  return Value(Dim(static_cast<int64_t>(tuple->items.size())));
}
Result<Value> append(Lowering& lowering, const Args& args) {
  args.list(0)->items.push_back(args[1]);
  LAN_OK(check_size(lowering, args.list(0)->items.size()));
  return args[0];
}
Result<Value> extend(Lowering& lowering, const Args& args) {
  const std::vector<Value> more = args.list(1)->items;
  auto& items = args.list(0)->items;
  LAN_OK(check_size(lowering, items.size() + more.size()));
  items.insert(items.end(), more.begin(), more.end());
  return args[0];
}
Result<Value> insert(Lowering& lowering, const Args& args) {
  auto& items = args.list(0)->items;
  LAN_TRY(int64_t at, lowering.concrete(args.integer(1)));
  const int64_t size = static_cast<int64_t>(items.size());
  if (at < 0) at += size;
  items.insert(items.begin() + std::clamp<int64_t>(at, 0, size), args[2]);
  LAN_OK(check_size(lowering, items.size()));
  return Value(None{});
}
Result<Value> pop(Lowering& lowering, const Args& args) {
  auto& items = args.list(0)->items;
  LAN_TRY(const size_t at, position(lowering, args.integer(1), items.size()));
  Value out = std::move(items[at]);
  items.erase(items.begin() + static_cast<ptrdiff_t>(at));
  return out;
}
Result<Value> delete_item(Lowering& lowering, const Args& args) {
  LAN_OK(pop(lowering, args));
  return Value(None{});
}
Result<std::optional<size_t>> find(Lowering& lowering, const std::vector<Value>& items,
                                   const Value& wanted) {
  for (size_t i = 0; i < items.size(); ++i) {
    LAN_TRY(const bool same, same_value(lowering, items[i], wanted));
    if (same) return std::optional(i);
  }
  return std::optional<size_t>();
}
Result<Value> index(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, args.list(0)->items, args[1]));
  if (!at)
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program looks for a value that is not in its list");
  return Value(Dim(static_cast<int64_t>(*at)));
}
Result<Value> remove(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, args.list(0)->items, args[1]));
  if (!at)
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program removes a value that is not in its list");
  args.list(0)->items.erase(args.list(0)->items.begin() + static_cast<ptrdiff_t>(*at));
  return Value(None{});
}
Result<Value> count(Lowering& lowering, const Args& args) {
  int64_t found = 0;
  for (const Value& item : args.list(0)->items) {
    LAN_TRY(const bool same, same_value(lowering, item, args[1]));
    found += same ? 1 : 0;
  }
  return Value(Dim(found));
}
Result<Value> reverse(Lowering&, const Args& args) {
  std::reverse(args.list(0)->items.begin(), args.list(0)->items.end());
  return Value(None{});
}
Result<Value> clear(Lowering&, const Args& args) {
  args.list(0)->items.clear();
  return Value(None{});
}
Result<Value> copy(Lowering&, const Args& args) {
  return make_list(args.list(0)->items, args.list(0)->element_type);
}
Result<Value> list_of(Lowering& lowering, const Args& args) {
  if (const auto list = args[0].list()) return make_list(list->items, list->element_type);
  if (const auto tuple = args[0].tuple()) return make_list(tuple->items);
  if (const std::string* text = args[0].text()) {
    std::vector<Value> letters;
    for (const char c : *text) letters.emplace_back(std::string(1, c));
    return make_list(std::move(letters), "str");
  }
  if (const auto dict = args[0].dict()) {
    std::vector<Value> keys;
    for (const auto& [key, value] : dict->entries) keys.push_back(key);
    return make_list(std::move(keys), dict->key_type);
  }
  return lowering.error(ErrorCode::kUnsupported, "a list of a " + kind_of(args[0]));
}
Result<Value> tuple_of(Lowering& lowering, const Args& args) {
  LAN_TRY(const Value list, list_of(lowering, args));
  return make_tuple(list.list()->items);
}

Result<std::vector<Value>> in_order(Lowering& lowering, std::vector<Value> items) {
  std::optional<Error> failed;
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
    if (failed) return false;
    auto order = compare_values(lowering, a, b);
    if (!order) failed = std::move(order).error();
    return !failed && *order < 0;
  });
  if (failed) return *std::move(failed);
  return items;
}
Result<Value> sort(Lowering& lowering, const Args& args) {
  LAN_TRY(args.list(0)->items, in_order(lowering, args.list(0)->items));
  if (args.flag(1)) std::reverse(args.list(0)->items.begin(), args.list(0)->items.end());
  return Value(None{});
}
Result<Value> sorted(Lowering& lowering, const Args& args) {
  LAN_TRY(std::vector<Value> items, in_order(lowering, args.list(0)->items));
  return make_list(std::move(items), args.list(0)->element_type);
}

Result<Value> add(Lowering& lowering, const Args& args) {
  std::vector<Value> items = args.list(0)->items;
  LAN_OK(check_size(lowering, items.size() + args.list(1)->items.size()));
  items.insert(items.end(), args.list(1)->items.begin(), args.list(1)->items.end());
  const std::string& type = args.list(0)->element_type;
  return make_list(std::move(items), type.empty() ? args.list(1)->element_type : type);
}
Result<Value> add_tuples(Lowering& lowering, const Args& args) {
  const auto a = args[0].tuple();
  const auto b = args[1].tuple();
  if (!a || !b)
    return lowering.error(ErrorCode::kUnsupported,
                          "a sum of a " + kind_of(args[0]) + " and a " + kind_of(args[1]));
  std::vector<Value> items = a->items;
  items.insert(items.end(), b->items.begin(), b->items.end());
  return make_tuple(std::move(items));
}
Result<Value> repeated(Lowering& lowering, const Args& args, size_t list, size_t times) {
  LAN_TRY(const int64_t n, lowering.concrete(args.integer(times)));
  const auto& items = args.list(list)->items;
  std::vector<Value> out;
  if (n > 0 && !items.empty()) {
    if (static_cast<uint64_t>(n) > kMaxListItems)
      return lowering.error(ErrorCode::kLimit, "a list repeated too often");
    LAN_OK(check_size(lowering, items.size() * static_cast<size_t>(n)));
    for (int64_t i = 0; i < n; ++i) out.insert(out.end(), items.begin(), items.end());
  }
  return make_list(std::move(out), args.list(list)->element_type);
}
Result<Value> mul_right(Lowering& lowering, const Args& args) {
  return repeated(lowering, args, 0, 1);
}
Result<Value> mul_left(Lowering& lowering, const Args& args) {
  return repeated(lowering, args, 1, 0);
}

Result<Value> sum(Lowering& lowering, const Args& args) {
  Dim whole(0);
  double real = 0;
  bool reals = args.list(0)->element_type == "float";
  for (const Value& item : args.list(0)->items) {
    if (const Dim* integer = item.integer()) {
      whole = whole + *integer;
    } else {
      LAN_TRY(const double number, real_number(lowering, item));
      real += number;
      reals |= item.real() != nullptr;
      if (item.flag()) whole = whole + Dim(*item.flag() ? 1 : 0);
    }
  }
  return reals ? Value::of_double(real) : Value(whole);
}
Result<Value> extreme(Lowering& lowering, const std::vector<Value>& items, int sign) {
  if (items.empty())
    return lowering.error(ErrorCode::kInvalidInput, "the extreme of an empty list");
  size_t best = 0;
  for (size_t i = 1; i < items.size(); ++i) {
    LAN_TRY(const int order, compare_values(lowering, items[i], items[best]));
    if (order * sign > 0) best = i;
  }
  return items[best];
}
Result<Value> smallest(Lowering& lowering, const Args& args) {
  return extreme(lowering, args.list(0)->items, -1);
}
Result<Value> largest(Lowering& lowering, const Args& args) {
  return extreme(lowering, args.list(0)->items, 1);
}

Result<bool> holds(Lowering& lowering, const Value& value) {
  if (const std::string* text = value.text()) return !text->empty();
  if (const bool* flag = value.flag()) return *flag;
  LAN_TRY(const double number, real_number(lowering, value));
  return number != 0;
}
Result<Value> any(Lowering& lowering, const Args& args) {
  for (const Value& item : args.list(0)->items) {
    LAN_TRY(const bool one, holds(lowering, item));
    if (one) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}
Result<Value> all(Lowering& lowering, const Args& args) {
  for (const Value& item : args.list(0)->items) {
    LAN_TRY(const bool one, holds(lowering, item));
    if (!one) return Value::of_bool(false);
  }
  return Value::of_bool(true);
}

Result<Value> range(Lowering& lowering, const Args& args) {
  int64_t bounds[3] = {0, 0, 1};
  const size_t count = args.size();
  for (size_t i = 0; i < count && i < 3; ++i) {
    const Dim* integer = args[i].integer();
    if (!integer) return lowering.error(ErrorCode::kCorrupt, "range() wants integers");
    LAN_TRY(bounds[count == 1 ? 1 : i], lowering.concrete(*integer));
  }
  std::vector<Value> items;
  for (int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : bounds[2] < 0 && i > bounds[1];
       i += bounds[2]) {
    items.emplace_back(Dim(i));
    LAN_OK(check_size(lowering, items.size()));
  }
  return make_list(std::move(items), "int");
}
Result<Value> enumerate(Lowering&, const Args& args) {
  std::vector<Value> items;
  for (const Value& item : args.list(0)->items) {
    items.push_back(
        make_tuple({Value(args.integer(1) + Dim(static_cast<int64_t>(items.size()))), item}));
  }
  return make_list(std::move(items));
}
Result<Value> zip(Lowering& lowering, const Args& args) {
  std::vector<Value> items;
  for (size_t k = 0;; ++k) {
    std::vector<Value> row;
    for (size_t i = 0; i < args.size(); ++i) {
      const auto list = args[i].list();
      if (!list) return lowering.error(ErrorCode::kUnsupported, "zip() of a " + kind_of(args[i]));
      if (k >= list->items.size()) return make_list(std::move(items));
      row.push_back(list->items[k]);
    }
    if (row.empty()) return make_list(std::move(items));
    items.push_back(make_tuple(std::move(row)));
  }
}

constexpr AtenRow kRows[] = {
    {"aten::__getitem__.t(t[](a) list, int idx) -> t(*)", get_item},
    {"aten::__getitem__.tuple(() self, int idx) -> Any", get_tuple_item},
    {"aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)", set_item},
    {"aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]", slice},
    {"aten::slice.tuple(() l, int? start=None, int? end=None, int step=1) -> Any", slice_tuple},
    {"aten::len.t(t[] a) -> int", len},
    {"aten::len.tuple(() a) -> int", len_tuple},
    {"aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)", append},
    {"aten::extend.t(t[](a!) self, t[] other) -> ()", extend},
    {"aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()", insert},
    {"aten::pop.t(t[](a!) self, int idx=-1) -> t(*)", pop},
    {"aten::Delete.t(t[](a!) self, int idx) -> ()", delete_item},
    {"aten::index.list(t[] self, t el) -> int", index},
    {"aten::remove.t(t[](a!) self, t el) -> ()", remove},
    {"aten::count.t(t[] self, t el) -> int", count},
    {"aten::reverse.t(t[](a!) self) -> ()", reverse},
    {"aten::clear.t(t[](a!) self) -> ()", clear},
    {"aten::copy.t(t[](a) self) -> t[]", copy},
    {"aten::list(Any l) -> t[]", list_of},
    {"prim::tuple(Any l) -> Any", tuple_of},
    {"aten::sort.list(t[](a!) self, bool reverse=False) -> ()", sort},
    {"aten::sorted.t(t[](a) self) -> t[]", sorted},
    {"aten::add.t(t[] a, t[] b) -> t[]", add},
    {"aten::add.tuples(() a, () b) -> Any", add_tuples},
    {"aten::add_.t(t[](a!) self, t[] b) -> t[]", extend},
    {"aten::mul.left_t(t[] l, int n) -> t[]", mul_right},
    {"aten::mul.right_(int n, t[] l) -> t[]", mul_left},
    {"aten::sum.list(Scalar[] self) -> Scalar", sum},
    {"aten::sum.bools(bool[] self) -> int", sum},
    {"prim::min.list(t[] l) -> t", smallest},
    {"prim::max.list(t[] l) -> t", largest},
    {"aten::any.list(t[] self) -> bool", any},
    {"aten::all.list(t[] self) -> bool", all},
    {"prim::range(...) -> int[]", range},
    {"prim::enumerate(t[] l, int start=0) -> t[]", enumerate},
    {"prim::zip(...) -> t[]", zip},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_lists = kRows;

}  // namespace lanthorn::script
