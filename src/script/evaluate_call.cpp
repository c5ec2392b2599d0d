// Calls: of builtins by name, of operators and functions by path, of methods on values.
#include <map>

#include "script/depth.h"
#include "script/evaluator.h"
#include "script/quantized_tensor.h"

namespace lanthorn::script {
namespace {

/// Python's names and what they are among the operators.
const std::map<std::string_view, std::string_view>& builtin_names() {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"int", "aten::Int"},         {"float", "aten::Float"}, {"bool", "aten::Bool"},
      {"complex", "aten::Complex"}, {"str", "aten::str"},     {"len", "aten::len"},
      {"sorted", "aten::sorted"},   {"min", "prim::min"},     {"max", "prim::max"},
      {"abs", "prim::abs"},         {"sum", "aten::sum"},     {"round", "aten::round"},
      {"ord", "aten::ord"},         {"chr", "aten::chr"},     {"hex", "aten::hex"},
      {"oct", "aten::oct"},         {"bin", "aten::bin"},     {"divmod", "aten::divmod"},
      {"pow", "aten::pow"},         {"list", "aten::list"},   {"dict", "aten::dict"},
      {"any", "aten::any"},         {"all", "aten::all"},     {"tuple", "prim::tuple"},
      {"print", "prim::Print"},     {"range", "prim::range"}, {"enumerate", "prim::enumerate"},
      {"zip", "prim::zip"}};
  return kNames;
}

}  // namespace

Result<CallArguments> Evaluator::arguments_of(const Expr& call) {
  CallArguments out;
  out.positional.reserve(call.items.size());
  for (size_t i = 1; i < call.items.size(); ++i) {
    const Expr& item = *call.items[i];
    if (item.kind == Expr::Kind::kKeyword) {
      LAN_TRY(Value value, eval(*item.items[0]));
      out.keywords.emplace_back(std::string(item.text), std::move(value));
    } else {
      LAN_TRY(Value value, eval(item));
      out.positional.push_back(std::move(value));
    }
  }
  frame().offset = call.offset;
  return out;
}

Result<Value> Evaluator::eval_call(const Expr& expr) {
  LAN_OK(tick());
  const Expr& callee = *expr.items[0];
  if (callee.kind == Expr::Kind::kName && !is_local(callee)) return call_name(expr, callee.text);
  if (callee.kind == Expr::Kind::kAttribute) {
    if (!callee.path.empty() && !is_local(root_of(callee))) return call_path(expr, callee.path);
    return call_on(expr, callee);
  }
  LAN_TRY(const Value value, eval(callee));
  LAN_TRY(CallArguments arguments, arguments_of(expr));
  return call_value(value, std::move(arguments));
}

Result<Value> Evaluator::call_value(const Value& callee, CallArguments arguments) {
  if (callee.is_unknown()) return callee;
  if (const Callable* callable = callee.callable()) {
    if (callable->function->syntax->names.empty() &&
        callable->function->syntax->parameters.empty() && !frames_.empty() &&
        callable->function->file.get() == frame().file) {
      return call_nested(callable->function);
    }
    if (callable->self)
      arguments.positional.insert(arguments.positional.begin(), Value(callable->self));
    return call(callable->function, std::move(arguments));
  }
  if (const auto type = callee.class_type()) return construct(type, std::move(arguments));
  if (const auto object = callee.object()) {
    const bool module = object->type && object->type->method("forward");
    return call_method(object, module ? "forward" : "__call__", std::move(arguments));
  }
  return lowering_.error(ErrorCode::kCorrupt, "a " + kind_of(callee) + " cannot be called");
}

Result<Value> Evaluator::construct(const std::shared_ptr<const ClassType>& type,
                                   CallArguments arguments) {
  if (type->kind == ClassType::Kind::kNamedTuple) {
    auto tuple = std::make_shared<Tuple>();
    for (const FieldSyntax& field : type->syntax->fields) {
      Value value;
      const size_t at = tuple->items.size();
      if (at < arguments.positional.size()) {
        value = arguments.positional[at];
      } else {
        bool found = false;
        for (const auto& [name, given] : arguments.keywords) {
          if (name != field.name) continue;
          value = given;
          found = true;
        }
        if (!found && field.value) {
          LAN_TRY(value, eval(*field.value));
        }
      }
      LAN_TRY(value, as_type(field.type, std::move(value)));
      tuple->items.push_back(std::move(value));
      tuple->names.push_back(field.name);
    }
    return Value(std::move(tuple));
  }
  if (type->kind == ClassType::Kind::kEnum && arguments.positional.size() == 1) {
    for (const FieldSyntax& field : type->syntax->fields) {
      if (!field.value) continue;
      LAN_TRY(Value value, eval(*field.value));
      if (!equal_values(value, arguments.positional[0]).value_or(false)) continue;
      auto member = std::make_shared<Object>();
      member->type = type;
      member->set("name", Value(field.name));
      member->set("value", std::move(value));
      return Value(std::move(member));
    }
    return lowering_.error(ErrorCode::kCorrupt, type->readable_name() + " has no such member");
  }
  if (type->kind == ClassType::Kind::kOpaque) {
    return missing("the C++ class " + type->readable_name());
  }
  auto object = std::make_shared<Object>();
  object->type = type;
  if (type->method("__init__")) LAN_OK(call_method(object, "__init__", std::move(arguments)));
  return Value(std::move(object));
}

Result<Value> Evaluator::call_name(const Expr& expr, std::string_view name) {
  frame().offset = expr.offset;
  const size_t count = expr.items.size() - 1;
  const bool typed = name == "annotate" || name == "unchecked_cast" || name == "uninitialized";
  if (typed && count >= 1) {
    if (name == "uninitialized") return Value(None{});
    if (count != 2)
      return lowering_.error(ErrorCode::kCorrupt,
                             std::string(name) + "() wants a type and a value");
    LAN_TRY(Value value, eval(*expr.items[2]));
    return as_type(type_of(*expr.items[1]), std::move(value));
  }
  if (name == "isinstance" && count == 2) {
    LAN_TRY(const Value value, eval(*expr.items[1]));
    if (value.is_unknown()) return value;
    LAN_TRY(const bool holds, is_instance(value, *expr.items[2]));
    return Value::of_bool(holds);
  }
  LAN_TRY(CallArguments arguments, arguments_of(expr));
  if ((name == "getattr" || name == "hasattr") && arguments.positional.size() >= 2) {
    const std::string* attribute_name = arguments.positional[1].text();
    if (!attribute_name) return lowering_.error(ErrorCode::kCorrupt, "getattr() wants a name");
    if (name == "getattr") return attribute(arguments.positional[0], *attribute_name);
    const auto object = arguments.positional[0].object();
    return Value::of_bool(object && (object->find(*attribute_name) ||
                                     (object->type && (object->type->field(*attribute_name) ||
                                                       object->type->method(*attribute_name)))));
  }
  if ((name == "fork" || name == "awaitable") && !arguments.positional.empty()) {
    const Value callee = arguments.positional[0];
    arguments.positional.erase(arguments.positional.begin());
    return call_value(callee, std::move(arguments));
  }
  if (const auto it = builtin_names().find(name); it != builtin_names().end()) {
    return call_operator(it->second, std::move(arguments));
  }
  const std::string error_text = "nothing is named '" + std::string(name) + "' here";
  return missing_.empty() ? Result<Value>(lowering_.error(ErrorCode::kCorrupt, error_text))
                          : Value(Unknown{});
}

Result<Value> Evaluator::call_path(const Expr& expr, std::string_view path) {
  frame().offset = expr.offset;
  if (path.ends_with(".__new__")) {
    LAN_TRY(const auto type, classes_.find_class(path.substr(0, path.size() - 8)));
    auto object = std::make_shared<Object>();
    object->type = type;
    return Value(std::move(object));
  }
  LAN_TRY(CallArguments arguments, arguments_of(expr));
  if (path == "torch.device") {
    if (arguments.positional.empty() || !arguments.positional[0].text()) {
      return lowering_.error(ErrorCode::kCorrupt, "torch.device() wants a name");
    }
    return Value(Device{*arguments.positional[0].text()});
  }
  if (path == "torch.Generator") return Value(None{});
  if (path.starts_with("torch.")) {
    std::string_view rest = path.substr(6);
    if (rest.starts_with("autograd.")) rest.remove_prefix(9);
    for (const std::string_view prefix :
         {"nn.functional.", "_C._nn.", "special.", "linalg.", "fft."}) {
      if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
    }
    return call_operator("aten::" + std::string(rest), std::move(arguments));
  }
  if (path.starts_with("ops.")) {
    const std::string_view rest = path.substr(4);
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos)
      return lowering_.error(ErrorCode::kCorrupt, std::string(path) + " is no operator");
    return call_operator(
        std::string(rest.substr(0, dot)) + "::" + std::string(rest.substr(dot + 1)),
        std::move(arguments));
  }
  if (path.starts_with("math."))
    return call_operator("aten::" + std::string(path.substr(5)), std::move(arguments));
  LAN_TRY(const Value callee, eval_path(*expr.items[0]));
  return call_value(callee, std::move(arguments));
}

Result<Value> Evaluator::call_on(const Expr& expr, const Expr& callee) {
  LAN_TRY(const Value self, eval(*callee.items[0]));
  LAN_TRY(CallArguments arguments, arguments_of(expr));
  if (self.is_unknown()) return self;
  if (const std::shared_ptr<Object> object = self.object()) {
    if (object->type && object->type->method(callee.text))
      return call_method(object, callee.text, std::move(arguments));
    if (const Value* field = object->find(callee.text))
      return call_value(*field, std::move(arguments));
    if (object->type && object->type->kind == ClassType::Kind::kOpaque) {
      return missing("the method " + std::string(callee.text) + " of the C++ class " +
                     object->type->readable_name());
    }
    return call_method(object, callee.text, std::move(arguments));  // an error that names it
  }
  if (const auto type = self.class_type()) {
    if (const auto method = type->method(callee.text)) return call(method, std::move(arguments));
  }
  // A method of a tensor, list, dict or string is the operator of that name.
  arguments.positional.insert(arguments.positional.begin(), self);
  return call_operator("aten::" + std::string(callee.text), std::move(arguments));
}

Result<bool> Evaluator::is_instance(const Value& value, const Expr& type) {
  if (type.kind == Expr::Kind::kTuple || type.kind == Expr::Kind::kList) {
    for (const ExprPtr& item : type.items) {
      LAN_TRY(const bool one, is_instance(value, *item));
      if (one) return true;
    }
    return false;
  }
  return matches(value, type_of(type));
}

bool Evaluator::matches(const Value& value, const Type& type) {
  if (type.is("Any")) return true;
  if (type.is("Tensor")) return value.tensor() != nullptr || is_quantized_tensor(value);
  if (type.is("int")) return value.integer() != nullptr;
  if (type.is("float")) return value.real() != nullptr;
  if (type.is("bool")) return value.flag() != nullptr;
  if (type.is("str")) return value.text() != nullptr;
  if (type.is("complex")) return value.complex() != nullptr;
  if (type.is("number")) return value.integer() || value.real() || value.complex();
  if (type.is("NoneType") || type.is("None")) return value.is_none();
  if (type.is("Device")) return value.device() != nullptr;
  if (type.optional())
    return value.is_none() || (!type.args.empty() && matches(value, type.args[0]));
  if (type.is("Union")) {
    for (const Type& one : type.args) {
      if (matches(value, one)) return true;
    }
    return false;
  }
  if (type.is("List") || type.is("list")) {
    const auto list = value.list();
    if (!list || type.args.empty()) return list != nullptr;
    if (!list->element_type.empty()) return list->element_type == type_text(type.args[0]);
    return list->items.empty() || matches(list->items[0], type.args[0]);
  }
  if (type.is("Tuple") || type.is("tuple")) {
    const auto tuple = value.tuple();
    if (!tuple || type.args.empty()) return tuple != nullptr;
    if (tuple->items.size() != type.args.size()) return false;
    for (size_t i = 0; i < type.args.size(); ++i) {
      if (!matches(tuple->items[i], type.args[i])) return false;
    }
    return true;
  }
  if (type.is("Dict") || type.is("dict")) return value.dict() != nullptr;
  const auto object = value.object();
  return object && object->type && object->type->name == type.name;
}

Result<Value> Evaluator::as_type(const Type& type, Value value) {
  if (value.is_unknown() || value.is_none()) return value;
  if (type.optional())
    return type.args.empty() ? Result<Value>(value) : as_type(type.args[0], std::move(value));
  if (type.is("float")) {
    // A whole number from 1e10 on is printed without its dot.
    if (const Dim* integer = value.integer()) {
      LAN_TRY(const int64_t known, lowering_.concrete(*integer));
      return Value::of_double(static_cast<double>(known));
    }
    if (value.tensor()) return call_operator("aten::FloatImplicit", {{std::move(value)}, {}});
    return value;
  }
  if (type.is("int") && value.tensor())
    return call_operator("aten::IntImplicit", {{std::move(value)}, {}});
  if (type.is("number") && value.tensor())
    return call_operator("aten::ScalarImplicit", {{std::move(value)}, {}});
  if (type.is("List") && !type.args.empty()) {
    const auto list = value.list();
    if (!list) return value;
    if (list->element_type.empty()) list->element_type = type_text(type.args[0]);
    if (type.args[0].is("float")) {
      for (Value& item : list->items) {
        if (item.integer()) {
          LAN_TRY(item, as_type(type.args[0], std::move(item)));
        }
      }
    }
    return value;
  }
  if (type.is("Dict") && type.args.size() == 2) {
    if (const auto dict = value.dict(); dict && dict->value_type.empty()) {
      dict->key_type = type_text(type.args[0]);
      dict->value_type = type_text(type.args[1]);
    }
    return value;
  }
  if (type.is("Tuple")) {
    const auto tuple = value.tuple();
    if (!tuple || tuple->items.size() != type.args.size()) return value;
    bool changes = false;
    std::vector<Value> items;
    for (size_t i = 0; i < type.args.size(); ++i) {
      const bool number = tuple->items[i].integer() != nullptr && !type.args[i].is("int");
      changes |= number;
      LAN_TRY(Value item, as_type(type.args[i], tuple->items[i]));
      items.push_back(std::move(item));
    }
    if (!changes) return value;
    return Value(std::make_shared<Tuple>(Tuple{std::move(items), tuple->names}));
  }
  return value;
}

}  // namespace lanthorn::script
