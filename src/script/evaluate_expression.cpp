// Expressions but calls.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "script/depth.h"
#include "script/evaluator.h"
#include "script/lexer.h"

namespace lanthorn::script {

const Expr& Evaluator::root_of(const Expr& expr) {
  const Expr* at = &expr;
  while (at->kind == Expr::Kind::kAttribute) at = at->items[0].get();
  return *at;
}

bool Evaluator::is_local(const Expr& root) const {
  return root.kind == Expr::Kind::kName && root.slot < frame().locals.size() &&
         frame().locals[root.slot].has_value() && frame().function != nullptr;
}

Result<Value> Evaluator::eval(const Expr& expr) {
  const Depth depth(*this);
  if (depth.too_deep())
    return lowering_.error(ErrorCode::kLimit, "expressions are nested too deep");
  switch (expr.kind) {
    case Expr::Kind::kName:
      return eval_name(expr);
    case Expr::Kind::kInt:
      return Value(Dim(expr.integer));
    case Expr::Kind::kFloat:
      return Value::of_double(expr.real);
    case Expr::Kind::kImaginary:
      return Value::of_complex({0, expr.real});
    case Expr::Kind::kString: {
      LAN_TRY(std::string text, string_value(expr.text));
      return Value(std::move(text));
    }
    case Expr::Kind::kTrue:
      return Value::of_bool(true);
    case Expr::Kind::kFalse:
      return Value::of_bool(false);
    case Expr::Kind::kNone:
      return Value(None{});
    case Expr::Kind::kList:
    case Expr::Kind::kTuple:
      return eval_items(expr);
    case Expr::Kind::kDict:
      return eval_dict(expr);
    case Expr::Kind::kCall:
      return eval_call(expr);
    case Expr::Kind::kAttribute:
      return eval_attribute(expr);
    case Expr::Kind::kSubscript:
      return eval_subscript(expr);
    case Expr::Kind::kUnary:
      return eval_unary(expr);
    case Expr::Kind::kBinary:
      return eval_binary(expr);
    case Expr::Kind::kAnd:
    case Expr::Kind::kOr: {
      LAN_TRY(Value left, eval(*expr.items[0]));
      LAN_TRY(const std::optional<bool> holds, truth(left));
      if (!holds) return Value(Unknown{});
      if (*holds == (expr.kind == Expr::Kind::kOr)) return left;
      return eval(*expr.items[1]);
    }
    case Expr::Kind::kConditional: {
      LAN_TRY(const Value condition, eval(*expr.items[0]));
      LAN_TRY(const std::optional<bool> holds, truth(condition));
      if (!holds) return Value(Unknown{});
      return eval(*expr.items[*holds ? 1 : 2]);
    }
    case Expr::Kind::kEllipsis:
    case Expr::Kind::kKeyword:
    case Expr::Kind::kSlice:
      break;
  }
  return lowering_.error(ErrorCode::kCorrupt, "this is no value");
}

Result<std::optional<bool>> Evaluator::truth(const Value& value) {
  using Answer = std::optional<bool>;
  if (value.is_unknown()) return Answer();
  if (const bool* flag = value.flag()) return Answer(*flag);
  if (const Dim* integer = value.integer()) {
    LAN_TRY(const bool zero, lowering_.equal(*integer, Dim(0)));
    return Answer(!zero);
  }
  if (const double* real = value.real()) return Answer(*real != 0);
  if (value.is_none()) return Answer(false);
  if (const auto list = value.list()) return Answer(!list->items.empty());
  if (const auto dict = value.dict()) return Answer(!dict->entries.empty());
  if (const std::string* text = value.text()) return Answer(!text->empty());
  if (const TensorRef tensor = value.tensor()) {
    if (const auto elements = lowering_.elements(tensor);
        elements && elements->size() == 1 && (*elements)[0].is_known()) {
      return Answer((*elements)[0].value() != 0);
    }
    auto id = lowering_.read(tensor);
    if (!id) return std::move(id).error();
    LAN_TRY(const Tensor* known, lowering_.observe(*id));
    if (known) {
      const auto reals = known->to_doubles();
      if (reals && reals->size() == 1) return Answer((*reals)[0] != 0);
    }
    missing("a branch or loop that depends on the data of a tensor");
    return Answer();
  }
  return Answer(true);
}

Result<Value> Evaluator::eval_name(const Expr& expr) {
  if (is_local(expr)) return *frame().locals[expr.slot];
  if (expr.text == "inf") return Value::of_double(INFINITY);
  if (expr.text == "nan") return Value::of_double(NAN);
  if (expr.text == "infj") return Value::of_complex({0, INFINITY});
  if (expr.text == "nanj") return Value::of_complex({0, NAN});
  frame().offset = expr.offset;
  if (!missing_.empty()) return Value(Unknown{});  // assigned where the search did not go
  return lowering_.error(ErrorCode::kCorrupt,
                         "nothing is named '" + std::string(expr.text) + "' here");
}

Result<Value> Evaluator::eval_items(const Expr& expr) {
  std::vector<Value> items;
  items.reserve(expr.items.size());
  for (const ExprPtr& item : expr.items) {
    LAN_TRY(Value value, eval(*item));
    items.push_back(std::move(value));
  }
  return expr.kind == Expr::Kind::kList ? make_list(std::move(items))
                                        : make_tuple(std::move(items));
}

Result<Value> Evaluator::eval_dict(const Expr& expr) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i + 1 < expr.items.size(); i += 2) {
    LAN_TRY(Value key, eval(*expr.items[i]));
    LAN_TRY(Value value, eval(*expr.items[i + 1]));
    bool replaced = false;
    for (auto& [old_key, old_value] : dict->entries) {
      if (equal_values(old_key, key).value_or(false)) {
        old_value = value;
        replaced = true;
        break;
      }
    }
    if (!replaced) dict->entries.emplace_back(std::move(key), std::move(value));
  }
  return Value(std::move(dict));
}

Result<Value> Evaluator::eval_unary(const Expr& expr) {
  LAN_TRY(const Value inner, eval(*expr.items[0]));
  if (expr.text == "not") {
    LAN_TRY(const std::optional<bool> holds, truth(inner));
    return holds ? Value::of_bool(!*holds) : Value(Unknown{});
  }
  if (expr.text == "-") {
    if (const double* real = inner.real()) return Value::of_double(-*real);
    if (const auto* number = inner.complex()) return Value::of_complex(-*number);
    return call_operator("aten::neg", {{inner}, {}});
  }
  if (expr.text == "~") return call_operator("aten::bitwise_not", {{inner}, {}});
  return inner;
}

Result<Value> Evaluator::eval_binary(const Expr& expr) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"+", "add"},         {"-", "sub"},       {"*", "mul"},
      {"/", "div"},         {"//", "floordiv"}, {"%", "remainder"},
      {"**", "pow"},        {"@", "matmul"},    {"&", "__and__"},
      {"|", "__or__"},      {"^", "__xor__"},   {"<<", "__lshift__"},
      {">>", "__rshift__"}, {"==", "eq"},       {"!=", "ne"},
      {"<", "lt"},          {">", "gt"},        {"<=", "le"},
      {">=", "ge"},         {"is", "__is__"},   {"is not", "__isnot__"}};
  LAN_TRY(Value left, eval(*expr.items[0]));
  LAN_TRY(Value right, eval(*expr.items[1]));
  frame().offset = expr.offset;
  if (expr.text == "in" || expr.text == "not in") {
    LAN_TRY(const Value found, call_operator("aten::__contains__", {{right, left}, {}}));
    if (expr.text == "in") return found;
    LAN_TRY(const std::optional<bool> holds, truth(found));
    return holds ? Value::of_bool(!*holds) : Value(Unknown{});
  }
  // `1.5+2.j` is how a complex constant is printed.
  if (right.complex() && (left.real() || left.integer()) &&
      (expr.text == "+" || expr.text == "-")) {
    const double real =
        left.real() ? *left.real() : static_cast<double>(left.integer()->known().value_or(0));
    return Value::of_complex(expr.text == "+" ? real + *right.complex() : real - *right.complex());
  }
  const auto it = kNames.find(expr.text);
  if (it == kNames.end())
    return lowering_.error(ErrorCode::kUnsupported, "the operator " + std::string(expr.text));
  std::string name = "aten::" + std::string(it->second);
  if (expr.text == "//" && (left.tensor() || right.tensor())) name = "aten::floor_divide";
  return call_operator(name, {{std::move(left), std::move(right)}, {}});
}

Result<Value> Evaluator::eval_attribute(const Expr& expr) {
  const Expr& root = root_of(expr);
  if (!expr.path.empty() && !is_local(root)) return eval_path(expr);
  LAN_TRY(const Value holder, eval(*expr.items[0]));
  frame().offset = expr.offset;
  return attribute(holder, expr.text);
}

Result<Value> Evaluator::eval_path(const Expr& expr) {
  const std::string_view path = expr.path;
  if (path.starts_with("CONSTANTS.c")) {
    const std::string digits(path.substr(11));
    const size_t index = digits.size() < 9 &&
                                 digits.find_first_not_of("0123456789") == std::string::npos &&
                                 !digits.empty()
                             ? static_cast<size_t>(std::stoul(digits))
                             : constants_.size();
    if (index < constants_.size()) return constants_[index];
    frame().offset = expr.offset;
    return lowering_.error(ErrorCode::kCorrupt, std::string(path) + " is not among the archive's " +
                                                    std::to_string(constants_.size()) +
                                                    " constants");
  }
  if (path.starts_with("torch.")) {
    const DType dtype = dtype_from_name(path.substr(6));
    if (dtype != DType::kUndefined) return Value(Dim(scalar_type_of(dtype)));
    static const std::map<std::string_view, double> kNumbers = {
        {"torch.inf", INFINITY}, {"torch.nan", NAN}, {"torch.pi", M_PI}};
    if (const auto it = kNumbers.find(path); it != kNumbers.end())
      return Value::of_double(it->second);
    static const std::map<std::string_view, int64_t> kFormats = {{"torch.strided", 0},
                                                                 {"torch.contiguous_format", 0},
                                                                 {"torch.preserve_format", 1},
                                                                 {"torch.channels_last", 2}};
    if (const auto it = kFormats.find(path); it != kFormats.end()) return Value(Dim(it->second));
  }
  LAN_TRY(const ClassTable::What what, classes_.what(path));
  if (what == ClassTable::What::kFunction) {
    LAN_TRY(auto function, classes_.find_function(path));
    return Value(Callable{std::move(function), nullptr});
  }
  if (what == ClassTable::What::kClass) {
    LAN_TRY(auto type, classes_.find_class(path));
    return Value(std::move(type));
  }
  // A member of a class: an enum's value, a constant, a function of it.
  const size_t dot = path.rfind('.');
  const std::string_view owner = path.substr(0, dot);
  LAN_TRY(const ClassTable::What owner_is, classes_.what(owner));
  frame().offset = expr.offset;
  if (owner_is == ClassTable::What::kClass) {
    LAN_TRY(const std::shared_ptr<const ClassType> type, classes_.find_class(owner));
    if (const auto method = type->method(expr.text)) return Value(Callable{method, nullptr});
    if (const FieldSyntax* field = type->field(expr.text); field && field->value) {
      LAN_TRY(Value value, eval(*field->value));
      if (type->kind != ClassType::Kind::kEnum) return value;
      auto member = std::make_shared<Object>();
      member->type = type;
      member->set("name", Value(std::string(expr.text)));
      member->set("value", std::move(value));
      return Value(std::move(member));
    }
  }
  if (path.starts_with("__torch__.") || path.starts_with("torch.") || path.starts_with("ops.")) {
    return lowering_.error(ErrorCode::kCorrupt,
                           "the archive's code has no '" + std::string(path) + "'");
  }
  return eval_name(root_of(expr));  // an error that names the first part
}

Result<Value> Evaluator::attribute(const Value& value, std::string_view name) {
  if (value.is_unknown()) return value;
  if (const std::shared_ptr<Object> object = value.object()) {
    if (const Value* found = object->find(name)) return *found;
    if (object->type) {
      if (const FieldSyntax* field = object->type->field(name); field && field->value) {
        LAN_TRY(Value constant, eval(*field->value));
        return as_type(field->type, std::move(constant));
      }
      if (const auto method = object->type->method(name)) return Value(Callable{method, object});
      // A field of type None may be left out of the data.
      if (const FieldSyntax* field = object->type->field(name);
          field && (field->type.is("NoneType") || field->type.optional())) {
        return Value(None{});
      }
    }
    if (!missing_.empty()) return Value(Unknown{});
    const std::string type = object->type ? object->type->readable_name() : "object";
    return lowering_.error(ErrorCode::kCorrupt,
                           type + " has no attribute '" + std::string(name) + "'");
  }
  if (const auto tuple = value.tuple()) {
    for (size_t i = 0; i < tuple->names.size() && i < tuple->items.size(); ++i) {
      if (tuple->names[i] == name) return tuple->items[i];
    }
  }
  if (const auto type = value.class_type()) {
    if (const FieldSyntax* field = type->field(name); field && field->value)
      return eval(*field->value);
  }
  if (const Device* device = value.device()) {
    const size_t colon = device->name.find(':');
    if (name == "type") return Value(device->name.substr(0, colon));
    if (name == "index") return Value(None{});
  }
  if (value.tensor()) {
    static const std::map<std::string_view, std::string_view> kNames = {
        {"shape", "aten::size"}, {"ndim", "aten::dim"},  {"T", "aten::numpy_T"}, {"mT", "aten::mT"},
        {"H", "aten::matrix_H"}, {"real", "aten::real"}, {"imag", "aten::imag"}};
    const auto it = kNames.find(name);
    return call_operator(
        it != kNames.end() ? std::string(it->second) : "prim::" + std::string(name), {{value}, {}});
  }
  return lowering_.error(ErrorCode::kCorrupt,
                         "a " + kind_of(value) + " has no attribute '" + std::string(name) + "'");
}

Result<Value> Evaluator::eval_subscript(const Expr& expr) {
  LAN_TRY(const Value container, eval(*expr.items[0]));
  frame().offset = expr.offset;
  return index_value(container, *expr.items[1]);
}

Result<Value> Evaluator::index_value(const Value& container, const Expr& index) {
  if (container.is_unknown()) return container;
  if (container.tensor()) return index_tensor(container, index);
  if (index.kind == Expr::Kind::kSlice) {
    std::vector<Value> parts{container};
    for (const ExprPtr& part : index.items) {
      if (!part) {
        parts.emplace_back(parts.size() == 3 ? Value(Dim(1)) : Value(None{}));
        continue;
      }
      LAN_TRY(Value value, eval(*part));
      parts.push_back(std::move(value));
    }
    return call_operator("aten::slice", {std::move(parts), {}});
  }
  LAN_TRY(Value key, eval(index));
  if (key.is_unknown()) return key;
  if (const std::shared_ptr<Object> object = container.object(); object && object->type) {
    if (object->type->method("__getitem__")) return call_method(object, "__getitem__", {{key}, {}});
    if (const std::string* name = key.text()) return attribute(container, *name);  // ModuleDict
    if (const Dim* number = key.integer(); number && number->is_known()) {
      return attribute(container, std::to_string(number->value()));  // ModuleList
    }
  }
  return call_operator("aten::__getitem__", {{container, std::move(key)}, {}});
}

Result<Value> Evaluator::index_tensor(const Value& tensor, const Expr& index) {
  std::vector<const Expr*> parts;
  if (index.kind == Expr::Kind::kTuple) {
    for (const ExprPtr& part : index.items) parts.push_back(part.get());
  } else {
    parts.push_back(&index);
  }
  size_t taken = 0;
  for (const Expr* part : parts)
    taken += part->kind == Expr::Kind::kNone || part->kind == Expr::Kind::kEllipsis ? 0 : 1;
  Value current = tensor;
  int64_t axis = 0;
  std::vector<Value> indices;
  bool gathers = false;
  for (const Expr* part : parts) {
    if (!current.tensor()) return current;
    if (part->kind == Expr::Kind::kEllipsis) {
      const int64_t skipped =
          static_cast<int64_t>(tensor.tensor()->dims.size()) - static_cast<int64_t>(taken);
      axis += std::max<int64_t>(skipped, 0);
      continue;
    }
    if (part->kind == Expr::Kind::kSlice) {
      std::vector<Value> arguments{current, Value(Dim(axis))};
      for (const ExprPtr& bound : part->items) {
        if (!bound) {
          arguments.emplace_back(arguments.size() == 4 ? Value(Dim(1)) : Value(None{}));
          continue;
        }
        LAN_TRY(Value value, eval(*bound));
        arguments.push_back(std::move(value));
      }
      LAN_TRY(current, call_operator("aten::slice", {std::move(arguments), {}}));
      ++axis;
      continue;
    }
    LAN_TRY(Value value, eval(*part));
    if (value.is_none()) {
      LAN_TRY(current, call_operator("aten::unsqueeze", {{current, Value(Dim(axis))}, {}}));
      ++axis;
    } else if (value.integer()) {
      LAN_TRY(current, call_operator("aten::select", {{current, Value(Dim(axis)), value}, {}}));
    } else {
      indices.resize(static_cast<size_t>(axis));
      indices.push_back(std::move(value));
      gathers = true;
      ++axis;
    }
  }
  if (!gathers) return current;
  return call_operator("aten::index",
                       {{current, make_list(std::move(indices), "Optional[Tensor]")}, {}});
}

}  // namespace lanthorn::script
