#include "script/parser.h"

#include <algorithm>
#include <array>

#include "script/parser_state.h"

namespace lanthorn::script {
namespace {

bool assigns(const Token& token) {
  constexpr std::array<std::string_view, 13> kSymbols = {
      "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "**=", "//=", "<<="};
  return token.kind == Token::Kind::kSymbol &&
         std::find(kSymbols.begin(), kSymbols.end(), token.text) != kSymbols.end();
}

}  // namespace

bool Parser::accept(std::string_view symbol) {
  if (!peek().is(symbol)) return false;
  take();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!peek().word(word)) return false;
  take();
  return true;
}

Status Parser::expect(std::string_view symbol) {
  if (accept(symbol)) return ok();
  return error("expected '" + std::string(symbol) + "'");
}

Status Parser::end_line() {
  if (peek().kind == Token::Kind::kNewline) {
    take();
    return ok();
  }
  if (accept(";")) return ok();
  if (peek().kind == Token::Kind::kEnd || peek().kind == Token::Kind::kDedent) return ok();
  return error("expected the end of the line");
}

Error Parser::error(std::string message) const {
  const Token& token = peek();
  std::string found;
  switch (token.kind) {
    case Token::Kind::kEnd:
      found = "the end of the file";
      break;
    case Token::Kind::kNewline:
      found = "the end of the line";
      break;
    case Token::Kind::kIndent:
      found = "a deeper indentation";
      break;
    case Token::Kind::kDedent:
      found = "a shallower indentation";
      break;
    default:
      found = "'" + std::string(token.text.substr(0, 40)) + "'";
      break;
  }
  return {ErrorCode::kCorrupt, std::move(message) + ", found " + found,
          "line " + std::to_string(line_of(source_, token.offset)), ""};
}

Error Parser::too_deep() const {
  return {ErrorCode::kLimit, "code is nested more than " + std::to_string(kMaxDepth) + " deep",
          "line " + std::to_string(line_of(source_, peek().offset)), ""};
}

Result<FileSyntax> Parser::file() {
  FileSyntax out;
  while (peek().kind != Token::Kind::kEnd) {
    if (peek().kind == Token::Kind::kNewline) {
      take();
    } else if (peek().word("def")) {
      LAN_TRY(FunctionSyntax parsed, function(false));
      out.functions.push_back(std::move(parsed));
    } else if (peek().word("class")) {
      LAN_TRY(ClassSyntax parsed, class_definition());
      out.classes.push_back(std::move(parsed));
    } else if (peek().word("op_version_set") && peek(1).is("=")) {
      take();
      take();
      LAN_TRY(const ExprPtr value, expression());
      if (value->kind == Expr::Kind::kInt) out.op_version = value->integer;
      LAN_OK(end_line());
    } else if (peek().word("import") || peek().word("from")) {
      while (!at_end()) take();
      LAN_OK(end_line());
    } else {
      return error("expected 'class' or 'def'");
    }
  }
  return out;
}

Result<std::vector<Stmt>> Parser::block() {
  LAN_OK(expect(":"));
  std::vector<Stmt> body;
  if (peek().kind != Token::Kind::kNewline) {  // `if x: pass` on one line
    LAN_TRY(Stmt one, simple_statement());
    body.push_back(std::move(one));
    return body;
  }
  take();
  if (peek().kind != Token::Kind::kIndent) return error("expected an indented block");
  take();
  if (++depth_ > kMaxDepth) return too_deep();
  while (peek().kind != Token::Kind::kDedent && peek().kind != Token::Kind::kEnd) {
    LAN_TRY(Stmt next, statement());
    body.push_back(std::move(next));
  }
  --depth_;
  if (peek().kind == Token::Kind::kDedent) take();
  return body;
}

bool Parser::keyword_statement(std::string_view word) const {
  // A variable may have a keyword's name where the model's attribute has it.
  return peek().word(word) && !assigns(peek(1)) && !peek(1).is(".");
}

Result<Stmt> Parser::if_statement() {
  Stmt out;
  out.kind = Stmt::Kind::kIf;
  out.offset = take().offset;
  LAN_TRY(out.value, expression());
  LAN_TRY(out.body, block());
  if (peek().word("elif")) {
    if (++depth_ > kMaxDepth) return too_deep();
    LAN_TRY(Stmt other, if_statement());
    --depth_;
    out.orelse.push_back(std::move(other));
  } else if (peek().word("else") && peek(1).is(":")) {
    take();
    LAN_TRY(out.orelse, block());
  }
  return out;
}

Result<Stmt> Parser::statement() {
  if (keyword_statement("if")) return if_statement();
  Stmt out;
  out.offset = peek().offset;
  if (keyword_statement("while")) {
    take();
    out.kind = Stmt::Kind::kWhile;
    LAN_TRY(out.value, expression());
    LAN_TRY(out.body, block());
    return out;
  }
  if (keyword_statement("for")) {
    take();
    out.kind = Stmt::Kind::kFor;
    // The target stops before `in`, which would else be taken for a comparison.
    ExprPtr target = make(Expr::Kind::kTuple, peek());
    bool several = false;
    do {
      if (peek().word("in") && !target->items.empty()) break;
      LAN_TRY(ExprPtr part, postfix());
      target->items.push_back(std::move(part));
      several |= peek().is(",");
    } while (accept(","));
    if (!several) {
      ExprPtr only = std::move(target->items[0]);
      target = std::move(only);
    }
    if (!accept_word("in")) return error("expected 'in'");
    out.targets.push_back(std::move(target));
    LAN_TRY(out.value, expression_list());
    LAN_TRY(out.body, block());
    return out;
  }
  if (keyword_statement("with")) {
    take();
    out.kind = Stmt::Kind::kWith;
    LAN_TRY(out.value, expression());
    if (accept_word("as")) {
      LAN_TRY(ExprPtr target, postfix());
      out.targets.push_back(std::move(target));
    }
    LAN_TRY(out.body, block());
    return out;
  }
  if (keyword_statement("def")) {
    out.kind = Stmt::Kind::kFunction;
    LAN_TRY(FunctionSyntax parsed, function(true));
    ExprPtr target = std::make_unique<Expr>();
    target->kind = Expr::Kind::kName;
    target->text = parsed.name;
    target->offset = parsed.offset;
    target->slot = slot_of(parsed.name);
    out.targets.push_back(std::move(target));
    out.function = std::make_unique<FunctionSyntax>(std::move(parsed));
    return out;
  }
  return simple_statement();
}

Result<Stmt> Parser::simple_statement() {
  Stmt out;
  out.offset = peek().offset;
  if (keyword_statement("return")) {
    take();
    out.kind = Stmt::Kind::kReturn;
    if (!at_end()) {
      LAN_TRY(out.value, expression_list());
    }
  } else if (keyword_statement("pass") || keyword_statement("break") ||
             keyword_statement("continue")) {
    const std::string_view word = take().text;
    out.kind = word == "pass"    ? Stmt::Kind::kPass
               : word == "break" ? Stmt::Kind::kBreak
                                 : Stmt::Kind::kContinue;
  } else if (keyword_statement("raise")) {
    take();
    out.kind = Stmt::Kind::kRaise;
    if (!at_end()) {
      LAN_TRY(out.value, expression());
    }
  } else if (keyword_statement("assert")) {
    take();
    out.kind = Stmt::Kind::kAssert;
    LAN_TRY(out.value, expression());
    if (accept(",")) {
      LAN_TRY(out.message, expression());
    }
  } else if (keyword_statement("del")) {
    take();
    out.kind = Stmt::Kind::kDelete;
    LAN_TRY(ExprPtr target, expression_list());
    out.targets.push_back(std::move(target));
  } else {
    LAN_TRY(ExprPtr first, expression_list());
    if (accept(":")) {
      LAN_TRY(const ExprPtr type, expression());
      out.type = std::make_unique<Type>(type_of(*type));
      out.kind = Stmt::Kind::kAssign;
      out.targets.push_back(std::move(first));
      if (accept("=")) {
        LAN_TRY(out.value, expression_list());
      }
    } else if (peek().is("=")) {
      out.kind = Stmt::Kind::kAssign;
      out.targets.push_back(std::move(first));
      while (accept("=")) {
        LAN_TRY(ExprPtr next, expression_list());
        if (peek().is("=")) {
          out.targets.push_back(std::move(next));
        } else {
          out.value = std::move(next);
        }
      }
    } else if (assigns(peek())) {
      out.kind = Stmt::Kind::kAugmented;
      out.text = take().text;
      out.text.remove_suffix(1);
      out.targets.push_back(std::move(first));
      LAN_TRY(out.value, expression_list());
    } else {
      out.kind = Stmt::Kind::kExpression;
      out.value = std::move(first);
    }
  }
  LAN_OK(end_line());
  return out;
}

Status Parser::parameters(FunctionSyntax& function) {
  LAN_OK(expect("("));
  bool keyword_only = false;
  while (!accept(")")) {
    if (accept("*")) {
      keyword_only = true;
    } else {
      const Token& name = take();
      if (name.kind != Token::Kind::kName) return error("expected the name of a parameter");
      Parameter parameter;
      parameter.name = name.text;
      parameter.slot = slot_of(name.text);
      parameter.keyword_only = keyword_only;
      parameter.type = {"Tensor", {}};
      if (accept(":")) {
        LAN_TRY(const ExprPtr type, expression());
        parameter.type = type_of(*type);
      }
      if (accept("=")) {
        LAN_TRY(parameter.fallback, expression());
      }
      function.parameters.push_back(std::move(parameter));
    }
    if (!accept(",") && !peek().is(")")) return error("expected ',' or ')'");
  }
  return ok();
}

Result<FunctionSyntax> Parser::function(bool nested) {
  take();
  FunctionSyntax out;
  const Token& name = take();
  if (name.kind != Token::Kind::kName) return error("expected the name of a function");
  out.name = name.text;
  out.offset = name.offset;
  if (!nested) {
    slots_.clear();
    names_.clear();
  }
  LAN_OK(parameters(out));
  out.result = {"Any", {}};
  if (accept("->")) {
    LAN_TRY(const ExprPtr type, expression());
    out.result = type_of(*type);
  }
  LAN_TRY(out.body, block());
  if (!nested) out.names = names_;
  return out;
}

Result<std::vector<std::string>> Parser::string_list() {
  std::vector<std::string> out;
  LAN_OK(expect("["));
  while (!accept("]")) {
    if (peek().kind != Token::Kind::kString) return error("expected a string");
    LAN_TRY(std::string text, string_value(take().text));
    out.push_back(std::move(text));
    if (!accept(",") && !peek().is("]")) return error("expected ',' or ']'");
  }
  return out;
}

Result<ClassSyntax> Parser::class_definition() {
  take();
  ClassSyntax out;
  const Token& name = take();
  if (name.kind != Token::Kind::kName) return error("expected the name of a class");
  out.name = name.text;
  out.offset = name.offset;
  if (accept("(")) {
    if (!peek().is(")")) {
      LAN_TRY(const ExprPtr base, expression());
      out.base = base->text;
    }
    LAN_OK(expect(")"));
  }
  LAN_OK(expect(":"));
  if (peek().kind != Token::Kind::kNewline) {
    while (!at_end()) take();
  }
  LAN_OK(end_line());
  if (peek().kind != Token::Kind::kIndent) return out;  // a class without a body
  take();
  while (peek().kind != Token::Kind::kDedent && peek().kind != Token::Kind::kEnd) {
    if (peek().word("def") && peek(1).kind == Token::Kind::kName) {
      LAN_TRY(FunctionSyntax method, function(false));
      out.methods.push_back(std::move(method));
    } else {
      slots_.clear();
      names_.clear();
      LAN_OK(class_item(out));
    }
  }
  if (peek().kind == Token::Kind::kDedent) take();
  return out;
}

Status Parser::class_item(ClassSyntax& out) {
  const Token& name = take();
  if (name.kind == Token::Kind::kNewline || name.kind == Token::Kind::kString)
    return ok();  // a doc string
  if (name.kind != Token::Kind::kName) return error("expected an attribute or a method");
  FieldSyntax field;
  field.name = std::string(name.text);
  field.type = {"Any", {}};
  if (peek().is("=")) {
    const std::pair<std::string_view, std::vector<std::string>*> kLists[] = {
        {"__parameters__", &out.parameters},
        {"__buffers__", &out.buffers},
        {"__forward_hooks__", &out.forward_hooks},
        {"__forward_pre_hooks__", &out.forward_pre_hooks}};
    for (const auto& [word, list] : kLists) {
      if (name.text == word) {
        take();
        LAN_TRY(*list, string_list());
        return end_line();
      }
    }
    take();
    LAN_TRY(field.value, expression_list());
    if (name.text == "__annotations__") return end_line();
  } else if (name.text == "__annotations__" && accept("[")) {
    if (peek().kind != Token::Kind::kString) return error("expected a string");
    LAN_TRY(field.name, string_value(take().text));
    LAN_OK(expect("]"));
    LAN_OK(expect("="));
    LAN_TRY(const ExprPtr type, expression());
    field.type = type_of(*type);
  } else if (accept(":")) {
    LAN_TRY(const ExprPtr type, expression());
    field.type = type_of(*type);
    if (accept("=")) {
      LAN_TRY(field.value, expression_list());
    }
  } else if (name.text != "pass") {
    return error("expected ':' or '='");
  }
  if (field.name != "pass" || field.value || field.type.name != "Any")
    out.fields.push_back(std::move(field));
  return end_line();
}

Result<FileSyntax> parse_file(std::string_view source) {
  LAN_TRY(std::vector<Token> tokens, cut_into_tokens(source));
  return Parser(source, std::move(tokens)).file();
}

Result<Type> parse_type(std::string_view source) {
  LAN_TRY(std::vector<Token> tokens, cut_into_tokens(source));
  Parser parser(source, std::move(tokens));
  LAN_TRY(const ExprPtr expr, parser.expression());
  if (!parser.at_end()) {
    return Error{ErrorCode::kCorrupt, "'" + std::string(source.substr(0, 80)) + "' is no type", "",
                 ""};
  }
  return type_of(*expr);
}

}  // namespace lanthorn::script
