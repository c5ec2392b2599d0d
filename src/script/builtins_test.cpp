#include <gtest/gtest.h>

#include "script/program.h"
#include "script/program_testing.h"

namespace lanthorn::script {
namespace {

/// What `forward` of these statements returns, where it is known without running a graph.
OutputTree value_of(const std::string& statements) {
  std::string body;
  size_t at = 0;
  while (at < statements.size()) {
    const size_t end = statements.find('\n', at);
    body += "    " + statements.substr(at, end - at) + "\n";
    at = end == std::string::npos ? statements.size() : end + 1;
  }
  const Program program = program_of(
      "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n"
      "  def forward(self: __torch__.M,\n    x: Tensor) -> Any:\n" +
      body);
  const std::vector<float> one{1};
  const auto evaluation = evaluate(program, "forward", signature_of({Tensor::of_floats(one)}));
  EXPECT_TRUE(evaluation.ok()) << evaluation.error().text();
  return evaluation.ok() ? evaluation->outputs : OutputTree{};
}

std::string text_of(const OutputTree& tree) {
  using Kind = OutputTree::Kind;
  switch (tree.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return *tree.value.flag() ? "True" : "False";
    case Kind::kInt:
      return std::to_string(*tree.value.integer());
    case Kind::kFloat:
      return std::to_string(*tree.value.real());
    case Kind::kString:
      return *tree.value.text();
    case Kind::kTensor:
      return "Tensor";
    default:
      break;
  }
  std::string text;
  for (const OutputTree& item : tree.items) text += (text.empty() ? "" : ", ") + text_of(item);
  return "(" + text + ")";
}

std::string result(const std::string& expression) {
  return text_of(value_of("return " + expression));
}

TEST(builtins, integers_divide_as_python_does) {
  EXPECT_EQ(result("(torch.floordiv(-7, 2), torch.remainder(-7, 2), torch.div(7, 2))"),
            "(-4, 1, 3.500000)");
}

TEST(builtins, powers_and_rounds_of_integers_are_floats) {
  EXPECT_EQ(result("(torch.pow(2, 3), torch.round(2.5), torch.floor(2.7))"),
            "(8.000000, 2.000000, 2)");
}

TEST(builtins, dividing_by_zero_is_refused) {
  const Program program = program_of(
      "class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> int:\n"
      "    return torch.floordiv(1, 0)\n");
  const auto evaluation =
      evaluate(program, "forward", signature_of({Tensor::of_floats(std::vector<float>{1})}));
  ASSERT_FALSE(evaluation.ok());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kInvalidInput);
}

TEST(builtins, lists_are_shared_and_change_in_place) {
  EXPECT_EQ(text_of(value_of("a = annotate(List[int], [3, 1])\nb = a\n_0 = torch.append(b, 2)\n"
                             "torch.sort(a)\nreturn (b, torch.len(a), torch.pop(a))")),
            "((1, 2), 3, 3)");
}

TEST(builtins, slices_of_lists_clamp_and_count_from_the_end) {
  EXPECT_EQ(result("(torch.slice([1, 2, 3, 4], 1, 9223372036854775807), "
                   "torch.slice([1, 2, 3, 4], None, None, -1), [1, 2, 3][-1])"),
            "((2, 3, 4), (4, 3, 2, 1), 3)");
}

TEST(builtins, an_item_outside_of_a_list_is_refused) {
  const Program program = program_of(
      "class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> int:\n"
      "    return ([1, 2])[2]\n");
  const auto evaluation =
      evaluate(program, "forward", signature_of({Tensor::of_floats(std::vector<float>{1})}));
  ASSERT_FALSE(evaluation.ok());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kInvalidInput);
}

TEST(builtins, dicts_keep_the_order_of_insertion) {
  EXPECT_EQ(
      text_of(value_of("d = {\"b\": 1, \"a\": 2}\ntorch._set_item(d, \"b\", 3)\n"
                       "return (torch.keys(d), torch.values(d), torch.__contains__(d, \"c\"), "
                       "torch.get(d, \"c\", 9))")),
      "((b, a), (3, 2), False, 9)");
}

TEST(builtins, strings_format_split_and_join) {
  EXPECT_EQ(result("(torch.format(\"{} of {:.2f} {}\", 1, 0.5), torch.split(\" a  b \"), "
                   "torch.join(\"-\", [\"x\", \"y\"]), torch.find(\"abc\", \"c\"))"),
            "(1 of {:.2f} 0.5, (a, b), x-y, 2)");
}

TEST(builtins, a_function_with_defaults_takes_keywords) {
  const Program program = program_of(
      "def scaled(x: Tensor,\n    by: float=2.,\n    name: Optional[str]=None) -> Tensor:\n"
      "  if torch.__is__(name, None):\n    y = torch.mul(x, by)\n  else:\n    y = x\n  return y\n"
      "class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
      "    _0 = __torch__.scaled\n    return _0(x, by=3, )\n");
  const auto outputs = run_program(program, {Tensor::of_floats(std::vector<float>{2})});
  ASSERT_TRUE(outputs.ok()) << outputs.error().text();
  EXPECT_EQ((*outputs)[0].as<float>()[0], 6.0f);
}

TEST(builtins, named_tuples_and_enums_have_their_fields) {
  const Program program = program_of(
      "class P(NamedTuple):\n  a : int\n  b : int\n"
      "class Color(Enum):\n  RED = 1\n  GREEN = 2\n"
      "class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> Any:\n"
      "    p = __torch__.P(5, 6)\n    c = __torch__.Color.GREEN\n"
      "    return (p.b, (c).value, (c).name, torch.eq(c, __torch__.Color.RED))\n");
  const auto evaluation =
      evaluate(program, "forward", signature_of({Tensor::of_floats(std::vector<float>{1})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  EXPECT_EQ(text_of(evaluation->outputs), "(6, 2, GREEN, False)");
}

TEST(builtins, a_class_of_the_archive_is_made_and_called) {
  const Program program = program_of(
      "class Counter:\n  n : int\n  def __init__(self: __torch__.Counter, n: int) -> NoneType:\n"
      "    self.n = n\n    return None\n"
      "  def up(self: __torch__.Counter) -> int:\n    self.n = torch.add(self.n, 1)\n    return "
      "self.n\n"
      "class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> Any:\n"
      "    c = __torch__.Counter.__new__(__torch__.Counter)\n    _0 = (c).__init__(4, )\n"
      "    _1 = (c).up()\n    return ((c).up(), isinstance(c, __torch__.Counter))\n");
  const auto evaluation =
      evaluate(program, "forward", signature_of({Tensor::of_floats(std::vector<float>{1})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  EXPECT_EQ(text_of(evaluation->outputs), "(6, True)");
}

}  // namespace
}  // namespace lanthorn::script
