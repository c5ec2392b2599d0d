#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/dim.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

class Graph;

using ValueId = uint32_t;
constexpr ValueId kNoValue = UINT32_MAX;  // an optional input or output that is absent

/// The type of a value. A tensor's rank may be unknown only in a graph that was not inferred yet.
struct ValueType {
  enum class Kind : uint8_t { kTensor, kSequence, kOptional, kMap, kUnknown };
  Kind kind = Kind::kTensor;
  DType dtype = DType::kUndefined;  // kTensor; the key's for kMap
  bool ranked = false;              // kTensor
  Dims dims;                        // kTensor, when ranked
  std::shared_ptr<const ValueType> element;  // of a sequence or optional; the value's for kMap

  static ValueType tensor(DType dtype, Dims dims) { return {Kind::kTensor, dtype, true, std::move(dims), nullptr}; }
  static ValueType unranked(DType dtype) { return {Kind::kTensor, dtype, false, {}, nullptr}; }
};
/// "float32[batch, 3, 224, 224]"
std::string type_text(const ValueType& type);

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, std::vector<Tensor>,
                               std::shared_ptr<Graph>, std::vector<std::shared_ptr<Graph>>>;

/// Attributes by name, few of them, in order of insertion.
class Attributes {
 public:
  using Entry = std::pair<std::string, Attribute>;
  Attributes() = default;
  Attributes(std::initializer_list<Entry> entries) : entries_(entries) {}
  void set(std::string name, Attribute value);
  void remove(std::string_view name);
  const Attribute* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The value, or `fallback` if absent or of another kind.
  int64_t integer(std::string_view name, int64_t fallback) const;
  float real(std::string_view name, float fallback) const;
  std::string_view text(std::string_view name, std::string_view fallback) const;
  std::vector<int64_t> ints(std::string_view name, std::vector<int64_t> fallback = {}) const;
  std::vector<float> reals(std::string_view name) const;
  const Tensor* tensor(std::string_view name) const;
  const std::shared_ptr<Graph>* graph(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }
  bool operator==(const Attributes& other) const;  // graphs and tensors by identity

 private:
  std::vector<Entry> entries_;
};

/// Operators of ONNX have the domain ""; those of lanthorn's own optimizer have "lanthorn"; others
/// ("ai.onnx.ml", "com.microsoft") their own.
struct Node {
  std::string op, domain, name;
  std::vector<ValueId> inputs, outputs;
  Attributes attributes;
  std::string source;  // where the model's own code made it: "models/resnet.py:93"; may be empty
};

struct GraphValue {
  std::string name;  // unique in its graph when not empty
  ValueType type;
  std::optional<Tensor> constant;  // a weight or literal; contiguous or not
};

/// A value of the enclosing graph that a subgraph reads.
struct Capture {
  ValueId outer, inner;
};

/// Nodes, values and attributes in ONNX operator terms at the one opset kOpset. Nodes are kept in an
/// order where inputs come before users.
class Graph {
 public:
  std::string name;
  std::vector<GraphValue> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;
  std::vector<Capture> captures;  // of a subgraph

  ValueId add_value(std::string name, ValueType type);
  ValueId add_constant(Tensor tensor, std::string name = "");
  /// Appends a node with `output_count` new untyped outputs and returns its position.
  size_t add_node(std::string op, std::vector<ValueId> inputs, Attributes attributes,
                  size_t output_count = 1, std::string domain = "");

  const Tensor* constant(ValueId id) const;
  /// Every value has at most one maker, makers come before users, ids are in range, subgraphs hold.
  Status verify() const;
  /// One line a node, for people and tests.
  std::string text() const;
};

/// The opset of ai.onnx whose meaning operators have inside.
constexpr int kOpset = 28;

/// For every value the node that makes it (kNoNode: input, constant or capture).
constexpr uint32_t kNoNode = UINT32_MAX;
std::vector<uint32_t> makers(const Graph& graph);
/// For every value how many node inputs, subgraph captures and graph outputs read it.
std::vector<uint32_t> use_counts(const Graph& graph);
/// Takes out nodes whose outputs nobody reads, in subgraphs too, and drops constants and captures
/// that nobody reads. Subgraphs that change are replaced by copies, as others may share them. True
/// if any node went.
bool remove_dead_nodes(Graph& graph);
/// The subgraphs of a node, in order of its attributes.
std::vector<std::shared_ptr<Graph>> subgraphs(const Node& node);
/// Puts nodes back into an order where inputs come before users. kCorrupt on a cycle.
Status sort_nodes(Graph& graph);

}  // namespace lanthorn
