// Types of all values of a graph from those of its inputs.
#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "ops/infer_all.h"
#include "ops/op.h"
#include "ops/value_types.h"

namespace lanthorn {
namespace {

// Bounds the work that loops inside of loops, each inferred more than once, could ask for.
constexpr uint64_t kMaxSteps = 4'000'000;
constexpr int kMaxDepth = 64;

bool contradicts(const ValueType& a, const ValueType& b) {
  using enum ValueType::Kind;
  if (a.kind == kUnknown || b.kind == kUnknown) return false;
  // An optional with an element is the element itself.
  if (a.kind == kOptional && b.kind != kOptional) return a.element && contradicts(*a.element, b);
  if (b.kind == kOptional && a.kind != kOptional) return contradicts(b, a);
  if (a.kind != b.kind) return true;
  if (a.dtype != b.dtype && a.dtype != DType::kUndefined && b.dtype != DType::kUndefined)
    return true;
  if (a.kind != kTensor) return a.element && b.element && contradicts(*a.element, *b.element);
  if (!a.ranked || !b.ranked) return false;
  if (a.dims.size() != b.dims.size()) return true;
  for (size_t i = 0; i < a.dims.size(); ++i) {
    const bool known = a.dims[i].is_known() && b.dims[i].is_known();
    if (known && a.dims[i].value() != b.dims[i].value()) return true;
  }
  return false;
}

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

// With `problems`, what is wrong is noted there and the rest is inferred from what the file tells.
class Inferrer {
 public:
  Inferrer(Graph& graph, std::vector<std::optional<Dims>> elements, uint64_t& steps, int depth,
           std::vector<InferProblem>* problems)
      : graph_(graph),
        elements_(std::move(elements)),
        steps_(steps),
        depth_(depth),
        problems_(problems) {
    elements_.resize(graph.values.size());
  }

  Status run();

 private:
  friend class NodeSubgraphs;
  Status infer_one(size_t index);
  Status set_type(ValueId id, ValueType inferred);
  void note(size_t index, Error error);
  std::string place(size_t index) const {
    const Node& node = graph_.nodes[index];
    std::string text = "node " + std::to_string(index) + " '" + node.name + "' (" + node.op + ")";
    return node.source.empty() ? text : text + " from " + node.source;
  }

  Graph& graph_;
  std::vector<std::optional<Dims>> elements_;
  uint64_t& steps_;
  int depth_;
  std::vector<InferProblem>* problems_;
  bool after_unknown_ =
      false;  // what comes after an unknown operator may be wrong by our ignorance
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
    std::vector<InferProblem> ignored;
    Inferrer inferrer(*copy, std::move(elements), outer_.steps_, outer_.depth_ + 1,
                      outer_.problems_ && attribute == never_runs ? &ignored : outer_.problems_);
    Status status = inferrer.run();
    if (!status) return std::move(status).error().at("subgraph '" + std::string(attribute) + "'");
    // A captured constant belongs to the outer graph, which may still change it.
    for (const Capture& capture : copy->captures) copy->values[capture.inner].constant.reset();
    std::vector<ValueType> types;
    for (const ValueId output : copy->outputs) types.push_back(copy->values[output].type);
    done[std::string(attribute)] = std::move(copy);
    return types;
  }

  std::map<std::string, std::shared_ptr<Graph>> done;
  std::string_view never_runs;  // the branch of an If that is known not to be taken

 private:
  Inferrer& outer_;
  const Node& node_;
};

// What is known of the outputs where a rule did not run, as the rank of an input is not known: what
// it gives alike for two ranks that it takes.
std::vector<ValueType> unranked_outputs(const OpEntry& op, const Node& node,
                                        std::vector<ValueType> inputs) {
  const std::vector<ValueType> given = inputs;
  const std::vector<const Tensor*> constants(inputs.size(), nullptr);
  std::vector<ValueType> found;
  for (const size_t rank : {2, 4, 1, 3, 5, 0}) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool open = given[i].kind == ValueType::Kind::kTensor && !given[i].ranked;
      if (open) inputs[i] = ValueType::tensor(given[i].dtype, Dims(rank, Dim::unknown()));
    }
    InferContext context(node, inputs, constants, {});
    if (!infer_node(op, context)) continue;
    const bool first = found.empty();
    for (size_t i = 0; i < context.outputs.size(); ++i) {
      ValueType& type = context.outputs[i];
      if (first) {
        found.push_back(std::move(type));
        continue;
      }
      auto merged = merged_type(found[i], type);
      found[i] = merged ? *std::move(merged) : unknown_type();
      for (Dim& dim : found[i].dims) {
        if (!dim.is_known()) dim = Dim::unknown();
      }
    }
    if (!first) return found;
  }
  for (ValueType& type : found) {
    if (type.kind == ValueType::Kind::kTensor) type = ValueType::unranked(type.dtype);
  }
  return found;
}

// What the file says of a value, where it says more; an error where it says something else.
Status Inferrer::set_type(ValueId id, ValueType inferred) {
  ValueType& told = graph_.values[id].type;
  if (!problems_) {
    told = std::move(inferred);
    return ok();
  }
  if (inferred.kind == ValueType::Kind::kUnknown) return ok();
  Status status = ok();
  if (contradicts(told, inferred)) {
    status = Error{ErrorCode::kInvalidInput,
                   "the file says that '" + graph_.values[id].name + "' is " + type_text(told) +
                       ", but it is " + type_text(inferred),
                   "", ""};
  } else if (told.kind == ValueType::Kind::kTensor && told.ranked && inferred.ranked) {
    for (size_t i = 0; i < told.dims.size(); ++i) {
      const bool tells = told.dims[i].is_known() || !told.dims[i].symbol_name().empty();
      if (tells && !inferred.dims[i].is_known()) inferred.dims[i] = told.dims[i];
    }
  } else if (inferred.kind == ValueType::Kind::kTensor && !inferred.ranked && told.ranked) {
    return status;
  } else if (told.kind == inferred.kind && inferred.element &&
             inferred.element->kind == ValueType::Kind::kUnknown) {
    return status;  // an empty sequence or optional, of which the file tells what it could hold
  }
  told = std::move(inferred);
  return status;
}

void Inferrer::note(size_t index, Error error) {
  if (after_unknown_) return;
  const Node& node = graph_.nodes[index];
  const bool named = !node.outputs.empty() && node.outputs[0] != kNoValue;
  problems_->push_back(
      {std::move(error).at(place(index)), named ? graph_.values[node.outputs[0]].name : ""});
}

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
  if (node.op == "If" && node.domain.empty()) {
    const std::optional<Dims> taken = context.elements(0);
    const bool known = taken && taken->size() == 1 && taken->front().is_known();
    if (known) inner.never_runs = taken->front().is(0) ? "then_branch" : "else_branch";
  }
  context.set_subgraph_inferrer(&inner);
  const OpEntry* op = find_op(node.op, node.domain);
  LAN_CHECK(op || problems_);
  if (!op) {
    after_unknown_ = true;
    return ok();
  }
  LAN_OK(infer_node(*op, context));
  const auto is_open = [](const ValueType& type) { return type.kind == ValueType::Kind::kUnknown; };
  if (problems_ && !op->def->values &&
      std::all_of(context.outputs.begin(), context.outputs.end(), is_open)) {
    std::vector<ValueType> outputs = unranked_outputs(*op, node, inputs);
    if (!outputs.empty()) context.outputs = std::move(outputs);
  }
  Status status = ok();
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    Status set = set_type(node.outputs[i], std::move(context.outputs[i]));
    if (!set) status = std::move(set);
    elements_[node.outputs[i]] = std::move(context.output_elements[i]);
  }
  for (auto& [attribute, graph] : inner.done)
    graph_.nodes[index].attributes.set(attribute, std::move(graph));
  return status;
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
    if (status) continue;
    if (!problems_) return std::move(status).error().at(place(i));
    note(i, std::move(status).error());
  }
  return ok();
}

}  // namespace

Status infer_graph(Graph& graph) {
  LAN_OK(check_supported(graph));
  uint64_t steps = 0;
  return Inferrer(graph, {}, steps, 0, nullptr).run();
}

Result<std::vector<InferProblem>> infer_all(Graph& graph) {
  uint64_t steps = 0;
  std::vector<InferProblem> problems;
  LAN_OK(Inferrer(graph, {}, steps, 0, &problems).run());
  return problems;
}

}  // namespace lanthorn
