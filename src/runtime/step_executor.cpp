#include "runtime/step_executor.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/check.h"

namespace lanthorn {

namespace {

void list_missing(const Graph& graph, std::set<std::string>& missing) {
  for (const Node& node : graph.nodes) {
    if (!find_op(node.op, node.domain)) missing.insert(op_text(node));
    for (const auto& [name, attribute] : node.attributes.entries()) {
      if (const auto* graph_attribute = std::get_if<std::shared_ptr<Graph>>(&attribute)) {
        list_missing(**graph_attribute, missing);
      }
    }
  }
}

Status require_ops(const Graph& graph) {
  std::set<std::string> missing;
  list_missing(graph, missing);
  if (missing.empty()) return ok();
  std::string names;
  for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
  return Error{ErrorCode::kUnsupported, "operators that are not supported: " + names, ""};
}

/// Memory of a result. What several results share counts for each of them.
uint64_t held_bytes(const Value& value) {
  if (const Tensor* tensor = value.tensor()) return tensor->defined() ? tensor->byte_size() : 0;
  uint64_t bytes = 0;
  if (const auto* items = value.sequence()) {
    for (const Value& item : *items) bytes += held_bytes(item);
  }
  return bytes;
}

std::string shapes_text(std::span<const Value> values) {
  std::string text;
  for (const Value& value : values) {
    if (!text.empty()) text += ' ';
    text += value.tensor() ? shape_text(value.tensor()->shape()) : std::string("-");
  }
  return text;
}

}  // namespace

/// Runs the subgraphs of one node; what they capture is looked up in the enclosing graph's values.
class NodeSubgraphs final : public SubgraphRunner {
 public:
  NodeSubgraphs(const StepExecutor& executor, size_t node, std::span<const Value> values, const RunOptions& options)
      : executor_(executor), node_(node), values_(values), options_(options) {}

  Result<std::vector<Value>> run(std::string_view attribute, std::vector<Value> inputs) override {
    const auto& children = executor_.subgraphs_[node_];
    const auto child = children.find(attribute);
    if (child == children.end()) {
      return Error{ErrorCode::kCorrupt, "there is no subgraph '" + std::string(attribute) + "'", ""};
    }
    const Graph& graph = child->second->graph();
    std::vector<Value> captured;
    captured.reserve(graph.captures.size());
    for (const Capture& capture : graph.captures) captured.push_back(values_[capture.outer]);
    return child->second->run(inputs, captured, options_, nullptr);
  }

 private:
  const StepExecutor& executor_;
  size_t node_;
  std::span<const Value> values_;
  const RunOptions& options_;
};

std::string op_text(const Node& node) { return node.domain.empty() ? node.op : node.domain + "." + node.op; }

Result<std::unique_ptr<const StepExecutor>> StepExecutor::create(const Graph& graph, PackedConstants* packed,
                                                                 IsaLevel isa, bool bf16) {
  LAN_OK(require_ops(graph));
  std::unique_ptr<StepExecutor> executor(new StepExecutor(graph, packed, isa, bf16));
  const size_t count = graph.nodes.size();
  executor->subgraphs_.resize(count);
  executor->last_read_.resize(count);
  executor->constants_.resize(count);
  executor->made_here_.resize(graph.values.size(), false);
  std::vector<size_t> last(graph.values.size(), SIZE_MAX);
  for (size_t n = 0; n < count; ++n) {
    const Node& node = graph.nodes[n];
    executor->ops_.push_back(find_op(node.op, node.domain));
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      last[id] = n;
      executor->made_here_[id] = true;
    }
    for (const ValueId id : node.inputs) {
      executor->constants_[n].push_back(id == kNoValue ? nullptr : graph.constant(id));
      if (id != kNoValue) last[id] = n;
    }
    for (const auto& [name, attribute] : node.attributes.entries()) {
      const auto* subgraph = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (!subgraph) continue;
      for (const Capture& capture : (*subgraph)->captures) last[capture.outer] = n;
      LAN_TRY(auto child, create(**subgraph, packed, isa, bf16));
      executor->subgraphs_[n].emplace(name, std::move(child));
    }
  }
  for (const ValueId id : graph.outputs) {
    if (id != kNoValue) last[id] = SIZE_MAX;
  }
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (last[id] != SIZE_MAX && !graph.constant(id)) executor->last_read_[last[id]].push_back(id);
  }
  return std::unique_ptr<const StepExecutor>(std::move(executor));
}

Result<std::vector<Value>> StepExecutor::run(std::span<const Value> inputs, std::span<const Value> captured,
                                             const RunOptions& options, std::vector<StepTime>* times) const {
  if (inputs.size() != graph_.inputs.size()) {
    return Error{ErrorCode::kInvalidInput,
                 std::to_string(inputs.size()) + " inputs came; " + std::to_string(graph_.inputs.size()) + " are wanted", ""};
  }
  LAN_CHECK(captured.size() == graph_.captures.size());
  std::vector<Value> values(graph_.values.size());
  for (size_t i = 0; i < graph_.values.size(); ++i) {
    if (graph_.values[i].constant) values[i] = Value(*graph_.values[i].constant);
  }
  for (size_t i = 0; i < inputs.size(); ++i) values[graph_.inputs[i]] = inputs[i];
  for (size_t i = 0; i < captured.size(); ++i) values[graph_.captures[i].inner] = captured[i];

  std::vector<Value> arguments;
  uint64_t held = 0;  // by results
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    arguments.assign(node.inputs.size(), Value());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) arguments[i] = values[node.inputs[i]];
    }
    RunOptions left = options;
    left.max_bytes -= std::min(held, left.max_bytes);
    NodeSubgraphs subgraphs(*this, n, values, left);
    std::string_view kernel;
    const auto start = std::chrono::steady_clock::now();
    auto results = run_node({*ops_[n], node, arguments, constants_[n], &subgraphs, packed_, isa_, left, bf16_}, &kernel);
    if (!results) return std::move(results).error().at(node_place(node));
    if (times) {
      const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
      times->push_back({node.name, op_text(node), std::string(kernel), shapes_text(arguments), spent.count()});
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      Value& value = values[node.outputs[i]] = std::move((*results)[i]);
      held += held_bytes(value);
    }
    for (const ValueId id : last_read_[n]) {
      if (made_here_[id]) held -= std::min(held, held_bytes(values[id]));
      values[id] = Value();
    }
  }
  std::vector<Value> outputs;
  outputs.reserve(graph_.outputs.size());
  for (const ValueId id : graph_.outputs) outputs.push_back(id == kNoValue ? Value() : values[id]);
  return outputs;
}

}  // namespace lanthorn
