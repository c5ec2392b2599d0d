#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "script/parser_state.h"

namespace lanthorn::script {
namespace {

// Binary operators from the loosest to the tightest; `**` and unary ones are apart.
constexpr std::array<std::string_view, 9> kComparisons = {"==", "!=", "<=", ">=", "<",
                                                          ">",  "in", "is", "not"};
constexpr int kComparisonLevel = 3;
constexpr int kTightest = 9;

bool operator_at(int level, const Token& token, const Token& next) {
  const auto symbol = [&](std::initializer_list<std::string_view> any) {
    return token.kind == Token::Kind::kSymbol &&
           std::find(any.begin(), any.end(), token.text) != any.end();
  };
  switch (level) {
    case 0:
      return token.word("or");
    case 1:
      return token.word("and");
    case kComparisonLevel:
      if (token.kind == Token::Kind::kName) {
        return token.text == "in" || token.text == "is" || (token.text == "not" && next.word("in"));
      }
      return token.kind == Token::Kind::kSymbol &&
             std::find(kComparisons.begin(), kComparisons.end(), token.text) != kComparisons.end();
    case 4:
      return symbol({"|"});
    case 5:
      return symbol({"^"});
    case 6:
      return symbol({"&"});
    case 7:
      return symbol({"<<", ">>"});
    case 8:
      return symbol({"+", "-"});
    case 9:
      return symbol({"*", "/", "//", "%", "@"});
    default:
      return false;
  }
}

}  // namespace

ExprPtr Parser::make(Expr::Kind kind, const Token& token) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->offset = token.offset;
  expr->text = token.text;
  return expr;
}

uint32_t Parser::slot_of(std::string_view name) {
  const auto [it, fresh] = slots_.try_emplace(name, static_cast<uint32_t>(names_.size()));
  if (fresh) names_.push_back(name);
  return it->second;
}

Result<ExprPtr> Parser::expression_list() {
  const Token& first = peek();
  LAN_TRY(ExprPtr expr, expression());
  if (!peek().is(",")) return expr;
  ExprPtr tuple = make(Expr::Kind::kTuple, first);
  tuple->items.push_back(std::move(expr));
  while (accept(",")) {
    if (at_end() || peek().is("=") || peek().is(")") || peek().is("]")) break;
    LAN_TRY(ExprPtr item, expression());
    tuple->items.push_back(std::move(item));
  }
  return tuple;
}

Result<ExprPtr> Parser::expression() {
  if (++depth_ > kMaxDepth) return too_deep();
  auto result = conditional();
  --depth_;
  return result;
}

Result<ExprPtr> Parser::conditional() {
  LAN_TRY(ExprPtr value, binary(0));
  if (!peek().word("if")) return value;
  ExprPtr out = make(Expr::Kind::kConditional, take());
  LAN_TRY(ExprPtr condition, binary(0));
  if (!accept_word("else")) return error("expected 'else'");
  LAN_TRY(ExprPtr other, expression());
  out->items.push_back(std::move(condition));
  out->items.push_back(std::move(value));
  out->items.push_back(std::move(other));
  return out;
}

// One call for all levels at once: a call for each would cost a dozen stack frames for every pair
// of parentheses.
Result<ExprPtr> Parser::binary(int level) {
  constexpr int kNot = 2;  // `not x` binds looser than comparisons
  const Token& next = peek(1);
  const bool name =
      next.kind == Token::Kind::kSymbol && !next.is("(") && !next.is("[") && !next.is("-");
  if (level > kNot || !peek().word("not") || name) {
    LAN_TRY(ExprPtr left, unary());
    return operators(std::move(left), kTightest, level);
  }
  ExprPtr out = make(Expr::Kind::kUnary, take());
  if (++depth_ > kMaxDepth) return too_deep();
  LAN_TRY(ExprPtr inner, binary(kNot));
  --depth_;
  out->items.push_back(std::move(inner));
  return operators(std::move(out), kNot - 1, level);
}

Result<ExprPtr> Parser::operators(ExprPtr left, int tightest, int loosest) {
  for (int level = tightest; level >= loosest; --level) {
    for (int repeats = 0; operator_at(level, peek(), peek(1)); ++repeats) {
      if (repeats == kMaxPostfixes) return too_deep();
      const Token& token = take();
      ExprPtr out = make(level == 0   ? Expr::Kind::kOr
                         : level == 1 ? Expr::Kind::kAnd
                                      : Expr::Kind::kBinary,
                         token);
      if (token.word("not")) {
        take();
        out->text = "not in";
      } else if (token.word("is") && accept_word("not")) {
        out->text = "is not";
      }
      LAN_TRY(ExprPtr right, binary(level + 1));
      out->items.push_back(std::move(left));
      out->items.push_back(std::move(right));
      left = std::move(out);
    }
  }
  return left;
}

Result<ExprPtr> Parser::unary() {
  if (peek().is("-") || peek().is("+") || peek().is("~")) {
    ExprPtr out = make(Expr::Kind::kUnary, take());
    if (++depth_ > kMaxDepth) return too_deep();
    LAN_TRY(ExprPtr inner, unary());
    --depth_;
    if (out->text == "-" && inner->kind == Expr::Kind::kInt) {
      inner->integer = static_cast<int64_t>(-static_cast<uint64_t>(inner->integer));
      inner->offset = out->offset;
      return inner;
    }
    if (out->text == "-" && inner->kind == Expr::Kind::kFloat) {
      inner->real = -inner->real;
      return inner;
    }
    out->items.push_back(std::move(inner));
    return out;
  }
  LAN_TRY(ExprPtr base, postfix());
  if (!peek().is("**")) return base;
  ExprPtr out = make(Expr::Kind::kBinary, take());
  if (++depth_ > kMaxDepth) return too_deep();
  LAN_TRY(ExprPtr exponent, unary());
  --depth_;
  out->items.push_back(std::move(base));
  out->items.push_back(std::move(exponent));
  return out;
}

Result<ExprPtr> Parser::postfix() {
  const Token& first = peek();
  LAN_TRY(ExprPtr expr, primary());
  bool dotted = expr->kind == Expr::Kind::kName && first.kind == Token::Kind::kName;
  for (int repeats = 0;; ++repeats) {
    if (repeats > kMaxPostfixes) return too_deep();
    if (peek().is(".")) {
      take();
      const Token& name = take();
      if (name.kind != Token::Kind::kName) return error("expected a name after '.'");
      ExprPtr out = make(Expr::Kind::kAttribute, name);
      if (dotted)
        out->path = source_.substr(first.offset, name.offset + name.text.size() - first.offset);
      out->items.push_back(std::move(expr));
      expr = std::move(out);
    } else if (peek().is("(")) {
      ExprPtr call = make(Expr::Kind::kCall, take());
      call->offset = first.offset;
      call->items.push_back(std::move(expr));
      LAN_OK(arguments(*call));
      expr = std::move(call);
      dotted = false;
    } else if (peek().is("[")) {
      ExprPtr out = make(Expr::Kind::kSubscript, take());
      out->items.push_back(std::move(expr));
      LAN_TRY(ExprPtr index, subscript_index());
      LAN_OK(expect("]"));
      out->items.push_back(std::move(index));
      expr = std::move(out);
      dotted = false;
    } else {
      return expr;
    }
  }
}

Status Parser::arguments(Expr& call) {
  while (!accept(")")) {
    if (peek().kind == Token::Kind::kName && peek(1).is("=")) {
      ExprPtr keyword = make(Expr::Kind::kKeyword, take());
      take();
      LAN_TRY(ExprPtr value, expression());
      keyword->items.push_back(std::move(value));
      call.items.push_back(std::move(keyword));
    } else {
      LAN_TRY(ExprPtr value, expression());
      call.items.push_back(std::move(value));
    }
    if (!accept(",") && !peek().is(")")) return error("expected ',' or ')'");
  }
  return ok();
}

Result<ExprPtr> Parser::subscript_index() {
  const auto one = [&]() -> Result<ExprPtr> {
    const Token& first = peek();
    ExprPtr start;
    if (!first.is(":")) {
      LAN_TRY(start, expression());
      if (!peek().is(":")) return start;
    }
    ExprPtr slice = make(Expr::Kind::kSlice, first);
    slice->items.push_back(std::move(start));
    while (slice->items.size() < 3 && accept(":")) {
      ExprPtr part;
      if (!peek().is(":") && !peek().is("]") && !peek().is(",")) {
        LAN_TRY(part, expression());
      }
      slice->items.push_back(std::move(part));
    }
    slice->items.resize(3);
    return slice;
  };
  const Token& first = peek();
  LAN_TRY(ExprPtr index, one());
  if (!peek().is(",")) return index;
  ExprPtr tuple = make(Expr::Kind::kTuple, first);
  tuple->items.push_back(std::move(index));
  while (accept(",") && !peek().is("]")) {
    LAN_TRY(ExprPtr next, one());
    tuple->items.push_back(std::move(next));
  }
  return tuple;
}

Status Parser::items_until(std::string_view close, Expr& list) {
  while (!accept(close)) {
    LAN_TRY(ExprPtr item, expression());
    list.items.push_back(std::move(item));
    if (list.kind == Expr::Kind::kDict) {
      LAN_OK(expect(":"));
      LAN_TRY(ExprPtr value, expression());
      list.items.push_back(std::move(value));
    }
    if (!accept(",") && !peek().is(close))
      return error("expected ',' or '" + std::string(close) + "'");
  }
  return ok();
}

Result<ExprPtr> Parser::number(const Token& token) {
  std::string_view text = token.text;
  if (token.kind == Token::Kind::kInt) {
    ExprPtr out = make(Expr::Kind::kInt, token);
    const bool hex = text.size() > 2 && (text[1] | 0x20) == 'x';
    const std::string_view digits = hex ? text.substr(2) : text;
    uint64_t value = 0;
    const auto parsed =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    // 9223372036854775808 is right after a minus sign only; it wraps to the same number.
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() ||
        value > uint64_t{1} << 63) {
      return error("the integer " + std::string(text.substr(0, 40)) + " does not fit 64 bits");
    }
    out->integer = static_cast<int64_t>(value);
    return out;
  }
  const bool imaginary = token.kind == Token::Kind::kImaginary;
  ExprPtr out = make(imaginary ? Expr::Kind::kImaginary : Expr::Kind::kFloat, token);
  if (imaginary) text.remove_suffix(1);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    const bool tiny =
        text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  out->real = value;
  return out;
}

Result<ExprPtr> Parser::primary() {
  const Token& token = take();
  switch (token.kind) {
    case Token::Kind::kInt:
    case Token::Kind::kFloat:
    case Token::Kind::kImaginary:
      return number(token);
    case Token::Kind::kString: {
      ExprPtr out = make(Expr::Kind::kString, token);
      for (int count = 0; peek().kind == Token::Kind::kString;
           ++count) {  // neighbours are one string
        if (count > kMaxPostfixes) return too_deep();
        ExprPtr sum = make(Expr::Kind::kBinary, token);
        sum->text = "+";
        sum->items.push_back(std::move(out));
        sum->items.push_back(make(Expr::Kind::kString, take()));
        out = std::move(sum);
      }
      return out;
    }
    case Token::Kind::kName: {
      if (token.text == "True") return make(Expr::Kind::kTrue, token);
      if (token.text == "False") return make(Expr::Kind::kFalse, token);
      if (token.text == "None") return make(Expr::Kind::kNone, token);
      ExprPtr out = make(Expr::Kind::kName, token);
      out->slot = slot_of(token.text);
      return out;
    }
    case Token::Kind::kSymbol: {
      if (token.text == "...") return make(Expr::Kind::kEllipsis, token);
      if (token.text == "[") {
        ExprPtr out = make(Expr::Kind::kList, token);
        LAN_OK(items_until("]", *out));
        return out;
      }
      if (token.text == "{") {
        ExprPtr out = make(Expr::Kind::kDict, token);
        LAN_OK(items_until("}", *out));
        return out;
      }
      if (token.text == "(") {
        if (accept(")")) return make(Expr::Kind::kTuple, token);
        LAN_TRY(ExprPtr inner, expression());
        if (accept(")")) return inner;
        ExprPtr out = make(Expr::Kind::kTuple, token);
        out->items.push_back(std::move(inner));
        LAN_OK(expect(","));
        LAN_OK(items_until(")", *out));
        return out;
      }
      break;
    }
    default:
      break;
  }
  --at_;
  return error("expected an expression");
}

}  // namespace lanthorn::script
