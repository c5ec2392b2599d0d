// Small valid graphs of any shape: what the passes and the fast kernels give is what the references give, at
// every instruction set, and where the references answer they answer too.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "graph/graph.h"
#include "ops/op.h"
#include "runtime/executable.h"

namespace lanthorn {
namespace {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  uint8_t next() { return at_ < size_ ? data_[at_++] : uint8_t{0}; }
  int64_t below(size_t limit) { return static_cast<int64_t>(next() % limit); }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

constexpr int64_t kMostElements = 1 << 13;
// Steps with small errors only: no operator here jumps, so that what is nearly equal stays so.
constexpr const char* kOneInput[] = {"Relu", "Sigmoid", "Tanh", "Erf", "Gelu", "HardSwish", "HardSigmoid", "LeakyRelu", "Elu", "Abs", "Neg",
                                     "Softplus", "Softsign", "Identity", "Mish", "Swish", "Sin", "Selu", "Celu"};
constexpr const char* kTwoInputs[] = {"Add", "Mul", "Sub", "Max", "Min", "PRelu", "Add", "Mul", "Sum", "Mean"};
constexpr const char* kReductions[] = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1"};

class Builder {
 public:
  explicit Builder(Bytes& bytes) : bytes_(bytes), graph_(std::make_shared<Graph>()) {
    Dims dims;
    const int64_t rank = bytes.below(4) == 0 ? bytes.below(5) : 4;
    for (int64_t i = 0; i < rank; ++i) {
      shape_.push_back(1 + bytes.below(i == 1 ? 20 : 9));
      dims.push_back(bytes.below(3) == 0 ? Dim::symbol("d" + std::to_string(i)) : Dim(shape_.back()));
    }
    graph_->inputs = {graph_->add_value("x", ValueType::tensor(DType::kF32, dims))};
    values_ = graph_->inputs;
    const int64_t count = 1 + bytes.below(8);
    for (int64_t i = 0; i < count && !bytes.empty(); ++i) step();
    graph_->outputs = {values_.back()};
    if (bytes.below(3) == 0) graph_->outputs.push_back(values_[static_cast<size_t>(bytes.below(values_.size()))]);
    remove_dead_nodes(*graph_);
  }

  std::shared_ptr<const Graph> graph() const { return graph_; }
  Tensor input() { return floats(shape_); }

 private:
  Tensor floats(Shape shape) {
    Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
    uint32_t state = bytes_.next() * 2654435761u + 1;
    for (float& value : tensor.mutable_as<float>()) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
    }
    return tensor;
  }
  ValueId constant(Shape shape) { return graph_->add_constant(floats(std::move(shape))); }
  ValueId ints(std::vector<int64_t> values) { return graph_->add_constant(Tensor::of_ints(values)); }
  ValueId any() { return values_[values_.size() - 1 - static_cast<size_t>(bytes_.below(std::min<size_t>(values_.size(), 3)))]; }
  const Dims& dims(ValueId id) const { return graph_->values[id].type.dims; }
  int64_t size(ValueId id, size_t axis) const {
    return axis < dims(id).size() && dims(id)[axis].is_known() ? dims(id)[axis].value() : 1 + static_cast<int64_t>(axis);
  }

  // Adds the node if it fits; what does not is forgotten.
  void add(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}, size_t outputs = 1) {
    graph_->add_node(std::move(op), std::move(inputs), std::move(attributes), outputs);
    Graph trial = *graph_;
    const std::vector<ValueId> made = graph_->nodes.back().outputs;
    bool good = infer_graph(trial).ok();
    for (const ValueId id : made) {
      const ValueType& type = trial.values[id].type;
      int64_t count = type.ranked && type.dtype == DType::kF32 ? 1 : kMostElements + 1;
      for (const Dim& dim : type.dims) {
        if (dim.is_known()) count = count > kMostElements ? count : count * dim.value();
      }
      good = good && count <= kMostElements;
    }
    if (!good) {
      graph_->nodes.pop_back();
      return;
    }
    *graph_ = std::move(trial);
    values_.insert(values_.end(), made.begin(), made.end());
  }

  std::vector<int64_t> list(size_t count, int64_t least, size_t range) {
    std::vector<int64_t> values(count);
    for (int64_t& value : values) value = least + bytes_.below(range);
    return values;
  }

  Attributes window(size_t spatial, int64_t kernel_h, int64_t kernel_w) {
    Attributes attributes;
    if (spatial == 2) attributes.set("kernel_shape", std::vector<int64_t>{kernel_h, kernel_w});
    if (bytes_.below(2) == 0) attributes.set("strides", list(spatial, 1, 3));
    if (bytes_.below(4) == 0) attributes.set("dilations", list(spatial, 1, 3));
    if (bytes_.below(2) == 0) attributes.set("pads", list(2 * spatial, 0, 3));
    if (bytes_.below(8) == 0) attributes.set("auto_pad", std::string(bytes_.below(2) ? "SAME_UPPER" : "SAME_LOWER"));
    return attributes;
  }

  void convolve(ValueId x) {
    const int64_t channels = size(x, 1), kind = bytes_.below(4);
    const int64_t group = kind == 0 ? channels : kind == 1 && channels % 2 == 0 ? 2 : 1;
    const int64_t out = group * (1 + bytes_.below(kind == 3 ? 24 : 3)), h = 1 + bytes_.below(4), w = bytes_.below(2) ? h : 1 + bytes_.below(4);
    std::vector<ValueId> inputs = {x, constant({out, channels / group, h, w})};
    if (bytes_.below(2) == 0) inputs.push_back(constant({out}));
    Attributes attributes = window(2, h, w);
    attributes.set("group", group);
    add("Conv", std::move(inputs), std::move(attributes));
  }

  void norm(ValueId x) {
    const int64_t channels = size(x, 1);
    if (bytes_.below(2) == 0) {
      Tensor variance = floats({channels});
      for (float& value : variance.mutable_as<float>()) value = std::fabs(value) + 0.5f;
      add("BatchNormalization", {x, constant({channels}), constant({channels}), constant({channels}), graph_->add_constant(variance)});
    } else if (!dims(x).empty()) {
      const int64_t last = size(x, dims(x).size() - 1);
      add("LayerNormalization", {x, constant({last}), constant({last})}, {{"epsilon", 0.1f}});
    }
  }

  void move(ValueId x) {
    const auto rank = static_cast<int64_t>(dims(x).size());
    switch (bytes_.below(8)) {
      case 0: {
        std::vector<int64_t> perm(static_cast<size_t>(rank));
        for (size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<int64_t>(i);
        for (size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[static_cast<size_t>(bytes_.below(i))]);
        return add("Transpose", {x}, {{"perm", perm}});
      }
      case 1: return add("Reshape", {x, ints(bytes_.below(2) ? std::vector<int64_t>{0, -1} : std::vector<int64_t>{-1, 1 + bytes_.below(4)})});
      case 2: return add("Flatten", {x}, {{"axis", bytes_.below(4)}});
      case 3: return add("Unsqueeze", {x, ints({bytes_.below(4)})});
      case 4: return add("Slice", {x, ints({bytes_.below(3)}), ints({bytes_.below(2) ? int64_t{-1} : INT64_MAX}), ints({bytes_.below(4)})});
      case 5: return add("Concat", {x, any()}, {{"axis", bytes_.below(4)}});
      case 6: return add("Pad", {x, ints(list(2 * static_cast<size_t>(rank), -1, 4))}, {{"mode", std::string(bytes_.below(2) ? "constant" : "edge")}});
      default: return add("Split", {x}, {{"axis", bytes_.below(4)}, {"num_outputs", int64_t{2}}}, 2);
    }
  }

  void product(ValueId x) {
    const size_t rank = dims(x).size();
    if (rank == 0) return;
    const int64_t k = size(x, rank - 1), n = 1 + bytes_.below(20);
    switch (bytes_.below(3)) {
      case 0: return add("MatMul", {x, constant({k, n})});
      case 1: return add("MatMul", {x, any()});
      default: break;
    }
    const bool turned = bytes_.below(2) == 0;
    Attributes attributes = {{"transB", int64_t{turned}}};
    if (bytes_.below(4) == 0) attributes.set("alpha", 0.5f);
    std::vector<ValueId> inputs = {x, turned ? constant({n, k}) : constant({k, n})};
    if (bytes_.below(2) == 0) inputs.push_back(constant(bytes_.below(2) ? Shape{n} : Shape{1, n}));
    add("Gemm", std::move(inputs), std::move(attributes));
  }

  void pool(ValueId x) {
    switch (bytes_.below(4)) {
      case 0: return add("GlobalAveragePool", {x});
      case 1: return add("GlobalMaxPool", {x});
      default: break;
    }
    const bool average = bytes_.below(2) == 0;
    Attributes attributes = window(2, 1 + bytes_.below(4), 1 + bytes_.below(4));
    attributes.set("ceil_mode", bytes_.below(2));
    if (average) attributes.set("count_include_pad", bytes_.below(2));
    add(average ? "AveragePool" : "MaxPool", {x}, std::move(attributes));
  }

  void step() {
    const ValueId x = any();
    switch (bytes_.below(9)) {
      case 0: return convolve(x);
      case 1: return norm(x);
      case 2: return move(x);
      case 3: return product(x);
      case 4: return pool(x);
      case 5: return add(kOneInput[bytes_.below(std::size(kOneInput))], {x});
      case 6: {
        const int64_t kind = bytes_.below(4);
        Shape shape;
        if (kind == 1) shape = {size(x, 1), 1, 1};
        if (kind == 2 && !dims(x).empty()) shape = {size(x, dims(x).size() - 1)};
        const ValueId other = kind == 0 ? any() : constant(shape);
        return bytes_.below(2) ? add(kTwoInputs[bytes_.below(std::size(kTwoInputs))], {x, other})
                               : add(kTwoInputs[bytes_.below(std::size(kTwoInputs))], {other, x});
      }
      case 7:
        return add(kReductions[bytes_.below(std::size(kReductions))], {x, ints(list(1 + static_cast<size_t>(bytes_.below(2)), -2, 5))},
                   {{"keepdims", bytes_.below(2)}});
      default:
        if (bytes_.below(2)) return add("Softmax", {x}, {{"axis", bytes_.below(4) - 1}});
        return add("Clip", {x, graph_->add_constant(Tensor::scalar_f32(-0.5f)), graph_->add_constant(Tensor::scalar_f32(0.75f))});
    }
  }

  Bytes& bytes_;
  std::shared_ptr<Graph> graph_;
  Shape shape_;
  std::vector<ValueId> values_;
};

[[noreturn]] void report(const Graph& graph, const char* what, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n%s", what, text.c_str(), graph.text().c_str());
  std::abort();
}

void compare(const Graph& graph, const Tensor& wanted, const Tensor& got, IsaLevel isa) {
  if (wanted.shape() != got.shape()) report(graph, "shapes differ", shape_text(wanted.shape()) + " and " + shape_text(got.shape()));
  const auto a = wanted.as<float>(), b = got.as<float>();
  float most = 1;
  for (const float value : a) {
    if (!std::isfinite(value)) return;  // the passes may round an overflow away
    most = std::max(most, std::fabs(value));
  }
  // Steps before may have added up to more than is left of it.
  if (most > 1e4f) return;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::fabs(a[i] - b[i]) <= 5e-3f * most) continue;
    report(graph, "results differ", std::string(isa_name(isa)) + ", element " + std::to_string(i) + ": " + std::to_string(b[i]) + " instead of " + std::to_string(a[i]));
  }
}

void run(Bytes& bytes) {
  Builder builder(bytes);
  const auto graph = builder.graph();
  const std::vector<Value> inputs = {Value(builder.input())};
  const auto plain = Executable::create(graph, {.optimize = false});
  if (!plain) return;
  const auto wanted = (*plain)->run(inputs, {.max_bytes = 64 << 20});
  if (!wanted) return;  // a symbol that does not fit
  for (const IsaLevel isa : {IsaLevel::kBaseline, detect_isa()}) {
    const auto fast = Executable::create(graph, {.isa = isa});
    if (!fast) report(*graph, "not optimized", fast.error().text());
    const auto got = (*fast)->run(inputs, {});
    if (!got) report((*fast)->graph(), "does not run", got.error().text());
    for (size_t i = 0; i < wanted->size(); ++i) compare(*graph, *(*wanted)[i].tensor(), *(*got)[i].tensor(), isa);
  }
}

}  // namespace
}  // namespace lanthorn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanthorn::Bytes bytes(data, size);
  lanthorn::run(bytes);
  return 0;
}
