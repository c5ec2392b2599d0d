#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lanthorn/result.h"
#include "script/lexer.h"
#include "script/syntax.h"

namespace lanthorn::script {

/// A recursive-descent parser over the tokens of one file. Expressions are in
/// parser_expression.cpp, statements, functions and classes in parser.cpp.
class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens)
      : source_(source), tokens_(std::move(tokens)) {}

  Result<FileSyntax> file();
  Result<ExprPtr> expression();       // one expression, no commas
  Result<ExprPtr> expression_list();  // `a, b`: a tuple without parentheses
  bool at_end() const {
    return peek().kind == Token::Kind::kEnd || peek().kind == Token::Kind::kNewline;
  }

 private:
  /// Nesting of expressions and blocks that the parser, and whoever walks the tree, must bear.
  static constexpr int kMaxDepth = 200;
  /// Postfixes in a row (`a.b.c(d).e`): they nest to the left.
  static constexpr int kMaxPostfixes = 1000;

  const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view symbol);
  bool accept_word(std::string_view word);
  Status expect(std::string_view symbol);
  Status end_line();
  Error error(std::string message) const;
  Error too_deep() const;
  ExprPtr make(Expr::Kind kind, const Token& token);
  uint32_t slot_of(std::string_view name);

  Result<ExprPtr> conditional();
  Result<ExprPtr> binary(int level);
  /// The operators after `left`, from level `tightest` down to `loosest`.
  Result<ExprPtr> operators(ExprPtr left, int tightest, int loosest);
  Result<ExprPtr> unary();
  Result<ExprPtr> postfix();
  Result<ExprPtr> primary();
  Result<ExprPtr> number(const Token& token);
  Result<ExprPtr> subscript_index();
  Status arguments(Expr& call);
  Status items_until(std::string_view close, Expr& list);

  bool keyword_statement(std::string_view word) const;
  Result<Stmt> statement();
  Result<Stmt> simple_statement();
  Result<Stmt> if_statement();
  Result<std::vector<Stmt>> block();
  Result<FunctionSyntax> function(bool nested);
  Status parameters(FunctionSyntax& function);
  Result<ClassSyntax> class_definition();
  Status class_item(ClassSyntax& out);
  Result<std::vector<std::string>> string_list();

  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::unordered_map<std::string_view, uint32_t> slots_;
  std::vector<std::string_view> names_;
};

}  // namespace lanthorn::script
