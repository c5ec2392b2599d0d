// Random graphs mean the same before and after the passes, with references and with fast kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/cpu.h"
#include "graph/clone_graph.h"
#include "optimize/pipeline.h"
#include "ops/op.h"
#include "runtime/executable.h"

namespace lanthorn {
namespace {

class RandomNetwork {
 public:
  explicit RandomNetwork(uint32_t seed) : random_(seed), graph_(std::make_shared<Graph>()) {
    const bool symbolic = pick(2) == 0;
    Dims dims = {2, 6, 8, 8};
    if (symbolic) dims[0] = Dim::symbol("batch");
    if (pick(3) == 0) dims[2] = Dim::symbol("height");
    const ValueId x = graph_->add_value("x", ValueType::tensor(DType::kF32, dims));
    graph_->inputs = {x};
    ValueId at = x;
    const uint32_t blocks = 3 + pick(6);
    for (uint32_t i = 0; i < blocks; ++i) {
      at = block(at);
      if (rank(at) == 4 && pick(4) == 0) kept_.push_back(at);
    }
    graph_->outputs = {at};
    if (!kept_.empty()) graph_->outputs.push_back(kept_[pick(static_cast<uint32_t>(kept_.size()))]);
  }

  std::shared_ptr<Graph> graph() const { return graph_; }
  Tensor input() { return weights({2, 6, 8, 8}); }

 private:
  uint32_t pick(uint32_t n) { return random_() % n; }
  Tensor weights(Shape shape, float low = -1, float high = 1) {
    std::uniform_real_distribution<float> uniform(low, high);
    Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
    for (float& value : tensor.mutable_as<float>()) value = uniform(random_);
    return tensor;
  }
  ValueId constant(Shape shape, float low = -1, float high = 1) {
    return graph_->add_constant(weights(std::move(shape), low, high));
  }
  ValueId number(float value) { return graph_->add_constant(Tensor::scalar_f32(value)); }
  ValueId ints(std::vector<int64_t> values) { return graph_->add_constant(Tensor::of_ints(values)); }
  ValueId add(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const size_t node = graph_->add_node(std::move(op), std::move(inputs), std::move(attributes));
    return graph_->nodes[node].outputs[0];
  }
  const Dims& dims(ValueId id) {
    const Status status = infer_graph(*graph_);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().text());
    return graph_->values[id].type.dims;
  }
  size_t rank(ValueId id) { return dims(id).size(); }
  int64_t channels(ValueId id) { return dims(id)[1].value(); }

  ValueId conv(ValueId x) {
    const int64_t in = channels(x), out = 2 * (1 + pick(4)), size = pick(2) == 0 ? 1 : 3;
    const bool depthwise = pick(3) == 0;
    std::vector<ValueId> inputs = {x, constant({depthwise ? in : out, depthwise ? 1 : in, size, size}, -0.4f, 0.4f)};
    if (pick(2) == 0) inputs.push_back(constant({depthwise ? in : out}));
    Attributes attributes;
    if (size == 3) attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    if (depthwise) attributes.set("group", in);
    return add("Conv", inputs, attributes);
  }
  ValueId batch_norm(ValueId x) {
    const int64_t c = channels(x);
    return add("BatchNormalization",
               {x, constant({c}, 0.5f, 1.5f), constant({c}), constant({c}), constant({c}, 0.5f, 1.5f)});
  }
  ValueId activation(ValueId x) {
    switch (pick(7)) {
      case 0: return add("Relu", {x});
      case 1: return add("Clip", {x, number(0), number(6)});
      case 2: return add("Mul", {x, add("Sigmoid", {x})});
      case 3: return add("Div", {add("Mul", {x, add("Clip", {add("Add", {x, number(3)}), number(0), number(6)})}), number(6)});
      case 4: {
        const ValueId erf = add("Erf", {add("Div", {x, number(1.41421356f)})});
        return add("Mul", {add("Mul", {x, add("Add", {erf, number(1)})}), number(0.5f)});
      }
      case 5: return add("Mul", {x, add("HardSigmoid", {x}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}})});
      default: return add("LeakyRelu", {x}, {{"alpha", 0.1f}});
    }
  }
  ValueId layer_norm(ValueId x, int64_t width) {
    const ValueId axes = ints({-1});
    const ValueId centered = add("Sub", {x, add("ReduceMean", {x, axes})});
    const ValueId variance = add("ReduceMean", {add("Pow", {centered, number(2)}), axes});
    const ValueId scaled = add("Div", {centered, add("Sqrt", {add("Add", {variance, number(1e-5f)})})});
    return add("Add", {add("Mul", {scaled, constant({width})}), constant({width})});
  }
  ValueId squeeze_excite(ValueId x) {
    const int64_t c = channels(x);
    ValueId gate = pick(2) == 0 ? add("GlobalAveragePool", {x}) : add("ReduceMean", {x, ints({2, 3})});
    gate = add("Relu", {add("Conv", {gate, constant({3, c, 1, 1})})});
    gate = add("Sigmoid", {add("Conv", {gate, constant({c, 3, 1, 1}), constant({c})})});
    return add("Mul", {x, gate});
  }
  ValueId next_block(ValueId x) {  // as in ConvNeXt
    const int64_t c = channels(x);
    ValueId y = add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    y = layer_norm(y, c);
    y = add("Add", {add("MatMul", {y, constant({c, 2 * c}, -0.3f, 0.3f)}), constant({2 * c})});
    y = add("Gelu", {y});
    y = add("Add", {add("MatMul", {y, constant({2 * c, c}, -0.3f, 0.3f)}), constant({c})});
    y = add("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
    return add("Add", {add("Mul", {constant({c, 1, 1}), y}), x});
  }
  ValueId shuffle(ValueId x) {
    const int64_t c = channels(x);
    if (c % 2 != 0 || !dims(x)[2].is_known()) return x;
    const int64_t h = dims(x)[2].value(), w = dims(x)[3].value();
    ValueId y = add("Reshape", {x, ints({-1, 2, c / 2, h, w})});
    y = add("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3, 4}}});
    return add("Reshape", {y, ints({-1, c, h, w})});
  }
  ValueId attention(ValueId x) {
    const int64_t c = channels(x);
    if (c % 2 != 0 || !dims(x)[2].is_known()) return x;
    const int64_t h = dims(x)[2].value(), w = dims(x)[3].value(), t = h * w;
    const ValueId rows = add("Transpose", {add("Reshape", {x, ints({0, c, t})})}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
    const auto heads = [&](std::vector<int64_t> perm) {
      const ValueId y = add("MatMul", {rows, constant({c, c}, -0.5f, 0.5f)});
      return add("Transpose", {add("Reshape", {y, ints({0, t, 2, c / 2})})}, {{"perm", std::move(perm)}});
    };
    ValueId scores = add("MatMul", {add("Mul", {heads({0, 2, 1, 3}), number(0.7f)}), heads({0, 2, 3, 1})});
    if (pick(2) == 0) scores = add("Add", {scores, constant({pick(2) == 0 ? 2 : 1, t, t})});
    ValueId y = add("MatMul", {add("Softmax", {scores}), heads({0, 2, 1, 3})});
    y = add("Reshape", {add("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}), ints({0, t, c})});
    y = add("Add", {y, rows});
    y = add("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
    return add("Reshape", {y, ints({0, c, h, w})});
  }
  ValueId cut(ValueId x) {
    const int64_t c = channels(x);
    if (c < 2) return x;
    if (pick(2) == 0) return add("Slice", {x, ints({0}), ints({c / 2}), ints({1})});
    const size_t node = graph_->add_node("Split", {x, ints({c / 2, c - c / 2})}, {{"axis", int64_t{1}}}, 2);
    return add("Concat", {graph_->nodes[node].outputs[1], graph_->nodes[node].outputs[0]}, {{"axis", int64_t{-3}}});
  }
  ValueId pool(ValueId x) {
    Attributes attributes = {{"kernel_shape", std::vector<int64_t>{3, 3}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}};
    if (pick(2) == 0) attributes.set("count_include_pad", int64_t{1});
    const bool max = pick(2) == 0;
    if (max) attributes.remove("count_include_pad");
    return add(max ? "MaxPool" : "AveragePool", {x}, attributes);
  }
  ValueId block(ValueId x) {
    switch (pick(14)) {
      case 0: return activation(batch_norm(conv(x)));
      case 1: return activation(conv(x));
      case 2: return pool(x);
      case 3: return add("Relu", {add("Add", {add("Conv", {x, constant({channels(x), channels(x), 1, 1})}), x})});
      case 4: return squeeze_excite(x);
      case 5: return next_block(x);
      case 6: return shuffle(x);
      case 7: return attention(x);
      case 8: return cut(x);
      case 9: return add("Concat", {conv(x), x}, {{"axis", int64_t{1}}});
      case 10: return activation(batch_norm(x));
      case 11: return add("Mul", {add("Softmax", {x}, {{"axis", int64_t{1}}}), constant({1, channels(x), 1, 1})});
      case 12: return conv(add("Pad", {x, ints({0, 0, 1, 0, 0, 0, 0, 1})}));
      default: return add("Add", {add("Mul", {conv(x), constant({channels(x) > 0 ? 1 : 1})}), number(0.25f)});
    }
  }

  std::mt19937 random_;
  std::shared_ptr<Graph> graph_;
  std::vector<ValueId> kept_;
};

std::vector<Value> run(const std::shared_ptr<const Graph>& graph, const Tensor& input, bool optimized) {
  const auto executable = Executable::create(graph, {.optimize = optimized, .isa = detect_isa()});
  EXPECT_TRUE(executable.ok()) << (executable.ok() ? "" : executable.error().text());
  if (!executable.ok()) return {};
  const std::vector<Value> inputs = {Value(input)};
  auto outputs = (*executable)->run(inputs, {});
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().text());
  return outputs.ok() ? *outputs : std::vector<Value>();
}

void expect_same(const std::vector<Value>& a, const std::vector<Value>& b, const Graph& graph, const char* what) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].tensor()->shape(), b[i].tensor()->shape()) << what << "\n" << graph.text();
    const auto left = a[i].tensor()->as<float>(), right = b[i].tensor()->as<float>();
    float scale = 1e-3f, worst = 0;
    for (const float value : left) scale = std::max(scale, std::abs(value));
    for (size_t k = 0; k < left.size(); ++k) worst = std::max(worst, std::abs(left[k] - right[k]));
    ASSERT_LE(worst, 1e-4f * scale) << what << ", output " << i << "\n" << graph.text();
  }
}

TEST(optimize, random_networks_mean_the_same_before_and_after) {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNetwork network(seed);
    const Tensor input = network.input();
    const std::vector<Value> expected = run(network.graph(), input, false);
    ASSERT_FALSE(expected.empty());
    for (const bool channels_last : {false, true}) {
      auto optimized = std::make_shared<Graph>(clone_graph(*network.graph()));
      const Status status = optimize(*optimized, {.channels_last = channels_last});
      ASSERT_TRUE(status.ok()) << status.error().text();
      expect_same(expected, run(optimized, input, false), *optimized, "references on the optimized graph");
    }
    expect_same(expected, run(network.graph(), input, true), *network.graph(), "the plan");
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace lanthorn
