// Dictionaries, in order of insertion.
#include <algorithm>

#include "script/aten/numbers_shared.h"

namespace lanthorn::script {
namespace {

using Entries = std::vector<std::pair<Value, Value>>;

Result<std::optional<size_t>> find(Lowering& lowering, const Entries& entries, const Value& key) {
  for (size_t i = 0; i < entries.size(); ++i) {
    LAN_TRY(const bool same, same_value(lowering, entries[i].first, key));
    if (same) return std::optional(i);
  }
  return std::optional<size_t>();
}
Error no_key(Lowering& lowering, const Value& key) {
  return lowering.error(ErrorCode::kInvalidInput,
                        "the program's dict has no key '" + text_of(key) + "'");
}

Result<Value> get_item(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, args[0].dict()->entries, args[1]));
  return at ? Result<Value>(args[0].dict()->entries[*at].second) : no_key(lowering, args[1]);
}
Status put(Lowering& lowering, Dict& dict, const Value& key, const Value& value) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, dict.entries, key));
  if (at) {
    dict.entries[*at].second = value;
  } else {
    dict.entries.emplace_back(key, value);
  }
  return ok();
}
Result<Value> set_item(Lowering& lowering, const Args& args) {
  LAN_OK(put(lowering, *args[0].dict(), args[1], args[2]));
  return Value(None{});
}
Result<Value> get(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, args[0].dict()->entries, args[1]));
  return at ? args[0].dict()->entries[*at].second : args[2];
}
Result<Value> set_default(Lowering& lowering, const Args& args) {
  LAN_TRY(const std::optional<size_t> at, find(lowering, args[0].dict()->entries, args[1]));
  if (at) return args[0].dict()->entries[*at].second;
  args[0].dict()->entries.emplace_back(args[1], args[2]);
  return args[2];
}
Result<Value> take(Lowering& lowering, const Args& args, bool has_default) {
  Entries& entries = args[0].dict()->entries;
  LAN_TRY(const std::optional<size_t> at, find(lowering, entries, args[1]));
  if (!at) return has_default ? Result<Value>(args[2]) : no_key(lowering, args[1]);
  Value out = std::move(entries[*at].second);
  entries.erase(entries.begin() + static_cast<ptrdiff_t>(*at));
  return out;
}
Result<Value> pop(Lowering& lowering, const Args& args) { return take(lowering, args, false); }
Result<Value> pop_default(Lowering& lowering, const Args& args) {
  return take(lowering, args, true);
}
Result<Value> delete_item(Lowering& lowering, const Args& args) {
  LAN_OK(take(lowering, args, false));
  return Value(None{});
}
Result<Value> pop_item(Lowering& lowering, const Args& args) {
  Entries& entries = args[0].dict()->entries;
  if (entries.empty())
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program takes an item out of an empty dict");
  Value out = make_tuple({entries.back().first, entries.back().second});
  entries.pop_back();
  return out;
}
Result<Value> keys(Lowering&, const Args& args) {
  std::vector<Value> out;
  for (const auto& [key, value] : args[0].dict()->entries) out.push_back(key);
  return make_list(std::move(out), args[0].dict()->key_type);
}
Result<Value> values(Lowering&, const Args& args) {
  std::vector<Value> out;
  for (const auto& [key, value] : args[0].dict()->entries) out.push_back(value);
  return make_list(std::move(out), args[0].dict()->value_type);
}
Result<Value> items(Lowering&, const Args& args) {
  std::vector<Value> out;
  for (const auto& [key, value] : args[0].dict()->entries) out.push_back(make_tuple({key, value}));
  return make_list(std::move(out));
}
Result<Value> len(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(args[0].dict()->entries.size())));
}
Result<Value> update(Lowering& lowering, const Args& args) {
  const Entries more = args[1].dict()->entries;
  for (const auto& [key, value] : more) LAN_OK(put(lowering, *args[0].dict(), key, value));
  return Value(None{});
}
Result<Value> clear(Lowering&, const Args& args) {
  args[0].dict()->entries.clear();
  return Value(None{});
}
Result<Value> copy(Lowering&, const Args& args) {
  return Value(std::make_shared<Dict>(*args[0].dict()));
}
Result<Value> from_items(Lowering& lowering, const Args& args) {
  auto dict = std::make_shared<Dict>();
  for (const Value& item : args.list(0)->items) {
    const auto pair = item.tuple();
    if (!pair || pair->items.size() != 2)
      return lowering.error(ErrorCode::kCorrupt, "dict() wants pairs");
    LAN_OK(put(lowering, *dict, pair->items[0], pair->items[1]));
  }
  return Value(std::move(dict));
}
Result<Value> empty(Lowering&, const Args&) { return Value(std::make_shared<Dict>()); }

constexpr AtenRow kRows[] = {
    {"aten::__getitem__.Dict(Dict(t, tVal) self, t key) -> tVal(*)", get_item},
    {"aten::_set_item.Dict(Dict(t, tVal)(a!) l, t(b -> *) idx, tVal(c -> *) v) -> ()", set_item},
    {"aten::get.Dict(Dict(t, tVal) self, t key, tVal? default_value=None) -> tVal(*)", get},
    {"aten::setdefault.Dict(Dict(t, tVal)(a!) self, t(b -> *) key, tVal(c -> *) default_value) -> "
     "tVal(*)",
     set_default},
    {"aten::pop.Dict(Dict(t, tVal)(a!) self, t key) -> tVal(*)", pop},
    {"aten::pop.Dict_default(Dict(t, tVal)(a!) self, t key, tVal default_value) -> tVal(*)",
     pop_default},
    {"aten::Delete.Dict(Dict(t, tVal)(a!) self, t key) -> ()", delete_item},
    {"aten::popitem.Dict(Dict(t, tVal)(a!) self) -> ((t, tVal))", pop_item},
    {"aten::keys.Dict(Dict(t, tVal) self) -> t[](*)", keys},
    {"aten::values.Dict(Dict(t, tVal) self) -> tVal[](*)", values},
    {"aten::items.Dict(Dict(t, tVal) self) -> ((t, tVal)[])", items},
    {"aten::len.Dict(Dict(t, tVal) self) -> int", len},
    {"aten::update.Dict(Dict(t, tVal)(a!) self, Dict(t, tVal)(a!) to_add) -> ()", update},
    {"aten::clear.Dict(Dict(t, tVal)(a!) self) -> ()", clear},
    {"aten::copy.Dict(Dict(t, tVal)(a) self) -> Dict(t, tVal)", copy},
    {"aten::dict.items(t[] inputs) -> Dict(t, tVal)", from_items},
    {"aten::dict.copy(Dict(t, tVal) self) -> Dict(t, tVal)", copy},
    {"aten::dict() -> Dict(t, tVal)", empty},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_dicts = kRows;

}  // namespace lanthorn::script
