// Types of all values of a graph from those of its inputs.
#include <map>
#include <set>

#include "base/check.h"
#include "ops/op.h"

namespace lanthorn {
namespace {

// Bounds the work that loops inside of loops, each inferred more than once, could ask for.
constexpr uint64_t kMaxSteps = 4'000'000;
constexpr int kMaxDepth = 64;

using Missing = std::map<std::string, std::set<std::string>>;  // operator: where it was met

void collect_missing(const Graph& graph, Missing& missing, int depth) {
  if (depth > kMaxDepth) return;
  for (const Node& node : graph.nodes) {
    if (!find_op(node.op, node.domain)) {
      missing[node.domain.empty() ? node.op : node.domain + "." + node.op].insert(node.source);
    }
    for (const auto& inner : subgraphs(node)) collect_missing(*inner, missing, depth + 1);
  }
}

Status check_supported(const Graph& graph) {
  Missing missing;
  collect_missing(graph, missing, 0);
  if (missing.empty()) return ok();
  std::string list;
  for (const auto& [op, sources] : missing) {
    list += (list.empty() ? "" : ", ") + op;
    if (!sources.begin()->empty() || sources.size() > 1) list += " (at " + *sources.rbegin() + ")";
  }
  return Error{ErrorCode::kUnsupported, "operators that are not supported: " + list, "", ""};
}

class Inferrer {
 public:
  Inferrer(Graph& graph, std::vector<std::optional<Dims>> elements, uint64_t& steps, int depth)
      : graph_(graph), elements_(std::move(elements)), steps_(steps), depth_(depth) {
    elements_.resize(graph.values.size());
  }

  Status run();

 private:
  friend class NodeSubgraphs;
  Status infer_one(size_t index);
  std::string place(size_t index) const {
    const Node& node = graph_.nodes[index];
    std::string text = "node " + std::to_string(index) + " '" + node.name + "' (" + node.op + ")";
    return node.source.empty() ? text : text + " from " + node.source;
  }

  Graph& graph_;
  std::vector<std::optional<Dims>> elements_;
  uint64_t& steps_;
  int depth_;
};

// Infers copies of a node's subgraphs, as other graphs may share them; `done` replaces them.
class NodeSubgraphs : public SubgraphInferrer {
 public:
  NodeSubgraphs(Inferrer& outer, const Node& node) : outer_(outer), node_(node) {}

  Result<std::vector<ValueType>> infer(std::string_view attribute,
                                       std::vector<ValueType> inputs) override {
    const std::shared_ptr<Graph>* graph = node_.attributes.graph(attribute);
    if (!graph || !*graph) {
      return Error{ErrorCode::kCorrupt, "attribute '" + std::string(attribute) + "' holds no graph",
                   "", ""};
    }
    auto copy = std::make_shared<Graph>(**graph);
    std::vector<std::optional<Dims>> elements(copy->values.size());
    for (size_t i = 0; i < copy->inputs.size() && i < inputs.size(); ++i) {
      copy->values[copy->inputs[i]].type = std::move(inputs[i]);
    }
    for (const Capture& capture : copy->captures) {
      copy->values[capture.inner].type = outer_.graph_.values[capture.outer].type;
      copy->values[capture.inner].constant = outer_.graph_.values[capture.outer].constant;
      elements[capture.inner] = outer_.elements_[capture.outer];
    }
    Status status = Inferrer(*copy, std::move(elements), outer_.steps_, outer_.depth_ + 1).run();
    if (!status) return std::move(status).error().at("subgraph '" + std::string(attribute) + "'");
    // A captured constant belongs to the outer graph, which may still change it.
    for (const Capture& capture : copy->captures) copy->values[capture.inner].constant.reset();
    std::vector<ValueType> types;
    for (const ValueId output : copy->outputs) types.push_back(copy->values[output].type);
    done[std::string(attribute)] = std::move(copy);
    return types;
  }

  std::map<std::string, std::shared_ptr<Graph>> done;

 private:
  Inferrer& outer_;
  const Node& node_;
};

Status Inferrer::infer_one(size_t index) {
  const Node& node = graph_.nodes[index];
  std::vector<ValueType> inputs(node.inputs.size());
  std::vector<const Tensor*> constants(node.inputs.size(), nullptr);
  std::vector<std::optional<Dims>> elements(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (id == kNoValue) continue;
    inputs[i] = graph_.values[id].type;
    constants[i] = graph_.constant(id);
    elements[i] = elements_[id];
  }
  InferContext context(node, inputs, constants, elements);
  NodeSubgraphs inner(*this, node);
  context.set_subgraph_inferrer(&inner);
  const OpEntry* op = find_op(node.op, node.domain);
  LAN_CHECK(op);
  LAN_OK(infer_node(*op, context));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    graph_.values[node.outputs[i]].type = std::move(context.outputs[i]);
    elements_[node.outputs[i]] = std::move(context.output_elements[i]);
  }
  for (auto& [attribute, graph] : inner.done)
    graph_.nodes[index].attributes.set(attribute, std::move(graph));
  return ok();
}

Status Inferrer::run() {
  if (depth_ > kMaxDepth) {
    return Error{ErrorCode::kLimit,
                 "subgraphs are nested more than " + std::to_string(kMaxDepth) + " deep", "", ""};
  }
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (++steps_ > kMaxSteps) {
      return Error{ErrorCode::kLimit, "the graph has too many nodes to infer their types", "", ""};
    }
    Status status = infer_one(i);
    if (!status) return std::move(status).error().at(place(i));
  }
  return ok();
}

}  // namespace

Status infer_graph(Graph& graph) {
  LAN_OK(check_supported(graph));
  uint64_t steps = 0;
  return Inferrer(graph, {}, steps, 0).run();
}

}  // namespace lanthorn
