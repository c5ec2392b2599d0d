#include "script/parser.h"

#include <gtest/gtest.h>

#include "script/lexer.h"

namespace lanthorn::script {
namespace {

TEST(parser, a_class_as_pytorch_prints_it_is_read_whole) {
  const std::string source =
      "class Net(Module):\n"
      "  __parameters__ = [\"weight\", ]\n"
      "  __buffers__ = []\n"
      "  weight : Tensor\n"
      "  k : Final[int] = 3\n"
      "  __annotations__[\"0\"] = __torch__.torch.nn.modules.linear.Linear\n"
      "  def forward(self: __torch__.Net,\n"
      "    x: Tensor,\n"
      "    scale: float=0.5) -> Tensor:\n"
      "    a, b, = torch.size(x)\n"
      "    if torch.gt(a, 2):\n"
      "      y = (getattr(self, \"0\")).forward(x, )\n"
      "    else:\n"
      "      pass\n"
      "    return torch.mul(x, -1.5e-3)\n";
  const auto file = parse_file(source);
  ASSERT_TRUE(file.ok()) << file.error().text();
  ASSERT_EQ(file->classes.size(), 1u);
  const ClassSyntax& net = file->classes[0];
  EXPECT_EQ(net.base, "Module");
  EXPECT_EQ(net.parameters, std::vector<std::string>{"weight"});
  ASSERT_EQ(net.fields.size(), 3u);
  EXPECT_EQ(net.fields[1].value->integer, 3);
  EXPECT_EQ(net.fields[2].name, "0");
  EXPECT_EQ(net.fields[2].type.name, "__torch__.torch.nn.modules.linear.Linear");
  ASSERT_EQ(net.methods.size(), 1u);
  const FunctionSyntax& forward = net.methods[0];
  ASSERT_EQ(forward.parameters.size(), 3u);
  EXPECT_EQ(forward.parameters[2].fallback->real, 0.5);
  ASSERT_EQ(forward.body.size(), 3u);
  EXPECT_EQ(forward.body[0].targets[0]->items.size(), 2u);
  EXPECT_EQ(forward.body[1].kind, Stmt::Kind::kIf);
  EXPECT_EQ(forward.body[2].value->items[2]->real, -1.5e-3);
}

TEST(parser, keywords_are_names_of_attributes) {
  const auto file = parse_file(
      "class M(Module):\n"
      "  in : Tensor\n"
      "  def forward(self, x: Tensor) -> Tensor:\n"
      "    in = self.in\n"
      "    return (self.if).forward(in, )\n");
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_EQ(file->classes[0].fields[0].name, "in");
  EXPECT_EQ(file->classes[0].methods[0].body[0].targets[0]->text, "in");
}

TEST(parser, the_smallest_integer_is_read) {
  const auto file = parse_file("def f() -> int:\n  return -9223372036854775808\n");
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_EQ(file->functions[0].body[0].value->integer, INT64_MIN);
}

TEST(parser, types_nest) {
  const auto type = parse_type("Dict[str, List[Optional[Tensor]]]");
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(type_text(*type), "Dict[str, List[Optional[Tensor]]]");
  EXPECT_EQ(type_text(*parse_type("Tuple[()]")), "Tuple[()]");
}

TEST(parser, comparisons_bind_looser_than_sums_and_tighter_than_not) {
  const auto file = parse_file("def f(a: int) -> bool:\n  return not a + 1 < 2 * 3\n");
  ASSERT_TRUE(file.ok());
  const Expr& value = *file->functions[0].body[0].value;
  EXPECT_EQ(value.kind, Expr::Kind::kUnary);
  EXPECT_EQ(value.items[0]->text, "<");
  EXPECT_EQ(value.items[0]->items[0]->text, "+");
}

TEST(parser, an_error_names_the_line_and_what_stood_there) {
  const auto file = parse_file("def f(a: int) -> int:\n  b = a\n  return torch.add(a, )) \n");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(file.error().where, "line 3");
  EXPECT_EQ(file.error().message, "expected the end of the line, found ')'");
}

TEST(parser, endless_nesting_is_refused) {
  const std::string source = "def f() -> int:\n  return " + std::string(100'000, '(') + "1" +
                             std::string(100'000, ')') + "\n";
  const auto file = parse_file(source);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kLimit);
}

TEST(parser, a_long_chain_of_calls_is_refused_before_the_stack_is_spent) {
  std::string source = "def f(x: Tensor) -> int:\n  return x";
  for (int i = 0; i < 100'000; ++i) source += ".a()";
  const auto file = parse_file(source + "\n");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kLimit);
}

TEST(lexer, strings_are_decoded_with_octal_escapes) {
  EXPECT_EQ(*string_value("\"a\\n\\015\\\"\""), "a\n\r\"");
  EXPECT_EQ(*string_value("'\\001x'"), std::string("\001x"));
  EXPECT_FALSE(string_value("\"\\777\"").ok());
}

TEST(lexer, a_string_without_end_is_refused) {
  const auto tokens = cut_into_tokens("a = \"never ends\n");
  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.error().message, "a string does not end");
}

TEST(lexer, a_line_indented_as_none_before_it_is_refused) {
  EXPECT_FALSE(cut_into_tokens("if a:\n    b\n  c\n").ok());
}

}  // namespace
}  // namespace lanthorn::script
