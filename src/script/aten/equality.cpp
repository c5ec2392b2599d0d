// ==, is, in: for all that is no tensor.
#include "script/aten/numbers_shared.h"

namespace lanthorn::script {
namespace {

Result<Value> eq(Lowering& lowering, const Args& args) {
  LAN_TRY(const bool same, same_value(lowering, args[0], args[1]));
  return Value::of_bool(same);
}
Result<Value> ne(Lowering& lowering, const Args& args) {
  LAN_TRY(const bool same, same_value(lowering, args[0], args[1]));
  return Value::of_bool(!same);
}

Result<bool> identical(Lowering& lowering, const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.tensor() || b.tensor()) return a.tensor() == b.tensor();
  if (a.list() || b.list()) return a.list() == b.list();
  if (a.dict() || b.dict()) return a.dict() == b.dict();
  return same_value(lowering, a, b);
}
Result<Value> is_same(Lowering& lowering, const Args& args) {
  LAN_TRY(const bool same, identical(lowering, args[0], args[1]));
  return Value::of_bool(same);
}
Result<Value> is_other(Lowering& lowering, const Args& args) {
  LAN_TRY(const bool same, identical(lowering, args[0], args[1]));
  return Value::of_bool(!same);
}

Result<Value> list_contains(Lowering& lowering, const Args& args) {
  for (const Value& item : args.list(0)->items) {
    if (item.tensor() || args[1].tensor()) {
      return lowering.error(ErrorCode::kUnsupported, "a search for a tensor in a list");
    }
    LAN_TRY(const bool same, same_value(lowering, item, args[1]));
    if (same) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}
Result<Value> dict_contains(Lowering& lowering, const Args& args) {
  for (const auto& [key, value] : args[0].dict()->entries) {
    LAN_TRY(const bool same, same_value(lowering, key, args[1]));
    if (same) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}
Result<Value> text_contains(Lowering&, const Args& args) {
  return Value::of_bool(args.text(0).find(args.text(1)) != std::string::npos);
}

constexpr AtenRow kRows[] = {
    {"aten::eq.value(t1 a, t2 b) -> bool", eq},
    {"aten::ne.value(t1 a, t2 b) -> bool", ne},
    {"aten::__is__(t1 self, t2 obj) -> bool", is_same},
    {"aten::__isnot__(t1 self, t2 obj) -> bool", is_other},
    {"aten::__contains__.list(t[] l, t item) -> bool", list_contains},
    {"aten::__contains__.dict(Dict(t, tVal) dict, t key) -> bool", dict_contains},
    {"aten::__contains__.str(str string, str key) -> bool", text_contains},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_equality = kRows;

}  // namespace lanthorn::script
