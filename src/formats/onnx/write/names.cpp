#include "formats/onnx/write/names.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace lanthorn::onnx {
namespace {

/// Names that are taken here or around, and where to go on counting for those that are wanted again.
class NamePool {
 public:
  explicit NamePool(const NamePool* outer) : outer_(outer) {}
  bool take(const std::string& name) {
    return !name.empty() && !(outer_ && outer_->has(name)) && used_.insert(name).second;
  }
  std::string make(const std::string& wanted) {
    if (take(wanted)) return wanted;
    uint64_t& next = next_[wanted];
    while (true) {
      std::string name = wanted + "_" + std::to_string(++next);
      if (take(name)) return name;
    }
  }

 private:
  bool has(const std::string& name) const {
    return used_.contains(name) || (outer_ && outer_->has(name));
  }

  const NamePool* outer_;
  std::unordered_set<std::string> used_;
  std::unordered_map<std::string, uint64_t> next_;
};

class Namer {
 public:
  void run(Graph& graph, const NamePool* outer) {
    NamePool values(outer);
    // Own names come first, those of inputs and outputs before all: a made one must not take what a
    // later value is called.
    std::vector<bool> named(graph.values.size(), false);
    for (const Capture& capture : graph.captures) named[capture.inner] = true;
    for (const auto* ports : {&graph.inputs, &graph.outputs}) {
      for (const ValueId id : *ports) {
        if (!named[id]) named[id] = values.take(graph.values[id].name);
      }
    }
    for (ValueId id = 0; id < graph.values.size(); ++id) {
      if (!named[id]) named[id] = values.take(graph.values[id].name);
    }
    name_nodes(graph);
    const auto name = [&](ValueId id, const std::string& wanted) {
      if (id == kNoValue || named[id]) return;
      graph.values[id].name = values.make(wanted);
      named[id] = true;
    };
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      name(graph.inputs[i], own_or(graph, graph.inputs[i], "in" + std::to_string(i)));
    }
    for (const Node& node : graph.nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId id = node.inputs[i];
        if (id == kNoValue || !graph.constant(id)) continue;
        name(id, own_or(graph, id, node.name + "_input_" + std::to_string(i)));
      }
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        const ValueId id = node.outputs[i];
        if (id == kNoValue) continue;
        name(id, own_or(graph, id, node.name + "_output_" + std::to_string(i)));
      }
    }
    for (ValueId id = 0; id < graph.values.size(); ++id) {
      name(id, own_or(graph, id, "value"));
    }
    for (Node& node : graph.nodes) {
      for (const auto& inner : subgraphs(node)) {
        for (const Capture& capture : inner->captures) {
          inner->values[capture.inner].name = graph.values[capture.outer].name;
        }
        run(*inner, &values);
      }
    }
  }

 private:
  static std::string own_or(const Graph& graph, ValueId id, std::string other) {
    return graph.values[id].name.empty() ? other : graph.values[id].name;
  }

  void name_nodes(Graph& graph) {
    std::vector<bool> named(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) named[i] = nodes_.take(graph.nodes[i].name);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      Node& node = graph.nodes[i];
      if (!named[i]) node.name = nodes_.make(node.name.empty() ? "/" + node.op : node.name);
    }
  }

  NamePool nodes_{nullptr};
};

}  // namespace

void name_all(Graph& graph) { Namer().run(graph, nullptr); }

}  // namespace lanthorn::onnx
