#include "script/program.h"

#include <gtest/gtest.h>

#include "script/graph_lowering.h"
#include "script/program_testing.h"

namespace lanthorn::script {
namespace {

std::string module_with(std::string_view body, std::string_view parameters = "x: Tensor",
                        std::string_view result = "Tensor") {
  return "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self: "
         "__torch__.M,\n    " +
         std::string(parameters) + ") -> " + std::string(result) + ":\n" + std::string(body);
}

Tensor floats(Shape shape, std::vector<float> values) {
  return Tensor::of<float>(DType::kF32, std::move(shape), values);
}

std::vector<float> result_of(const Program& program, const std::vector<Tensor>& inputs) {
  const auto outputs = run_program(program, inputs);
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().text());
  if (!outputs.ok() || outputs->empty()) return {};
  const auto values = (*outputs)[0].as<float>();
  return {values.begin(), values.end()};
}

using Floats = std::vector<float>;

TEST(program, a_branch_on_a_rank_leaves_no_trace) {
  const Program program = program_of(
      module_with("    if torch.eq(torch.dim(x), 2):\n      y = torch.add(x, 1)\n    else:\n"
                  "      ops.prim.RaiseException(\"no\")\n      y = x\n    return y\n"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({1, 2}, {1, 2})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  EXPECT_EQ(evaluation->graph->nodes.size(), 1u);
  EXPECT_TRUE(evaluation->guards.empty());
  EXPECT_EQ(result_of(program, {floats({1, 2}, {1, 2})}), (Floats{2, 3}));
}

TEST(program, a_branch_on_a_size_makes_the_size_part_of_the_signature) {
  const Program program =
      program_of(module_with("    if torch.gt(torch.size(x, 1), 2):\n      y = torch.neg(x)\n    "
                             "else:\n      y = x\n    return y\n"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({1, 3}, {1, 2, 3})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  ASSERT_EQ(evaluation->guards.size(), 1u);
  EXPECT_EQ(evaluation->guards[0].axis, 1u);
  EXPECT_EQ(evaluation->guards[0].size, 3);
  EXPECT_FALSE(evaluation->graph->values[evaluation->graph->inputs[0]].type.dims[0].is_known());
}

TEST(program, a_reshape_by_sizes_of_the_input_holds_for_other_batches) {
  const Program program = program_of(
      module_with("    _0 = [torch.size(x, 0), -1]\n    return torch.mul(torch.view(x, _0), 2)\n"));
  const auto evaluation =
      evaluate(program, "forward", signature_of({floats({1, 2, 2}, {1, 2, 3, 4})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  const auto outputs = run_nodes(*evaluation->graph, {floats({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_TRUE(outputs.ok()) << outputs.error().text();
  EXPECT_EQ((*outputs)[0].shape(), (Shape{2, 4}));
}

TEST(program, a_view_that_does_not_fit_another_size_is_refused) {
  const Program program = program_of(
      module_with("    _0 = [torch.size(x, 0), 2, 2]\n    return torch.mul(torch.view(x, _0), 2)\n"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({1, 4}, {1, 2, 3, 4})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  const auto fits = run_nodes(*evaluation->graph, {floats({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_TRUE(fits.ok()) << fits.error().text();
  EXPECT_EQ((*fits)[0].shape(), (Shape{2, 2, 2}));
  EXPECT_FALSE(run_nodes(*evaluation->graph, {floats({1, 8}, {1, 2, 3, 4, 5, 6, 7, 8})}).ok());
}

TEST(program, writes_through_views_change_the_base) {
  const Program program = program_of(
      module_with("    y = torch.clone(x)\n"
                  "    _0 = torch.fill_(torch.select(y, 0, 1), 9)\n"
                  "    _1 = torch.add_(torch.slice(torch.transpose(y, 0, 1), 0, 0, 1), 100)\n"
                  "    return y\n"));
  EXPECT_EQ(result_of(program, {floats({2, 3}, {1, 2, 3, 4, 5, 6})}),
            (Floats{101, 2, 3, 109, 9, 9}));
}

TEST(program, a_view_made_before_a_write_sees_it) {
  const Program program =
      program_of(module_with("    y = torch.clone(x)\n    v = torch.view(y, [4])\n    _0 = "
                             "torch.mul_(y, 10)\n    return torch.add(v, 1)\n"));
  EXPECT_EQ(result_of(program, {floats({2, 2}, {1, 2, 3, 4})}), (Floats{11, 21, 31, 41}));
}

TEST(program, a_write_with_a_stride_changes_every_other_element) {
  const Program program =
      program_of(module_with("    y = torch.clone(x)\n    _0 = torch.zero_(torch.slice(y, 1, 0, "
                             "9223372036854775807, 2))\n    return y\n"));
  EXPECT_EQ(result_of(program, {floats({1, 5}, {1, 2, 3, 4, 5})}), (Floats{0, 2, 0, 4, 0}));
}

TEST(program, loops_over_lists_dicts_and_ranges_are_unrolled) {
  const Program program =
      program_of(module_with("    d = annotate(Dict[str, int], {})\n"
                             "    for i in range(3):\n"
                             "      torch._set_item(d, torch.format(\"k{}\", i), torch.add(i, 1))\n"
                             "    y = x\n"
                             "    for v in torch.values(d):\n"
                             "      y0 = torch.mul(y, v)\n      y = y0\n"
                             "    return y\n"));
  EXPECT_EQ(result_of(program, {floats({1}, {2})}), (Floats{12}));
}

TEST(program, a_while_loop_with_flags_runs) {
  const Program program = program_of(module_with(
      "    _0 = uninitialized(Tensor)\n    _1, _2, n = True, _0, 0\n"
      "    while _1:\n      n0 = torch.add(n, 2)\n      _1, _2, n = torch.lt(n0, 5), x, n0\n"
      "    return torch.add(_2, n)\n"));
  EXPECT_EQ(result_of(program, {floats({1}, {1})}), (Floats{7}));
}

TEST(program, weights_tie_and_keep_their_names) {
  const Value weight = loaded_floats("fc.weight", {2}, {3, 4});
  const Program program = program_of(
      "class M(Module):\n  __parameters__ = [\"w\", ]\n  __buffers__ = []\n  w : Tensor\n  v : "
      "Tensor\n"
      "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return "
      "torch.add(torch.mul(x, self.w), self.v)\n",
      {{"w", weight}, {"v", weight}});
  const auto evaluation = evaluate(program, "forward", signature_of({floats({2}, {1, 2})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  int named = 0;
  for (const GraphValue& value : evaluation->graph->values)
    named += value.name == "fc.weight" ? 1 : 0;
  EXPECT_EQ(named, 1);
  EXPECT_EQ(result_of(program, {floats({2}, {1, 2})}), (Floats{6, 12}));
}

TEST(program, an_evaluation_does_not_change_the_program) {
  const Program program = program_of(
      "class M(Module):\n  __parameters__ = []\n  __buffers__ = [\"b\", ]\n  b : Tensor\n  n : "
      "int\n"
      "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"
      "    _0 = torch.add_(self.b, 1)\n    self.n = torch.add(self.n, 1)\n    return "
      "torch.add(torch.mul(x, self.b), self.n)\n",
      {{"b", loaded_floats("b", {1}, {1})}, {"n", Value(Dim(0))}});
  EXPECT_EQ(result_of(program, {floats({1}, {10})}), (Floats{21}));
  EXPECT_EQ(result_of(program, {floats({1}, {10})}), (Floats{21}));
}

TEST(program, a_raise_on_the_way_is_the_models_own_refusal) {
  const Program program = program_of(
      module_with("    if torch.ne(torch.size(x, 0), 1):\n      ops.prim.RaiseException(\"batch "
                  "must be one\", \"builtins.ValueError\")\n"
                  "    else:\n      pass\n    return x\n"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({2}, {1, 2})}));
  ASSERT_FALSE(evaluation.ok());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(evaluation.error().message.find("batch must be one"), std::string::npos);
  EXPECT_NE(evaluation.error().where.find("code/__torch__.py:7"), std::string::npos)
      << evaluation.error().where;
}

TEST(program, every_unsupported_operator_is_listed_with_its_line) {
  const Program program =
      program_of(module_with("    a = ops.mylib.first(x)\n    b = torch.add(a, 1)\n    c = "
                             "ops.mylib.second(b, 2)\n    return torch.relu(c)\n"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({1}, {1})}));
  ASSERT_FALSE(evaluation.ok());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(evaluation.error().message.find("mylib::first (code/__torch__.py:6)"),
            std::string::npos);
  EXPECT_NE(evaluation.error().message.find("mylib::second (code/__torch__.py:8)"),
            std::string::npos);
}

TEST(program, tuples_dicts_and_numbers_come_out_in_order) {
  const Program program = program_of(module_with(
      "    d = {\"b\": x, \"a\": torch.neg(x)}\n    return (d, torch.size(x, 0), None, \"s\")\n",
      "x: Tensor", "Tuple[Dict[str, Tensor], int, Optional[Tensor], str]"));
  const auto evaluation = evaluate(program, "forward", signature_of({floats({3}, {1, 2, 3})}));
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().text();
  const OutputTree& tree = evaluation->outputs;
  ASSERT_EQ(tree.items.size(), 4u);
  EXPECT_EQ(tree.items[0].names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(tree.items[1].kind,
            OutputTree::Kind::kTensor);  // a symbolic size is computed by the graph
  EXPECT_EQ(tree.items[2].kind, OutputTree::Kind::kNone);
  EXPECT_EQ(*tree.items[3].value.text(), "s");
  EXPECT_EQ(evaluation->graph->outputs.size(), 3u);
}

TEST(program, a_list_parameter_takes_what_the_others_leave) {
  const Program program = program_of(module_with(
      "    y = z\n    for x in xs:\n      y0 = torch.add(y, x)\n      y = y0\n    return y\n",
      "xs: List[Tensor], z: Tensor"));
  const auto specs = program_inputs(program, "forward", 3);
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[1].name, "xs.1");
  EXPECT_EQ(specs[2].name, "z");
  EXPECT_EQ(result_of(program, {floats({1}, {1}), floats({1}, {20}), floats({1}, {300})}),
            (Floats{321}));
}

TEST(program, a_constant_without_dimensions_is_a_wrapped_number) {
  const double half = 0.5;
  const Value constant(GraphLowering::loaded(
      Tensor::of<double>(DType::kF64, {}, std::span<const double>(&half, 1)), ""));
  const Program program =
      program_of(module_with("    return torch.mul(x, CONSTANTS.c0)\n"), {}, {constant});
  const auto outputs = run_program(program, {Tensor::of_ints(std::vector<int64_t>{3})});
  ASSERT_TRUE(outputs.ok()) << outputs.error().text();
  EXPECT_EQ((*outputs)[0].dtype(), DType::kF32);
}

TEST(program, endless_loops_and_recursion_end_in_a_limit) {
  const EvaluationLimits limits{.max_steps = 10'000};
  const Program loop =
      program_of(module_with("    _0 = True\n    while _0:\n      _0 = True\n    return x\n"));
  const auto looped = evaluate(loop, "forward", signature_of({floats({1}, {1})}), limits);
  ASSERT_FALSE(looped.ok());
  EXPECT_EQ(looped.error().code, ErrorCode::kLimit);
  const Program deep = program_of(module_with("    return (self).forward(x, )\n"));
  const auto recursed = evaluate(deep, "forward", signature_of({floats({1}, {1})}), limits);
  ASSERT_FALSE(recursed.ok());
  EXPECT_EQ(recursed.error().code, ErrorCode::kLimit);
}

TEST(program, a_forked_function_runs_in_place) {
  const Program program = program_of(
      module_with("    def __forked_function() -> Tensor:\n      return torch.add(x, 5)\n"
                  "    _0 = fork(__forked_function)\n    return torch.wait(_0)\n"));
  EXPECT_EQ(result_of(program, {floats({1}, {1})}), (Floats{6}));
}

TEST(program, integer_division_of_old_archives_truncates) {
  Program program = program_of(module_with("    return torch.div(x, 2)\n"));
  const Tensor five = Tensor::of_ints(std::vector<int64_t>{5});
  program.version = 3;
  EXPECT_EQ((*run_program(program, {five}))[0].dtype(), DType::kI64);
  program.version = 4;
  EXPECT_EQ((*run_program(program, {five}))[0].dtype(), DType::kF32);
}

}  // namespace
}  // namespace lanthorn::script
