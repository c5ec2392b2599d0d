#include "runtime/executable.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "base/cpu.h"
#include "base/thread_pool.h"

namespace lanthorn {
namespace {

ValueType f32(Dims dims) { return ValueType::tensor(DType::kF32, std::move(dims)); }

Tensor random_tensor(Shape shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
  for (float& value : tensor.mutable_as<float>()) value = uniform(random);
  return tensor;
}

/// relu(x w1 + b1) w2 + x, with x [batch, 8].
std::shared_ptr<Graph> small_network() {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->add_value("x", f32({Dim::symbol("batch"), 8}));
  graph->inputs = {x};
  const ValueId w1 = graph->add_constant(random_tensor({8, 16}, 1)), b1 = graph->add_constant(random_tensor({16}, 2));
  const ValueId w2 = graph->add_constant(random_tensor({16, 8}, 3));
  const auto out = [&](size_t node) { return graph->nodes[node].outputs[0]; };
  const ValueId product = out(graph->add_node("MatMul", {x, w1}, {}));
  const ValueId biased = out(graph->add_node("Add", {product, b1}, {}));
  const ValueId active = out(graph->add_node("Relu", {biased}, {}));
  const ValueId second = out(graph->add_node("MatMul", {active, w2}, {}));
  graph->outputs = {out(graph->add_node("Add", {second, x}, {}))};
  graph->values[graph->outputs[0]].name = "y";
  return graph;
}

std::shared_ptr<const Executable> executable_of(std::shared_ptr<const Graph> graph, ExecutableOptions options = {}) {
  options.isa = detect_isa();
  auto executable = Executable::create(std::move(graph), options);
  EXPECT_TRUE(executable.ok()) << (executable.ok() ? "" : executable.error().text());
  return executable.ok() ? *executable : nullptr;
}

std::vector<float> run_floats(const Executable& executable, const Tensor& input, const RunOptions& options = {}) {
  const std::vector<Value> inputs = {Value(input)};
  auto outputs = executable.run(inputs, options);
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().text());
  if (!outputs.ok()) return {};
  const Tensor& tensor = *(*outputs)[0].tensor();
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
}

TEST(executable, a_plan_gives_what_the_references_give) {
  const auto graph = small_network();
  const auto fast = executable_of(graph), slow = executable_of(graph, {.optimize = false});
  for (const int64_t batch : {1, 2, 7}) {
    const Tensor x = random_tensor({batch, 8}, 10);
    expect_near(run_floats(*fast, x), run_floats(*slow, x));
  }
}

TEST(executable, inputs_may_have_any_strides) {
  const auto fast = executable_of(small_network());
  const Tensor wide = random_tensor({8, 3}, 4);
  const auto turned = Tensor::view(DType::kF32, {3, 8}, {1, 3}, 0, wide.storage());
  ASSERT_TRUE(turned.ok());
  expect_near(run_floats(*fast, *turned), run_floats(*fast, *turned->contiguous()));
}

TEST(executable, inputs_may_lie_at_any_address) {
  const auto fast = executable_of(small_network());
  const Tensor x = random_tensor({2, 8}, 5);
  auto bytes = *Storage::allocate(x.byte_size() + 1);
  std::memcpy(bytes->mutable_bytes().data() + 1, x.data(), x.byte_size());
  const auto askew = Tensor::view(DType::kF32, {2, 8}, {8, 1}, 1, bytes);
  ASSERT_TRUE(askew.ok());
  expect_near(run_floats(*fast, *askew), run_floats(*fast, x));
}

TEST(executable, an_input_of_the_wrong_shape_is_named) {
  const auto fast = executable_of(small_network());
  const std::vector<Value> inputs = {Value(random_tensor({2, 9}, 1))};
  const auto outputs = fast->run(inputs, {});
  ASSERT_FALSE(outputs.ok());
  EXPECT_EQ(outputs.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(outputs.error().message.find("'x'"), std::string::npos) << outputs.error().message;
  EXPECT_NE(outputs.error().message.find("[2, 9]"), std::string::npos) << outputs.error().message;
  EXPECT_NE(outputs.error().message.find("batch"), std::string::npos) << outputs.error().message;
}

TEST(executable, outputs_stay_what_they_are_when_the_plan_runs_again) {
  const auto fast = executable_of(small_network());
  const std::vector<Value> first = {Value(random_tensor({2, 8}, 1))}, second = {Value(random_tensor({2, 8}, 2))};
  const auto outputs = fast->run(first, {});
  ASSERT_TRUE(outputs.ok());
  const auto values = (*outputs)[0].tensor()->as<float>();
  const std::vector<float> before(values.begin(), values.end());
  ASSERT_TRUE(fast->run(second, {}).ok());
  EXPECT_EQ(before, std::vector<float>(values.begin(), values.end()));
}

TEST(executable, an_output_may_be_an_input_a_constant_or_a_piece_of_another) {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->add_value("x", f32({1, 4}));
  graph->inputs = {x};
  const ValueId relu = graph->nodes[graph->add_node("Relu", {x}, {})].outputs[0];
  const ValueId sizes = graph->add_constant(Tensor::of_ints(std::vector<int64_t>{1, 3}));
  const size_t split = graph->add_node("Split", {relu, sizes}, {{"axis", int64_t{1}}}, 2);
  const ValueId constant = graph->add_constant(random_tensor({2}, 5));
  graph->outputs = {x, constant, graph->nodes[split].outputs[0], relu, graph->nodes[split].outputs[1]};
  const auto fast = executable_of(graph);
  const Tensor input = Tensor::of_floats(std::vector<float>{-1, 2, -3, 4}).reshaped({1, 4});
  const std::vector<Value> inputs = {Value(input)};
  const auto outputs = fast->run(inputs, {});
  ASSERT_TRUE(outputs.ok()) << outputs.error().text();
  EXPECT_EQ((*outputs)[0].tensor()->as<float>()[2], -3);
  EXPECT_EQ((*outputs)[1].tensor()->count(), 2);
  EXPECT_EQ((*outputs)[2].tensor()->as<float>()[0], 0);
  EXPECT_EQ((*outputs)[3].tensor()->as<float>()[1], 2);
  EXPECT_EQ((*outputs)[4].tensor()->as<float>()[2], 4);
}

TEST(executable, profile_names_kernels_and_shapes) {
  const auto fast = executable_of(small_network());
  const std::vector<Value> inputs = {Value(random_tensor({3, 8}, 1))};
  const auto times = fast->profile(inputs, {});
  ASSERT_TRUE(times.ok());
  ASSERT_FALSE(times->empty());
  EXPECT_NE((*times)[0].shape.find("[3, 8]"), std::string::npos);
  EXPECT_FALSE((*times)[0].kernel.empty());
}

TEST(executable, ThreadsThatRunOnePlanAtOnceDoNotDisturbEachOther) {
  ThreadPool pool(2);
  const auto fast = executable_of(small_network(), {.max_plans = 2});
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < 20; ++i) {
        const auto batch = static_cast<int64_t>(1 + (t + i) % 4);  // more shapes than plans are kept
        const Tensor x = random_tensor({batch, 8}, t * 100 + i);
        const auto once = run_floats(*fast, x, {.threads = 2, .pool = &pool});
        const auto again = run_floats(*fast, x, {.threads = 2, .pool = &pool});
        EXPECT_EQ(once, again);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// y = batch_norm(conv(x)), x [batch, 4, height, 8].
std::shared_ptr<Graph> normalized_convolution() {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->add_value("x", f32({Dim::symbol("batch"), 4, Dim::symbol("height"), 8}));
  graph->inputs = {x};
  const auto constant = [&](Shape shape, uint32_t seed) { return graph->add_constant(random_tensor(std::move(shape), seed)); };
  const auto out = [&](size_t node) { return graph->nodes[node].outputs[0]; };
  const ValueId y = out(graph->add_node("Conv", {x, constant({6, 4, 3, 3}, 1)}, {}));
  const ValueId variance = graph->add_constant(Tensor::of_floats(std::vector<float>{1, 2, 3, 1, 2, 3}));
  graph->outputs = {out(graph->add_node("BatchNormalization", {y, constant({6}, 2), constant({6}, 3), constant({6}, 4), variance}, {}))};
  return graph;
}

TEST(executable, folded_weights_are_packed_and_not_held) {
  const auto graph = normalized_convolution();
  const auto fast = executable_of(graph), slow = executable_of(graph, {.optimize = false});
  for (const int64_t height : {3, 9}) {
    const Tensor x = random_tensor({2, 4, height, 8}, 10);
    expect_near(run_floats(*fast, x), run_floats(*slow, x));
  }
  size_t weights = 0;
  for (const GraphValue& value : fast->graph().values) {
    if (!value.constant || value.constant->rank() != 4) continue;
    ++weights;
    EXPECT_TRUE(value.constant->is_deferred());
  }
  EXPECT_EQ(weights, 1u);
}

/// `count` = the elements of x, a vector of as many ones, repeated `times` times as only the data tells.
std::shared_ptr<Graph> repeated(int64_t times) {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->add_value("x", f32({Dim::symbol("n")}));
  graph->inputs = {x};
  const auto out = [&](size_t node) { return graph->nodes[node].outputs[0]; };
  const ValueId found = out(graph->add_node("NonZero", {x}, {}));
  const ValueId row = out(graph->add_node("Flatten", {found}, {{"axis", int64_t{0}}}));
  const ValueId repeats = graph->add_constant(Tensor::of_ints(std::vector<int64_t>{times, 1}));
  graph->outputs = {out(graph->add_node("Tile", {row, repeats}, {}))};
  return graph;
}

TEST(executable, results_of_unforeseen_size_stay_within_the_limit) {
  const Tensor x = random_tensor({1000}, 1);
  const std::vector<Value> inputs = {Value(x)};
  const auto small = executable_of(repeated(10));
  EXPECT_TRUE(small->run(inputs, {.max_bytes = 200'000}).ok());
  for (const int64_t times : {int64_t{100}, int64_t{1} << 40}) {
    const auto large = executable_of(repeated(times));
    const auto outputs = large->run(inputs, {.max_bytes = 200'000});
    ASSERT_FALSE(outputs.ok());
    EXPECT_EQ(outputs.error().code, ErrorCode::kLimit) << outputs.error().text();
  }
}

TEST(executable, a_loop_that_keeps_all_it_makes_meets_the_limit) {
  auto body = std::make_shared<Graph>();
  body->inputs = {body->add_value("i", ValueType::tensor(DType::kI64, {})), body->add_value("c", ValueType::tensor(DType::kBool, {}))};
  const auto out = [](Graph& graph, size_t node) { return graph.nodes[node].outputs[0]; };
  const ValueId shape = body->add_constant(Tensor::of_ints(std::vector<int64_t>{1000}));
  body->outputs = {out(*body, body->add_node("Identity", {body->inputs[1]}, {})),
                   out(*body, body->add_node("ConstantOfShape", {shape}, {}))};
  auto graph = std::make_shared<Graph>();
  graph->inputs = {graph->add_value("trips", ValueType::tensor(DType::kI64, {}))};
  graph->outputs = {out(*graph, graph->add_node("Loop", {graph->inputs[0], kNoValue}, {{"body", body}}))};
  const auto executable = executable_of(graph);
  const auto few = executable->run(std::vector<Value>{Tensor::scalar_i64(10)}, {.max_bytes = 1'000'000});
  EXPECT_TRUE(few.ok()) << (few.ok() ? "" : few.error().text());
  const auto many = executable->run(std::vector<Value>{Tensor::scalar_i64(INT64_MAX)}, {.max_bytes = 1'000'000});
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().code, ErrorCode::kLimit) << many.error().text();
}

}  // namespace
}  // namespace lanthorn
