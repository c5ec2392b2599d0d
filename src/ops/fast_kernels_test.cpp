// Every fast kernel against its operator's reference, over generated shapes, for every instruction
// set that the machine has, on one and on several threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "ops/op.h"

namespace lanthorn {
namespace {

class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed * 2 + 1) {}
  float next(float low, float high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (static_cast<float>((state_ >> 33) & 0xffffff) / 16777216.0f);
  }

 private:
  uint64_t state_;
};

Tensor numbers(Shape shape, uint64_t seed, float low = -1.0f, float high = 1.0f) {
  Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
  Numbers source(seed);
  for (float& value : tensor.mutable_as<float>()) value = source.next(low, high);
  return tensor;
}

struct Input {
  Tensor tensor;  // not defined: absent
  bool constant = false;
};

struct Case {
  std::string op;
  Attributes attributes;
  std::vector<Input> inputs;
  std::string domain = "";
  size_t outputs = 1;
};

// How far the result may be from the reference's, which is computed in double and rounded once.
double bound(Accuracy accuracy, double want, double terms) {
  switch (accuracy) {
    case Accuracy::kExact: return 0.0;
    case Accuracy::kRounding: return 1e-6 * std::abs(want) + 1e-6;
    case Accuracy::kSummed: return 2e-6 * std::abs(want) + 2e-5 * std::sqrt(terms + 1.0);
  }
  return 0.0;
}

void compare(const Tensor& got, const Tensor& want, Accuracy accuracy, double terms) {
  ASSERT_EQ(got.shape(), want.shape());
  const std::span<const float> a = got.as<float>(), b = want.as<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    const bool same = std::isnan(y) ? std::isnan(x)
                      : std::isinf(y) ? x == y
                                      : std::abs(x - y) <= bound(accuracy, y, terms);
    ASSERT_TRUE(same) << "element " << i << ": " << x << " instead of " << y;
  }
}

struct Run {
  const Case& c;
  const OpEntry& op;
  Node node;
  std::vector<ValueType> input_types, output_types;
  std::vector<const Tensor*> constants;
  std::vector<Value> wanted;
};

void run_kernel(const Run& r, const FastKernel& kernel, IsaLevel isa, ThreadPool* pool,
                int threads, double terms) {
  SCOPED_TRACE(std::string(kernel.name) + ", " + std::string(isa_name(isa)) + ", threads " +
               std::to_string(threads));
  const KernelQuery query{r.node, r.input_types, r.output_types, r.constants, isa, threads};
  std::shared_ptr<const void> prepared;
  if (kernel.prepare) {
    auto result = kernel.prepare(query);
    ASSERT_TRUE(result.ok());
    prepared = *result;
  }
  std::vector<std::byte> memory((kernel.scratch_bytes ? kernel.scratch_bytes(query) : 0) + 64);
  auto* scratch = reinterpret_cast<std::byte*>(
      (reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  std::vector<TensorView> inputs(r.c.inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = r.c.inputs[i].tensor;
    if (tensor.defined()) inputs[i] = {tensor.dtype(), tensor.shape(), tensor.data()};
  }
  std::vector<Tensor> outputs;
  std::vector<MutableTensorView> views;
  for (const Value& wanted : r.wanted) {
    outputs.push_back(*Tensor::allocate(wanted.tensor()->dtype(), wanted.tensor()->shape()));
  }
  for (Tensor& output : outputs) {
    views.push_back({output.dtype(), output.shape(), output.mutable_data()});
  }
  RunContext context;
  context.node_ = &r.node;
  context.inputs_ = inputs;
  context.outputs_ = views;
  context.prepared_ = prepared.get();
  context.scratch_ = {scratch, memory.size() - 64};
  context.pool_ = pool;
  context.threads_ = threads;
  ASSERT_TRUE(kernel.run(context).ok());
  for (size_t i = 0; i < outputs.size(); ++i) {
    compare(outputs[i], *r.wanted[i].tensor(), r.op.def->accuracy, terms);
  }
}

// Runs all fast kernels that apply; there must be one, or the case tests nothing.
void check(const Case& c, double terms = 1.0) {
  SCOPED_TRACE(c.op);
  const OpEntry* op = find_op(c.op, c.domain);
  ASSERT_NE(op, nullptr) << "there is no operator " << c.op;
  Run r{c, *op, {}, {}, {}, {}, {}};
  r.node.op = c.op;
  r.node.domain = c.domain;
  r.node.attributes = c.attributes;
  std::vector<Value> values;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor& tensor = c.inputs[i].tensor;
    r.node.inputs.push_back(tensor.defined() ? static_cast<ValueId>(i) : kNoValue);
    values.push_back(tensor.defined() ? Value(tensor) : Value());
    r.input_types.push_back(
        tensor.defined()
            ? ValueType::tensor(tensor.dtype(), Dims(tensor.shape().begin(), tensor.shape().end()))
            : ValueType());
    r.constants.push_back(tensor.defined() && c.inputs[i].constant ? &tensor : nullptr);
  }
  for (size_t i = 0; i < c.outputs; ++i) r.node.outputs.push_back(static_cast<ValueId>(100 + i));
  auto wanted = run_reference(r.node, values);
  ASSERT_TRUE(wanted.ok()) << wanted.error().text();
  r.wanted = *std::move(wanted);
  for (const Value& value : r.wanted) {
    const Shape& shape = value.tensor()->shape();
    r.output_types.push_back(
        ValueType::tensor(value.tensor()->dtype(), Dims(shape.begin(), shape.end())));
  }
  ThreadPool pool(3);
  size_t applied = 0;
  for (const FastKernel& kernel : op->fast()) {
    for (const IsaLevel isa : available_isa_levels()) {
      const KernelQuery query{r.node, r.input_types, r.output_types, r.constants, isa, 3};
      if (!kernel.applies(query)) continue;
      ++applied;
      run_kernel(r, kernel, isa, nullptr, 1, terms);
      run_kernel(r, kernel, isa, &pool, 3, terms);
    }
  }
  EXPECT_GT(applied, 0u) << "no fast kernel applies to " << c.op;
}

Tensor ints(std::vector<int64_t> values) { return Tensor::of_ints(values); }

TEST(fast_kernels, functions_of_one_value_match_their_references) {
  for (const char* op : {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Swish",
                         "Gelu", "Exp", "Erf", "Abs", "Neg", "Floor", "Ceil"}) {
    check({op, {}, {{numbers({3, 7, 11}, 1, -6.0f, 6.0f)}}});
    check({op, {}, {{numbers({90000}, 2, -6.0f, 6.0f)}}});
  }
  for (const char* op : {"Log", "Sqrt", "Reciprocal"}) {
    check({op, {}, {{numbers({5, 33}, 3, 0.1f, 50.0f)}}});
  }
  check({"Gelu", {{"approximate", std::string("tanh")}}, {{numbers({50}, 4, -4.0f, 4.0f)}}});
  check({"LeakyRelu", {{"alpha", 0.3f}}, {{numbers({50}, 4)}}});
  check({"Clip", {}, {{numbers({77}, 5)}, {Tensor::scalar_f32(-0.5f), true},
                      {Tensor::scalar_f32(0.25f), true}}});
  check({"Clip", {}, {{numbers({77}, 5)}, {}, {Tensor::scalar_f32(0.25f), true}}});
}

TEST(fast_kernels, arithmetic_broadcasts_as_its_reference_does) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{4, 5, 6}, {4, 5, 6}}, {{4, 5, 6}, {}},        {{}, {4, 5, 6}},     {{4, 5, 6}, {6}},
      {{4, 5, 6}, {5, 1}},    {{4, 1, 6}, {1, 5, 1}}, {{2, 3, 4, 8}, {2, 1, 1, 8}},
      {{1}, {1}},             {{3, 1}, {1, 4}},       {{2, 1, 3, 1, 5}, {1, 4, 1, 2, 1}},
      {{300, 200}, {200}},    {{0, 3}, {3}},          {{100000}, {1}}};
  uint64_t seed = 1;
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    for (const auto& [a, b] : shapes) {
      check({op, {}, {{numbers(a, ++seed)}, {numbers(b, ++seed, 0.5f, 2.0f)}}});
    }
  }
}

TEST(fast_kernels, softmax_works_along_any_axis) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (const int64_t axis : {-1, 0, 1, 2}) {
      check({op, {{"axis", axis}}, {{numbers({3, 10, 21}, 7, -8.0f, 8.0f)}}});
      check({op, {{"axis", axis}}, {{numbers({64, 40, 33}, 8, -8.0f, 8.0f)}}});
    }
  }
}

TEST(fast_kernels, normalizations_match_their_references) {
  const Tensor x = numbers({6, 5, 40}, 1, -2.0f, 3.0f);
  check({"LayerNormalization", {}, {{x}, {numbers({40}, 2)}, {numbers({40}, 3)}}, "", 3}, 40);
  check({"LayerNormalization", {{"axis", int64_t{1}}, {"epsilon", 1e-3f}},
         {{x}, {numbers({5, 40}, 2)}}}, 200);
  check({"RMSNormalization", {}, {{x}, {numbers({40}, 2)}}}, 40);
}

TEST(fast_kernels, reductions_over_neighbouring_axes_match_their_references) {
  const Tensor x = numbers({4, 6, 7, 9}, 1);
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceSumSquare"}) {
    for (const std::vector<int64_t>& axes : std::vector<std::vector<int64_t>>{
             {-1}, {1, 2}, {2, 3}, {0}, {3, 2, 1}, {0, 1, 2, 3}}) {
      for (const int64_t keep : {0, 1}) {
        check({op, {{"keepdims", keep}}, {{x}, {ints(axes), true}}}, 1600);
      }
    }
    check({op, {}, {{x}}}, 1600);
  }
}

TEST(fast_kernels, transpositions_of_every_order_match) {
  std::vector<int64_t> order = {0, 1, 2, 3};
  do {
    check({"Transpose", {{"perm", order}}, {{numbers({3, 5, 4, 18}, 1)}}});
    check({"Transpose", {{"perm", order}}, {{numbers({1, 3, 40, 50}, 2)}}});
  } while (std::next_permutation(order.begin(), order.end()));
  check({"Transpose", {}, {{numbers({130, 257}, 3)}}});
  check({"Transpose", {{"perm", std::vector<int64_t>{1, 0, 2}}}, {{numbers({0, 2, 3}, 3)}}});
}

TEST(fast_kernels, concatenation_and_splitting_match) {
  for (const int64_t axis : {0, 1, -1}) {
    Shape a = {3, 4, 5}, b = {3, 4, 5};
    b[axis < 0 ? 2 : static_cast<size_t>(axis)] = 7;
    check({"Concat", {{"axis", axis}}, {{numbers(a, 1)}, {numbers(b, 2)}, {numbers(a, 3)}}});
    check({"Split", {{"axis", axis}}, {{numbers(b, 4)}, {ints({3, 0, 4}), true}}, "", 3});
  }
}

TEST(fast_kernels, matrix_products_match_their_references) {
  for (const int64_t m : {1, 5, 40}) {
    for (const int64_t k : {1, 30, 600}) {
      for (const int64_t n : {1, 10, 100}) {
        const double terms = static_cast<double>(k);
        check({"MatMul", {}, {{numbers({m, k}, 1)}, {numbers({k, n}, 2), true}}}, terms);
        check({"MatMul", {}, {{numbers({2, m, k}, 1)}, {numbers({k, n}, 2)}}}, terms);
        check({"MatMul", {}, {{numbers({2, 3, m, k}, 1)}, {numbers({2, 3, k, n}, 2)}}}, terms);
        check({"Gemm", {{"transB", int64_t{1}}},
               {{numbers({m, k}, 1)}, {numbers({n, k}, 2), true}, {numbers({n}, 3)}}}, terms);
        check({"Gemm", {}, {{numbers({m, k}, 1)}, {numbers({k, n}, 2), true},
                            {numbers({m, n}, 3)}}}, terms);
      }
    }
  }
}

TEST(fast_kernels, fused_matrix_products_match_their_references) {
  for (const char* activation : {"", "Relu", "Gelu", "Clip", "Swish"}) {
    const Attributes attributes = {{"activation", std::string(activation)}, {"alpha", 0.5f},
                                   {"beta", 2.0f}, {"transB", int64_t{1}}};
    check({"FusedMatMul", attributes,
           {{numbers({3, 7, 20}, 1)}, {numbers({33, 20}, 2), true}, {numbers({33}, 3), true},
            {numbers({3, 7, 33}, 4)}}, "lanthorn"}, 20);
  }
  check({"FusedMatMul", {}, {{numbers({4, 20}, 1)}, {numbers({20, 16}, 2), true}}, "lanthorn"}, 20);
}

TEST(fast_kernels, fused_convolutions_of_every_kind_match_their_reference) {
  struct Conv {
    Shape x, w;
    int64_t stride = 1, pad = 0, dilation = 1, group = 1;
    const char* auto_pad = "NOTSET";
  };
  const std::vector<Conv> convs = {
      {{1, 9, 9, 16}, {24, 16, 1, 1}},
      {{2, 9, 9, 16}, {24, 16, 1, 1}, 2},
      {{1, 20, 20, 3}, {8, 3, 7, 7}, 2, 3},
      {{1, 16, 16, 32}, {40, 32, 3, 3}, 1, 1},
      {{1, 7, 7, 64}, {64, 64, 3, 3}, 1, 1},
      {{1, 14, 15, 10}, {12, 10, 3, 3}, 2, 1},
      {{1, 14, 15, 10}, {12, 10, 3, 3}, 1, 2, 2},
      {{1, 12, 12, 19}, {19, 1, 3, 3}, 1, 1, 1, 19},
      {{1, 12, 12, 32}, {32, 1, 5, 5}, 2, 2, 1, 32},
      {{1, 12, 12, 32}, {64, 4, 3, 3}, 1, 1, 1, 8},
      {{1, 11, 12, 6}, {5, 6, 3, 3}, 2, 0, 1, 1, "SAME_UPPER"},
      {{1, 11, 12, 6}, {5, 6, 4, 4}, 2, 0, 1, 1, "SAME_LOWER"},
      {{1, 12, 12, 64}, {64, 1, 3, 3}, 2, 0, 1, 64, "SAME_UPPER"},
  };
  uint64_t seed = 1;
  for (const Conv& conv : convs) {
    for (const char* activation : {"", "Relu", "HardSwish"}) {
      Attributes attributes = {{"strides", std::vector<int64_t>{conv.stride, conv.stride}},
                               {"dilations", std::vector<int64_t>{conv.dilation, conv.dilation}},
                               {"group", conv.group},
                               {"activation", std::string(activation)}};
      if (std::string(conv.auto_pad) == "NOTSET") {
        attributes.set("pads", std::vector<int64_t>(4, conv.pad));
      } else {
        attributes.set("auto_pad", std::string(conv.auto_pad));
      }
      check({"FusedConv", attributes,
             {{numbers(conv.x, ++seed)}, {numbers(conv.w, ++seed), true},
              {numbers({conv.w[0]}, ++seed), true}}, "lanthorn"},
            static_cast<double>(conv.w[1] * conv.w[2] * conv.w[3]));
    }
  }
}

TEST(fast_kernels, pools_of_nhwc_images_match_their_references) {
  uint64_t seed = 1;
  for (const char* op : {"MaxPoolNhwc", "AveragePoolNhwc"}) {
    for (const int64_t kernel : {1, 2, 3}) {
      for (const int64_t stride : {1, 2}) {
        for (const int64_t pad : {int64_t{0}, kernel / 2}) {
          for (const int64_t ceil : {0, 1}) {
            Attributes attributes = {{"kernel_shape", std::vector<int64_t>{kernel, kernel}},
                                     {"strides", std::vector<int64_t>{stride, stride}},
                                     {"pads", std::vector<int64_t>(4, pad)},
                                     {"ceil_mode", ceil}};
            if (seed % 2 && op[0] == 'A') attributes.set("count_include_pad", int64_t{1});
            check({op, attributes, {{numbers({2, 9, 10, 21}, ++seed)}}, "lanthorn"}, 9);
          }
        }
      }
    }
    check({op, {{"kernel_shape", std::vector<int64_t>{7, 6}}}, {{numbers({2, 7, 6, 40}, 9)}},
           "lanthorn"}, 42);
  }
}

}  // namespace
}  // namespace lanthorn
