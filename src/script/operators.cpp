#include "script/operators.h"

#include <algorithm>
#include <map>

namespace lanthorn::script {
namespace {

using Kind = SchemaType::Kind;

struct Table {
  std::map<std::string, std::vector<Operator>, std::less<>> by_name;
  std::string broken;

  Table() {
    for (const std::span<const AtenRow>* family : aten_families()) {
      for (const AtenRow& row : *family) {
        auto schema = parse_schema(row.schema);
        if (!schema) {
          broken += schema.error().message + "\n";
          continue;
        }
        std::string name = schema->name;
        by_name[std::move(name)].push_back({*std::move(schema), &row});
      }
    }
  }
};

const Table& table() {
  static const Table built;
  return built;
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kTensor:
      return "Tensor";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kComplex:
      return "complex";
    case Kind::kBool:
      return "bool";
    case Kind::kString:
      return "str";
    default:
      return "";
  }
}

std::optional<int> fit_all(const SchemaType& element, std::span<const Value> items) {
  int worst = 0;
  for (const Value& item : items) {
    const auto one = fit(element, item);
    if (!one) return std::nullopt;
    worst = std::max(worst, *one);
  }
  return worst;
}

std::optional<int> fit_list(const SchemaType& type, const Value& value) {
  const SchemaType& element = type.args[0];
  if (const auto list = value.list()) {
    if (list->items.empty() && !list->element_type.empty()) {
      const std::string_view wanted = kind_name(element.kind);
      std::string_view have = list->element_type;
      if (have.starts_with("Optional[")) have = have.substr(9, have.size() - 10);
      if (!wanted.empty() && wanted != have) return std::nullopt;
    }
    return fit_all(element, list->items);
  }
  if (const auto tuple = value.tuple()) {
    const auto inner = fit_all(element, tuple->items);
    return inner ? std::optional(std::max(*inner, 1)) : std::nullopt;
  }
  if (type.fixed_size > 0 || element.kind == Kind::kInt) {
    const auto one = fit(element, value);
    // TorchScript takes one number only where the schema gives the list a size.
    if (one && type.fixed_size > 0) return one;
    return one && *one == 0 ? std::optional(3) : std::nullopt;
  }
  return std::nullopt;
}

template <class T>
std::optional<int> when(const T& condition, int tier) {
  return condition ? std::optional(tier) : std::nullopt;
}

}  // namespace

std::optional<int> fit(const SchemaType& type, const Value& value) {
  if (value.is_unknown()) return 0;
  if (value.is_none()) {
    return when(type.optional || type.kind == Kind::kAny || type.kind == Kind::kNone ||
                    type.kind == Kind::kVariable,
                0);
  }
  const bool number = value.integer() || value.real() || value.complex();
  const TensorRef tensor = value.tensor();
  const bool scalar_tensor = tensor && product(tensor->dims).is(1);
  switch (type.kind) {
    case Kind::kAny:
    case Kind::kVariable:
      return 0;
    case Kind::kNone:
      return std::nullopt;
    case Kind::kTensor:
      if (tensor) return 0;
      return when(number || value.flag(), 4);
    case Kind::kInt:
    case Kind::kScalarType:
      if (value.integer()) return 0;
      if (scalar_tensor) return 1;
      return when(value.flag(), 3);
    case Kind::kFloat:
      if (value.real()) return 0;
      if (scalar_tensor) return 1;
      return when(value.integer(), 2);
    case Kind::kComplex:
      if (value.complex()) return 0;
      return when(value.real() || value.integer(), 2);
    case Kind::kBool:
      if (value.flag()) return 0;
      return when(scalar_tensor || value.integer(), 3);
    case Kind::kNumber:
      if (number) return 0;
      return when(value.flag() || scalar_tensor, 1);
    case Kind::kString:
      return when(value.text(), 0);
    case Kind::kDevice:
      if (value.device()) return 0;
      return when(value.text(), 1);
    case Kind::kDict:
      return when(value.dict(), 0);
    case Kind::kTuple: {
      const auto tuple = value.tuple();
      if (!tuple || (!type.args.empty() && tuple->items.size() != type.args.size()))
        return std::nullopt;
      int worst = 0;
      for (size_t i = 0; i < type.args.size(); ++i) {
        const auto one = fit(type.args[i], tuple->items[i]);
        if (!one) return std::nullopt;
        worst = std::max(worst, *one);
      }
      return worst;
    }
    case Kind::kList:
      return fit_list(type, value);
  }
  return std::nullopt;
}

std::span<const Operator> operators_named(std::string_view name) {
  const auto it = table().by_name.find(name);
  return it == table().by_name.end() ? std::span<const Operator>{} : it->second;
}

bool has_operator(std::string_view name) {
  if (!operators_named(name).empty()) return true;
  return name.ends_with('_') && !name.ends_with("__") &&
         !operators_named(name.substr(0, name.size() - 1)).empty();
}

std::string broken_schemas() { return table().broken; }

Match match(std::span<const Operator> overloads, const CallArguments& arguments) {
  Match best;
  int best_tier = 0;
  for (const Operator& op : overloads) {
    const auto& formal = op.schema.arguments;
    if (!op.schema.variadic && arguments.positional.size() > formal.size()) continue;
    std::vector<const Value*> given(formal.size(), nullptr);
    int tier = 0;
    bool fits = true;
    for (size_t i = 0; i < arguments.positional.size() && i < formal.size(); ++i) {
      if (formal[i].keyword_only) tier = std::max(tier, 2);  // older versions let it be by position
      given[i] = &arguments.positional[i];
    }
    for (const auto& keyword : arguments.keywords) {
      const auto at = std::find_if(formal.begin(), formal.end(),
                                   [&](const SchemaArgument& a) { return a.name == keyword.first; });
      const size_t i = static_cast<size_t>(at - formal.begin());
      if (i == formal.size() || given[i]) {
        fits = false;
        break;
      }
      given[i] = &keyword.second;
    }
    for (size_t i = 0; fits && i < formal.size(); ++i) {
      if (!given[i]) {
        fits = formal[i].has_default;
        continue;
      }
      const auto one = fit(formal[i].type, *given[i]);
      fits = one.has_value();
      if (one) tier = std::max(tier, *one);
    }
    if (!fits || (best.op && tier >= best_tier)) continue;
    best.op = &op;
    best_tier = tier;
    best.values.clear();
    for (size_t i = 0; i < formal.size(); ++i)
      best.values.push_back(given[i] ? *given[i] : formal[i].fallback);
    for (size_t i = formal.size(); i < arguments.positional.size(); ++i)
      best.values.push_back(arguments.positional[i]);
  }
  return best;
}

}  // namespace lanthorn::script
