#include <unordered_set>

#include "graph/graph.h"

namespace lanthorn {
namespace {

constexpr int kMaxDepth = 64;  // of subgraphs in subgraphs

Error broken(std::string message) { return Error{ErrorCode::kCorrupt, std::move(message), "", ""}; }

std::string node_place(const Graph& graph, size_t i) {
  const Node& node = graph.nodes[i];
  return "node " + std::to_string(i) + " '" + node.name + "' (" + node.op + ")";
}

std::string value_text(const Graph& graph, ValueId id) {
  const std::string number = "value " + std::to_string(id);
  return id < graph.values.size() && !graph.values[id].name.empty()
             ? number + " '" + graph.values[id].name + "'"
             : number;
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  Status run(const Graph* outer, int depth) {
    if (depth > kMaxDepth)
      return broken("subgraphs are nested more than " + std::to_string(kMaxDepth) + " deep");
    LAN_OK(check_names());
    for (const ValueId input : graph_.inputs) LAN_OK(define(input));
    for (const Capture& capture : graph_.captures) {
      if (!outer || capture.outer >= outer->values.size())
        return broken("a capture of a value that is not there");
      LAN_OK(define(capture.inner));
    }
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      // An input with a constant has a default, as ONNX allows; it is defined once already.
      if (graph_.values[i].constant) defined_[i] = true;
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      Status status = check_node(graph_.nodes[i], depth);
      if (!status) return std::move(status).error().at(node_place(graph_, i));
    }
    for (const ValueId output : graph_.outputs) LAN_OK(read(output));
    return ok();
  }

 private:
  Status check_names() {
    std::unordered_set<std::string_view> names;
    for (const GraphValue& value : graph_.values) {
      if (!value.name.empty() && !names.insert(value.name).second) {
        return broken("there are two values of the name '" + value.name + "'");
      }
    }
    return ok();
  }

  Status define(ValueId id) {
    if (id >= graph_.values.size()) return broken(value_text(graph_, id) + " is not there");
    if (defined_[id]) return broken(value_text(graph_, id) + " is made twice");
    defined_[id] = true;
    return ok();
  }

  Status read(ValueId id) {
    if (id >= graph_.values.size()) return broken(value_text(graph_, id) + " is not there");
    if (!defined_[id]) return broken(value_text(graph_, id) + " is read before it is made");
    return ok();
  }

  Status check_node(const Node& node, int depth) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) LAN_OK(read(input));
    }
    for (const std::shared_ptr<Graph>& inner : subgraphs(node)) {
      LAN_OK(Verifier(*inner).run(&graph_, depth + 1));
      for (const Capture& capture : inner->captures) LAN_OK(read(capture.outer));
    }
    for (const ValueId output : node.outputs) {
      if (output != kNoValue) LAN_OK(define(output));
    }
    return ok();
  }

  const Graph& graph_;
  std::vector<bool> defined_;
};

}  // namespace

Status Graph::verify() const { return Verifier(*this).run(nullptr, 0); }

}  // namespace lanthorn
