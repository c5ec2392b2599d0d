#include "script/interpret.h"

#include <gtest/gtest.h>

#include "script/program_testing.h"

namespace lanthorn::script {
namespace {

std::string module_with(std::string_view body, std::string_view fields = "") {
  return "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n" + std::string(fields) +
         "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n" + std::string(body);
}

Tensor floats(Shape shape, std::vector<float> values) { return Tensor::of<float>(DType::kF32, std::move(shape), values); }

struct Runner {
  int pieces = 0;
  std::vector<std::string> keys;

  Result<Interpretation> run(const Program& program, const Tensor& x, const std::vector<NamedValue>* state = nullptr) {
    const std::vector<lanthorn::Value> tensors = {x};
    return interpret(program, "forward", signature_of({x}), tensors,
                     [&](const Piece& piece) -> Result<std::vector<lanthorn::Value>> {
                       ++pieces;
                       keys.push_back(piece.key);
                       std::vector<Tensor> inputs;
                       for (const auto& input : piece.inputs) inputs.push_back(*input.tensor());
                       LAN_TRY(const std::vector<Tensor> made, run_nodes(*piece.graph, inputs));
                       return std::vector<lanthorn::Value>(made.begin(), made.end());
                     },
                     {}, state);
  }
};

std::vector<float> result_of(const Result<Interpretation>& made) {
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().text());
  if (!made.ok() || made->tensors.empty()) return {};
  const auto values = made->tensors[0].tensor()->as<float>();
  return {values.begin(), values.end()};
}

using Floats = std::vector<float>;

const char* const kBranch =
    "    if bool(torch.gt(torch.sum(x), 0)):\n      y = torch.mul(x, 2)\n    else:\n      y = torch.sub(x, 1)\n    return y\n";

TEST(interpret, a_branch_goes_the_way_that_the_data_says) {
  const Program program = program_of(module_with(kBranch));
  bool needs_data = false;
  EXPECT_FALSE(evaluate(program, "forward", signature_of({floats({2}, {1, 2})}), {}, &needs_data).ok());
  EXPECT_TRUE(needs_data);
  Runner runner;
  EXPECT_EQ(result_of(runner.run(program, floats({2}, {1, 2}))), (Floats{2, 4}));
  EXPECT_EQ(result_of(runner.run(program, floats({2}, {-1, -2}))), (Floats{-2, -3}));
}

TEST(interpret, equal_answers_give_pieces_of_equal_keys) {
  const Program program = program_of(module_with(kBranch));
  Runner first, same, other;
  result_of(first.run(program, floats({2}, {1, 2})));
  result_of(same.run(program, floats({2}, {3, 4})));
  result_of(other.run(program, floats({2}, {-3, -4})));
  EXPECT_EQ(first.pieces, 2);
  EXPECT_EQ(first.keys, same.keys);
  EXPECT_EQ(first.keys[0], other.keys[0]);
  EXPECT_NE(first.keys[1], other.keys[1]);
}

TEST(interpret, what_is_missing_besides_the_data_is_told_at_once) {
  const Program program = program_of(module_with(
      "    if bool(torch.gt(torch.sum(x), 0)):\n      y = torch.no_such_thing(x)\n    else:\n      y = torch.nor_this(x)\n    return y\n"));
  bool needs_data = true;
  const auto evaluation = evaluate(program, "forward", signature_of({floats({2}, {1, 2})}), {}, &needs_data);
  ASSERT_FALSE(evaluation.ok());
  EXPECT_FALSE(needs_data);
  EXPECT_NE(evaluation.error().message.find("aten::no_such_thing"), std::string::npos);
  EXPECT_NE(evaluation.error().message.find("aten::nor_this"), std::string::npos);
}

TEST(interpret, an_attribute_lives_from_call_to_call_in_a_state) {
  const Program program = program_of(
      module_with("    h = self.h\n    h0 = torch.add(torch.mul(h, 2), x)\n    self.h = h0\n    _0 = torch.add_(self.seen, 1)\n"
                  "    return torch.add(h0, self.seen)\n",
                  "  h : Tensor\n  seen : Tensor\n"),
      {{"h", loaded_floats("h", {2}, {1, 1})}, {"seen", loaded_floats("seen", {}, {0})}});
  Runner runner;
  EXPECT_EQ(result_of(runner.run(program, floats({2}, {1, 0}))), (Floats{4, 3}));
  EXPECT_EQ(result_of(runner.run(program, floats({2}, {1, 0}))), (Floats{4, 3}));  // no state: from the file
  std::vector<NamedValue> state;
  auto first = runner.run(program, floats({2}, {1, 0}), &state);
  EXPECT_EQ(result_of(first), (Floats{4, 3}));
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->attributes.size(), 2u);
  state = first->attributes;
  auto second = runner.run(program, floats({2}, {1, 0}), &state);
  EXPECT_EQ(result_of(second), (Floats{9, 6}));  // 2 * [3, 2] + [1, 0], and seen is 2
}

}  // namespace
}  // namespace lanthorn::script
