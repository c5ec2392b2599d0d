#include "model/graph_cost.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace lanthorn {
namespace {

/// Operators that move, name or describe numbers and compute none.
constexpr std::string_view kMoving[] = {
    "Cast", "CastLike", "Compress", "Concat", "Constant", "ConstantOfShape", "DepthToSpace", "Expand", "EyeLike", "Flatten", "Gather",
    "GatherElements", "GatherND", "Identity", "NonZero", "OneHot", "Pad", "Range", "Reshape", "ReverseSequence", "ScatterElements", "ScatterND",
    "Shape", "Size", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze", "Where", "If", "Loop", "Scan",
    "Dropout", "Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase",
    "SequenceInsert", "SequenceLength", "SplitToSequence", "ConcatFromSequence"};

const ValueType& type_of(const Graph& graph, ValueId id) {
  static const ValueType unknown{ValueType::Kind::kUnknown, DType::kUndefined, false, {}, nullptr};
  return id == kNoValue ? unknown : graph.values[id].type;
}

Dim elements(const ValueType& type) {
  if (type.kind != ValueType::Kind::kTensor || !type.ranked) return Dim::unknown();
  return product(type.dims);
}

/// The size of an axis counted from the front, or from the back where negative.
Dim size_at(const ValueType& type, int axis) {
  const int rank = static_cast<int>(type.dims.size());
  const int at = axis < 0 ? rank + axis : axis;
  return type.ranked && at >= 0 && at < rank ? type.dims[static_cast<size_t>(at)] : Dim::unknown();
}

Dim window_of(const Node& node) {
  Dim window(1);
  for (const int64_t size : node.attributes.ints("kernel_shape")) window = window * Dim(size);
  return window;
}

/// Multiplications of a convolution: for each output number (each input number of a transposed one) the weights that belong to it.
Dim convolution(const ValueType& many, const ValueType& weight) {
  if (!weight.ranked || weight.dims.size() < 2) return Dim::unknown();
  return elements(many) * product(std::span(weight.dims).subspan(1));
}

Dim recurrent(const Graph& graph, const Node& node, int64_t gates) {
  const ValueType& x = type_of(graph, node.inputs[0]);
  const ValueType& w = type_of(graph, node.inputs[1]);  // [directions, gates * hidden, input]
  const Dim hidden(node.attributes.integer("hidden_size", 0));
  return size_at(x, 0) * size_at(x, 1) * size_at(w, 0) * Dim(gates) * hidden * (size_at(w, 2) + hidden);
}

Dim attention(const Graph& graph, const Node& node) {
  const ValueType& q = type_of(graph, node.inputs[0]);
  const ValueType& k = type_of(graph, node.inputs[1]);
  // Scores and their sums each multiply the queries by every position of the keys.
  return Dim(2) * elements(q) * size_at(k, -2);
}

/// Of operators that multiply and add: how many multiplications. Nothing of all others.
std::optional<Dim> multiplications(const Graph& graph, const Node& node) {
  const ValueType& out = type_of(graph, node.outputs.empty() ? kNoValue : node.outputs[0]);
  const size_t inputs = node.inputs.size();
  if ((node.op == "Conv" || node.op == "FusedConv" || node.op == "ConvInteger") && inputs >= 2) return convolution(out, type_of(graph, node.inputs[1]));
  if (node.op == "QLinearConv" && inputs >= 4) return convolution(out, type_of(graph, node.inputs[3]));
  if (node.op == "ConvTranspose" && inputs >= 2) return convolution(type_of(graph, node.inputs[0]), type_of(graph, node.inputs[1]));
  if ((node.op == "MatMul" || node.op == "MatMulInteger" || node.op == "QLinearMatMul" || node.op == "FusedMatMul") && inputs >= 2) {
    const bool turned = node.attributes.integer("transA", 0) != 0;
    return elements(out) * size_at(type_of(graph, node.inputs[0]), turned && type_of(graph, node.inputs[0]).dims.size() > 1 ? -2 : -1);
  }
  if (node.op == "Gemm" && inputs >= 2) return elements(out) * size_at(type_of(graph, node.inputs[0]), node.attributes.integer("transA", 0) != 0 ? 0 : 1);
  if (node.op == "Attention" && node.domain.empty() && inputs >= 2) return attention(graph, node);
  if (inputs >= 2 && node.op == "LSTM") return recurrent(graph, node, 4);
  if (inputs >= 2 && node.op == "GRU") return recurrent(graph, node, 3);
  if (inputs >= 2 && node.op == "RNN") return recurrent(graph, node, 1);
  return std::nullopt;
}

Dim operations_of(const Graph& graph);

Dim operations_of(const Graph& graph, const Node& node) {
  Dim total(0);
  for (const auto& inner : subgraphs(node)) total = node.op == "If" ? max(total, operations_of(*inner)) : total + operations_of(*inner);
  if (const std::optional<Dim> products = multiplications(graph, node)) return total + Dim(2) * *products;
  if (std::find(std::begin(kMoving), std::end(kMoving), node.op) != std::end(kMoving)) return total;
  // Whole numbers are shapes and indices, not floating-point work.
  const ValueType& out = type_of(graph, node.outputs.empty() ? kNoValue : node.outputs[0]);
  if (!is_floating(out.dtype)) return total;
  if (node.op == "MaxPool" || node.op == "AveragePool" || node.op == "LpPool") return total + elements(out) * window_of(node);
  Dim most = elements(out);
  // A reduction reads more than it writes.
  if (node.op.starts_with("Reduce") || node.op.starts_with("Global")) most = elements(type_of(graph, node.inputs.empty() ? kNoValue : node.inputs[0]));
  return total + most;
}

Dim operations_of(const Graph& graph) {
  Dim total(0);
  for (const Node& node : graph.nodes) total = total + operations_of(graph, node);
  return total;
}

/// The sizes that the symbols of a graph's inputs stand for.
class Sizes {
 public:
  Sizes(const Graph& graph, std::span<const Shape> shapes) {
    for (size_t i = 0; i < graph.inputs.size() && i < shapes.size(); ++i) {
      const Dims& dims = graph.values[graph.inputs[i]].type.dims;
      for (size_t axis = 0; axis < dims.size() && axis < shapes[i].size(); ++axis) {
        const std::string symbol = dims[axis].symbol_name();
        if (!symbol.empty()) sizes_.emplace(symbol, shapes[i][axis]);
      }
    }
  }
  std::optional<int64_t> of(const Dim& dim) const {
    return dim.substitute([this](const std::string& symbol) -> std::optional<Dim> {
      const auto found = sizes_.find(symbol);
      return found == sizes_.end() ? std::nullopt : std::optional<Dim>(found->second);
    }).known();
  }
  std::optional<uint64_t> bytes_of(const ValueType& type) const {
    const std::optional<int64_t> count = of(elements(type));
    if (!count || *count < 0 || type.dtype == DType::kUndefined) return std::nullopt;
    return static_cast<uint64_t>(*count) * dtype_bytes(type.dtype);
  }

 private:
  std::map<std::string, int64_t> sizes_;
};

std::optional<uint64_t> peak_bytes(const Graph& graph, const Sizes& sizes) {
  std::vector<uint32_t> uses = use_counts(graph);
  std::vector<uint64_t> held(graph.values.size());
  uint64_t live = 0, peak = 0;
  const auto hold = [&](ValueId id) {
    const std::optional<uint64_t> bytes = sizes.bytes_of(graph.values[id].type);
    held[id] = bytes.value_or(0);
    live += held[id];
    peak = std::max(peak, live);
    return bytes.has_value();
  };
  const auto release = [&](ValueId id) {
    if (id == kNoValue || uses[id] == 0 || --uses[id] > 0) return;
    live -= held[id];
    held[id] = 0;
  };
  for (const ValueId id : graph.inputs) {
    if (!hold(id)) return std::nullopt;
  }
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && !hold(id)) return std::nullopt;
    }
    for (const ValueId id : node.inputs) release(id);
    for (const auto& inner : subgraphs(node)) {
      for (const Capture& capture : inner->captures) release(capture.outer);
    }
  }
  return peak;
}

void count_into(const Graph& graph, std::map<std::string, size_t>& counts) {
  for (const Node& node : graph.nodes) {
    ++counts[(node.domain.empty() ? "" : node.domain + ".") + node.op];
    for (const auto& inner : subgraphs(node)) count_into(*inner, counts);
  }
}

}  // namespace

std::map<std::string, size_t> count_operators(const Graph& graph) {
  std::map<std::string, size_t> counts;
  count_into(graph, counts);
  return counts;
}

GraphCost cost_of(const Graph& graph, std::span<const Shape> shapes) {
  const Sizes sizes(graph, shapes);
  GraphCost cost{operations_of(graph), std::nullopt, peak_bytes(graph, sizes)};
  cost.operations_here = sizes.of(cost.operations);
  return cost;
}

}  // namespace lanthorn
