// Functions and statements.
#include "script/evaluator.h"

#include <algorithm>

#include "script/depth.h"
#include "script/lexer.h"

namespace lanthorn::script {

Evaluator::Evaluator(const ClassTable& classes, std::span<const Value> constants, int64_t version,
                     GraphLowering& lowering, const EvaluationLimits& limits)
    : classes_(classes),
      constants_(constants),
      version_(version),
      lowering_(lowering),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.max_time) {
  lowering_.place = [this] { return place(); };
  lowering_.code_place = [this] {
    if (frames_.empty() || !frame().file) return std::string();
    return frame().file->path + ":" + std::to_string(frame().file->line(frame().offset));
  };
}

std::string Evaluator::place() const {
  if (frames_.empty() || !frame().file) return "";
  return classes_.place(*frame().file, frame().offset);
}

std::shared_ptr<Object> Evaluator::module() const {
  for (size_t i = frames_.size(); i-- > 0;) {
    const Frame& at = *frames_[i];
    // `self` comes first among the parameters.
    if (!at.function || at.function->syntax->parameters.empty()) continue;
    const uint32_t slot = at.function->syntax->parameters[0].slot;
    if (slot >= at.locals.size() || !at.locals[slot]) continue;
    auto self = at.locals[slot]->object();
    if (self && self->type && self->type->kind == ClassType::Kind::kModule) return self;
  }
  return nullptr;
}

Status Evaluator::tick() {
  if (++steps_ > limits_.max_steps ||
      ((steps_ & 0xff) == 0 && std::chrono::steady_clock::now() > deadline_)) {
    return lowering_.error(ErrorCode::kLimit,
                           "the program runs too long before it becomes a graph");
  }
  return ok();
}

Status Evaluator::charge(const Value& made) {
  if (const auto list = made.list()) {
    items_ += list->items.size();
  } else if (const std::string* text = made.text()) {
    items_ += text->size() / 16;
  }
  if (items_ > limits_.max_items) {
    return lowering_.error(ErrorCode::kLimit,
                           "the program makes lists of too many items before it becomes a graph");
  }
  return ok();
}

Result<Value> Evaluator::call_method(const std::shared_ptr<Object>& object, std::string_view name,
                                     CallArguments arguments) {
  const std::shared_ptr<const Function> method =
      object->type ? object->type->method(name) : nullptr;
  if (!method) {
    const std::string type = object->type ? object->type->readable_name() : "object";
    return lowering_.error(ErrorCode::kUnsupported,
                           type + " has no method '" + std::string(name) + "'");
  }
  arguments.positional.insert(arguments.positional.begin(), Value(object));
  return call(method, std::move(arguments));
}

Status Evaluator::bind(const Function& function, CallArguments& arguments, Frame& inner) {
  const auto& formal = function.syntax->parameters;
  if (arguments.positional.size() > formal.size()) {
    return lowering_.error(ErrorCode::kCorrupt, function.name + " takes " +
                                                    std::to_string(formal.size()) +
                                                    " arguments, and gets " +
                                                    std::to_string(arguments.positional.size()));
  }
  for (size_t i = 0; i < formal.size(); ++i) {
    const Parameter& parameter = formal[i];
    std::optional<Value> value;
    if (i < arguments.positional.size()) {
      value = std::move(arguments.positional[i]);
    } else {
      for (auto& [name, given] : arguments.keywords) {
        if (name == parameter.name) value = std::move(given);
      }
    }
    if (!value && parameter.fallback) {
      frames_.push_back(&inner);
      auto fallback = eval(*parameter.fallback);
      frames_.pop_back();
      if (!fallback) return std::move(fallback).error();
      value = *std::move(fallback);
    }
    if (!value) {
      return lowering_.error(
          ErrorCode::kCorrupt,
          function.name + " is called without its argument '" + std::string(parameter.name) + "'");
    }
    LAN_TRY(inner.locals[parameter.slot], as_type(parameter.type, *std::move(value)));
  }
  return ok();
}

Result<Value> Evaluator::call(const std::shared_ptr<const Function>& function,
                              CallArguments arguments) {
  const Depth depth(*this);
  if (depth.too_deep()) {
    return lowering_.error(ErrorCode::kLimit, "calls are nested too deep at " + function->name);
  }
  if (function->syntax->names.empty() && !function->syntax->parameters.empty()) {
    return lowering_.error(ErrorCode::kUnsupported, "a nested function with parameters");
  }
  Frame inner;
  inner.function = function.get();
  inner.file = function->file.get();
  inner.offset = function->syntax->offset;
  inner.locals.resize(function->syntax->names.size());
  LAN_OK(bind(*function, arguments, inner));
  frames_.push_back(&inner);
  auto flow = run(function->syntax->body);
  frames_.pop_back();
  if (!flow) return std::move(flow).error();
  return as_type(function->syntax->result, std::move(inner.result));
}

Result<Value> Evaluator::call_nested(const std::shared_ptr<const Function>& function) {
  const Depth depth(*this);
  if (depth.too_deep()) return lowering_.error(ErrorCode::kLimit, "calls are nested too deep");
  Frame inner;
  inner.function = function.get();
  inner.file = function->file.get();
  inner.locals = frame().locals;  // what it reads of the function around it
  frames_.push_back(&inner);
  auto flow = run(function->syntax->body);
  frames_.pop_back();
  if (!flow) return std::move(flow).error();
  return std::move(inner.result);
}

Result<Evaluator::Flow> Evaluator::run(const std::vector<Stmt>& body) {
  const Depth depth(*this);
  if (depth.too_deep()) return lowering_.error(ErrorCode::kLimit, "blocks are nested too deep");
  for (const Stmt& statement : body) {
    LAN_TRY(const Flow flow, run(statement));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Result<Evaluator::Flow> Evaluator::run(const Stmt& statement) {
  LAN_OK(tick());
  frame().offset = statement.offset;
  switch (statement.kind) {
    case Stmt::Kind::kExpression: {
      LAN_OK(eval(*statement.value));
      return Flow::kNext;
    }
    case Stmt::Kind::kAssign: {
      LAN_OK(run_assign(statement));
      return Flow::kNext;
    }
    case Stmt::Kind::kAugmented: {
      LAN_OK(run_augmented(statement));
      return Flow::kNext;
    }
    case Stmt::Kind::kIf:
      return run_if(statement);
    case Stmt::Kind::kWhile:
      return run_while(statement);
    case Stmt::Kind::kFor:
      return run_for(statement);
    case Stmt::Kind::kWith:
      return run_with(statement);
    case Stmt::Kind::kReturn: {
      if (statement.value) {
        LAN_TRY(frame().result, eval(*statement.value));
      }
      return Flow::kReturn;
    }
    case Stmt::Kind::kPass:
      return Flow::kNext;
    case Stmt::Kind::kBreak:
      return Flow::kBreak;
    case Stmt::Kind::kContinue:
      return Flow::kContinue;
    case Stmt::Kind::kFunction: {
      auto function = std::make_shared<Function>();
      function->name = std::string(statement.function->name);
      function->syntax = statement.function.get();
      function->file = frame().function->file;
      LAN_OK(assign(*statement.targets[0], Value(Callable{std::move(function), nullptr})));
      return Flow::kNext;
    }
    case Stmt::Kind::kRaise:
      if (!missing_.empty()) return Flow::kNext;
      return raised(statement.value.get());
    case Stmt::Kind::kAssert: {
      LAN_TRY(const Value condition, eval(*statement.value));
      LAN_TRY(const std::optional<bool> holds, truth(condition));
      if (holds && !*holds && missing_.empty()) return raised(statement.message.get());
      return Flow::kNext;
    }
    case Stmt::Kind::kDelete:
      return Flow::kNext;
  }
  return Flow::kNext;
}

Error Evaluator::raised(const Expr* what) {
  std::string message = "no reason given";
  const Expr* text = what;
  if (what && what->kind == Expr::Kind::kCall)
    text = what->items.size() > 1 ? what->items[1].get() : nullptr;
  if (text) {
    if (const auto value = eval(*text); value && value->text()) message = *value->text();
  }
  return lowering_.error(ErrorCode::kInvalidInput, "the model refuses its input: " + message);
}

Result<Evaluator::Flow> Evaluator::scan(const std::vector<Stmt>& body) {
  // Values are of no use any more, so the body runs once, whatever it assigns.
  LAN_TRY(const Flow flow, run(body));
  return flow == Flow::kReturn ? Flow::kNext : flow;
}

Result<Evaluator::Flow> Evaluator::run_if(const Stmt& statement) {
  LAN_TRY(const Value condition, eval(*statement.value));
  frame().offset = statement.offset;
  LAN_TRY(const std::optional<bool> holds, truth(condition));
  if (!holds) {
    LAN_OK(scan(statement.body));
    LAN_OK(scan(statement.orelse));
    return Flow::kNext;
  }
  return run(*holds ? statement.body : statement.orelse);
}

Result<Evaluator::Flow> Evaluator::run_while(const Stmt& statement) {
  while (true) {
    LAN_OK(tick());
    LAN_TRY(const Value condition, eval(*statement.value));
    LAN_TRY(const std::optional<bool> holds, truth(condition));
    if (!holds) {
      LAN_OK(scan(statement.body));
      return Flow::kNext;
    }
    if (!*holds) return Flow::kNext;
    LAN_TRY(const Flow flow, run(statement.body));
    if (flow == Flow::kReturn) return flow;
    if (flow == Flow::kBreak) return Flow::kNext;
  }
}

Result<Evaluator::Flow> Evaluator::run_for_items(const Stmt& statement,
                                                 std::span<const Value> items) {
  for (const Value& item : items) {
    LAN_OK(tick());
    LAN_OK(assign(*statement.targets[0], item));
    LAN_TRY(const Flow flow, run(statement.body));
    if (flow == Flow::kReturn) return flow;
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNext;
}

Result<Evaluator::Flow> Evaluator::run_for(const Stmt& statement) {
  const Expr& iterable = *statement.value;
  const bool range = iterable.kind == Expr::Kind::kCall &&
                     iterable.items[0]->kind == Expr::Kind::kName &&
                     iterable.items[0]->text == "range" && !is_local(*iterable.items[0]);
  if (range) {
    LAN_TRY(const CallArguments arguments, arguments_of(iterable));
    std::vector<int64_t> bounds;
    for (const Value& value : arguments.positional) {
      if (value.is_unknown()) {
        LAN_OK(assign(*statement.targets[0], Value(Unknown{})));
        LAN_OK(scan(statement.body));
        return Flow::kNext;
      }
      LAN_TRY(const Value number, as_type({"int", {}}, value));
      if (!number.integer()) return lowering_.error(ErrorCode::kCorrupt, "range() wants integers");
      LAN_TRY(const int64_t bound, lowering_.concrete(*number.integer()));
      bounds.push_back(bound);
    }
    if (bounds.empty() || bounds.size() > 3)
      return lowering_.error(ErrorCode::kCorrupt, "range() wants one to three integers");
    const int64_t first = bounds.size() > 1 ? bounds[0] : 0;
    const int64_t last = bounds.size() > 1 ? bounds[1] : bounds[0];
    const int64_t by = bounds.size() > 2 ? bounds[2] : 1;
    if (by == 0)
      return lowering_.error(ErrorCode::kInvalidInput, "range() wants a step that is not zero");
    for (int64_t i = first; by > 0 ? i < last : i > last;) {
      LAN_OK(tick());
      LAN_OK(assign(*statement.targets[0], Value(Dim(i))));
      LAN_TRY(const Flow flow, run(statement.body));
      if (flow == Flow::kReturn) return flow;
      if (flow == Flow::kBreak) break;
      if (__builtin_add_overflow(i, by, &i)) break;
    }
    return Flow::kNext;
  }
  LAN_TRY(const Value value, eval(iterable));
  if (value.is_unknown()) {
    LAN_OK(assign(*statement.targets[0], Value(Unknown{})));
    LAN_OK(scan(statement.body));
    return Flow::kNext;
  }
  if (const auto list = value.list()) {
    const std::vector<Value> items = list->items;
    return run_for_items(statement, items);
  }
  if (const auto tuple = value.tuple()) return run_for_items(statement, tuple->items);
  if (const auto dict = value.dict()) {
    std::vector<Value> keys;
    for (const auto& [key, entry] : dict->entries) keys.push_back(key);
    return run_for_items(statement, keys);
  }
  if (const std::string* text = value.text()) {
    std::vector<Value> letters;
    for (const char c : *text) letters.emplace_back(std::string(1, c));
    return run_for_items(statement, letters);
  }
  if (value.tensor()) {
    LAN_TRY(const Value rows, call_operator("aten::unbind", {{value, Value(Dim(0))}, {}}));
    if (const auto list = rows.list()) return run_for_items(statement, list->items);
    LAN_OK(assign(*statement.targets[0], Value(Unknown{})));
    LAN_OK(scan(statement.body));
    return Flow::kNext;
  }
  return lowering_.error(ErrorCode::kUnsupported, "a loop over a " + kind_of(value));
}

Result<Evaluator::Flow> Evaluator::run_with(const Stmt& statement) {
  LAN_TRY(const Value context, eval(*statement.value));
  const std::shared_ptr<Object> object = context.object();
  const bool enters = object && object->type && object->type->method("__enter__");
  if (enters) {
    LAN_TRY(Value entered, call_method(object, "__enter__", {}));
    if (!statement.targets.empty()) LAN_OK(assign(*statement.targets[0], std::move(entered)));
  } else if (!statement.targets.empty()) {
    LAN_OK(assign(*statement.targets[0], context));
  }
  LAN_TRY(const Flow flow, run(statement.body));
  if (enters && object->type->method("__exit__")) {
    LAN_OK(call_method(object, "__exit__", {{Value(None{}), Value(None{}), Value(None{})}, {}}));
  }
  return flow;
}

Status Evaluator::run_assign(const Stmt& statement) {
  if (!statement.value) return ok();  // a declaration
  LAN_TRY(Value value, eval(*statement.value));
  if (statement.type) {
    LAN_TRY(value, as_type(*statement.type, std::move(value)));
  }
  for (const ExprPtr& target : statement.targets) LAN_OK(assign(*target, value));
  return ok();
}

Status Evaluator::run_augmented(const Stmt& statement) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"+", "add"},       {"-", "sub"},       {"*", "mul"},      {"/", "div"},
      {"%", "remainder"}, {"**", "pow"},      {"&", "__iand__"}, {"|", "__ior__"},
      {"^", "__ixor__"},  {"//", "floordiv"}, {"@", "matmul"},   {"<<", "__lshift__"}};
  LAN_TRY(const Value old, eval(*statement.targets[0]));
  LAN_TRY(const Value by, eval(*statement.value));
  const auto it = kNames.find(statement.text);
  if (it == kNames.end())
    return lowering_.error(ErrorCode::kUnsupported, "this kind of assignment");
  std::string name = "aten::" + std::string(it->second);
  const bool in_place =
      (old.tensor() || old.list()) && (statement.text == "+" || statement.text == "-" ||
                                       statement.text == "*" || statement.text == "/");
  if (in_place) name += "_";
  LAN_TRY(Value value, call_operator(name, {{old, by}, {}}));
  return assign(*statement.targets[0], std::move(value));
}

Status Evaluator::unpack(const Expr& target, const Value& value) {
  if (value.is_unknown()) {
    for (const ExprPtr& part : target.items) LAN_OK(assign(*part, Value(Unknown{})));
    return ok();
  }
  std::vector<Value> items;
  if (const auto tuple = value.tuple()) {
    items = tuple->items;
  } else if (const auto list = value.list()) {
    items = list->items;
  } else if (value.tensor()) {
    LAN_TRY(const Value rows, call_operator("aten::unbind", {{value, Value(Dim(0))}, {}}));
    if (rows.is_unknown()) return unpack(target, rows);
    if (rows.list()) items = rows.list()->items;
  } else {
    return lowering_.error(ErrorCode::kCorrupt, "a " + kind_of(value) + " cannot be taken apart");
  }
  if (items.size() != target.items.size()) {
    return lowering_.error(ErrorCode::kInvalidInput,
                           "the model takes " + std::to_string(target.items.size()) +
                               " values out of " + std::to_string(items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) LAN_OK(assign(*target.items[i], std::move(items[i])));
  return ok();
}

Status Evaluator::assign(const Expr& target, Value value) {
  switch (target.kind) {
    case Expr::Kind::kName:
      if (target.slot >= frame().locals.size()) frame().locals.resize(target.slot + 1);
      frame().locals[target.slot] = std::move(value);
      return ok();
    case Expr::Kind::kTuple:
    case Expr::Kind::kList:
      return unpack(target, value);
    case Expr::Kind::kAttribute: {
      LAN_TRY(const Value holder, eval(*target.items[0]));
      if (holder.is_unknown()) return ok();
      const std::shared_ptr<Object> object = holder.object();
      if (!object || (object->type && object->type->kind == ClassType::Kind::kOpaque))
        return lowering_.error(ErrorCode::kCorrupt,
                               "a " + kind_of(holder) + " takes no attributes");
      if (const FieldSyntax* field = object->type ? object->type->field(target.text) : nullptr) {
        LAN_TRY(value, as_type(field->type, std::move(value)));
      }
      object->set(target.text, std::move(value));
      return ok();
    }
    case Expr::Kind::kSubscript: {
      LAN_TRY(const Value holder, eval(*target.items[0]));
      if (holder.is_unknown()) return ok();
      if (holder.tensor()) {
        LAN_TRY(const Value part, index_tensor(holder, *target.items[1]));
        LAN_OK(call_operator(value.tensor() ? "aten::copy_" : "aten::fill_",
                             {{part, std::move(value)}, {}}));
        return ok();
      }
      LAN_TRY(const Value index, eval(*target.items[1]));
      LAN_OK(call_operator("aten::_set_item", {{holder, index, std::move(value)}, {}}));
      return ok();
    }
    default:
      return lowering_.error(ErrorCode::kCorrupt, "this cannot be assigned to");
  }
}

std::optional<Error> Evaluator::unsupported() const {
  if (missing_.empty()) return std::nullopt;
  std::string text = missing_.size() == 1 ? "the program needs something that is not supported: "
                                          : "the program needs " + std::to_string(missing_.size()) +
                                                " things that are not supported:";
  for (const auto& [what, places] : missing_) {
    text += missing_.size() == 1 ? what : "\n    " + what;
    std::string list;
    size_t shown = 0;
    for (const std::string& where : places) {
      if (where.empty()) continue;
      if (++shown > 4) {
        list += ", ...";
        break;
      }
      list += (list.empty() ? "" : ", ") + where;
    }
    if (!list.empty()) text += " (" + list + ")";
  }
  return Error{ErrorCode::kUnsupported, std::move(text), "", ""};
}

}  // namespace lanthorn::script
