#include "graph/diagram.h"

#include <string_view>
#include <utility>
#include <vector>

namespace lanthorn {
namespace {

constexpr int kMaxDepth = 16;  // of subgraphs that are drawn

enum class BoxKind : uint8_t { kOperator, kInput, kOutput };

struct Box {
  BoxKind kind;
  std::string id;
  std::vector<std::string> lines;
};

struct Frame {
  std::string id, title;
  std::vector<Box> boxes;
  std::vector<Frame> frames;
};

struct Arrow {
  std::string from, to, label;
};

struct Diagram {
  Frame all;
  std::vector<Arrow> arrows;
};

std::string name_of(const Graph& graph, ValueId id) {
  const std::string& name = graph.values[id].name;
  return name.empty() ? "%" + std::to_string(id) : name;
}

/// `makers` has for each value the box that it comes from; constants have none.
void connect(const Graph& graph, ValueId id, const std::vector<std::string>& makers, const std::string& reader, Diagram& diagram) {
  if (id == kNoValue || makers[id].empty()) return;
  diagram.arrows.push_back({makers[id], reader, type_text(graph.values[id].type)});
}

/// Adds the boxes of `graph` to `frame`. `outer` are the makers of the enclosing graph's values.
void draw(const Graph& graph, const std::vector<std::string>& outer, int depth, Frame& frame, Diagram& diagram) {
  std::vector<std::string> makers(graph.values.size());
  for (const Capture& capture : graph.captures) {
    if (capture.outer < outer.size()) makers[capture.inner] = outer[capture.outer];
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const ValueId id = graph.inputs[i];
    makers[id] = frame.id + "_in" + std::to_string(i);
    frame.boxes.push_back({BoxKind::kInput, makers[id], {name_of(graph, id), type_text(graph.values[id].type)}});
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    Box box{BoxKind::kOperator, frame.id + "_" + std::to_string(i), {(node.domain.empty() ? "" : node.domain + ".") + node.op}};
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || !graph.values[id].constant) continue;
      const Tensor& constant = *graph.values[id].constant;
      box.lines.push_back(name_of(graph, id) + ": " + std::string(dtype_name(constant.dtype())) + shape_text(constant.shape()));
    }
    for (const ValueId id : node.inputs) connect(graph, id, makers, box.id, diagram);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) makers[id] = box.id;
    }
    const std::vector<std::shared_ptr<Graph>> inner = subgraphs(node);
    for (size_t k = 0; k < inner.size() && depth > 0; ++k) {
      Frame part{box.id + "_g" + std::to_string(k), node.op + ": " + inner[k]->name, {}, {}};
      draw(*inner[k], makers, depth - 1, part, diagram);
      frame.frames.push_back(std::move(part));
    }
    frame.boxes.push_back(std::move(box));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const ValueId id = graph.outputs[i];
    if (id == kNoValue) continue;
    Box box{BoxKind::kOutput, frame.id + "_out" + std::to_string(i), {name_of(graph, id), type_text(graph.values[id].type)}};
    connect(graph, id, makers, box.id, diagram);
    frame.boxes.push_back(std::move(box));
  }
}

Diagram diagram_of(const Graph& graph) {
  Diagram diagram;
  diagram.all.id = "g";
  diagram.all.title = graph.name;
  draw(graph, {}, kMaxDepth, diagram.all, diagram);
  return diagram;
}

/// `text` in quotes, with what would end them or begin a tag replaced.
std::string quoted(std::string_view text, bool mermaid) {
  std::string result = "\"";
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (control) {
      result += ' ';
    } else if (mermaid && std::string_view("\"#<>&").find(c) != std::string_view::npos) {
      result += "#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      if (!mermaid && (c == '"' || c == '\\')) result += '\\';
      result += c;
    }
  }
  return result + '"';
}

std::string joined(const std::vector<std::string>& lines, bool mermaid) {
  std::string text = "\"";
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line = quoted(lines[i], mermaid);
    text += (i == 0 ? "" : mermaid ? "<br/>" : "\\n") + line.substr(1, line.size() - 2);
  }
  return text + '"';
}

void print_dot(const Frame& frame, const std::string& indent, std::string& text) {
  for (const Box& box : frame.boxes) {
    text += indent + box.id + " [label=" + joined(box.lines, false) + (box.kind == BoxKind::kOperator ? "" : ", shape=ellipse") + "];\n";
  }
  for (const Frame& part : frame.frames) {
    text += indent + "subgraph cluster_" + part.id + " {\n" + indent + "  label=" + quoted(part.title, false) + ";\n";
    print_dot(part, indent + "  ", text);
    text += indent + "}\n";
  }
}

void print_mermaid(const Frame& frame, const std::string& indent, std::string& text) {
  for (const Box& box : frame.boxes) {
    const bool round = box.kind != BoxKind::kOperator;
    text += indent + box.id + (round ? "([" : "[") + joined(box.lines, true) + (round ? "])" : "]") + "\n";
  }
  for (const Frame& part : frame.frames) {
    text += indent + "subgraph " + part.id + "[" + quoted(part.title, true) + "]\n";
    print_mermaid(part, indent + "  ", text);
    text += indent + "end\n";
  }
}

}  // namespace

std::string graph_dot(const Graph& graph) {
  const Diagram diagram = diagram_of(graph);
  std::string text = "digraph " + quoted(graph.name.empty() ? "graph" : graph.name, false) + " {\n  node [shape=box];\n";
  print_dot(diagram.all, "  ", text);
  for (const Arrow& arrow : diagram.arrows) text += "  " + arrow.from + " -> " + arrow.to + " [label=" + quoted(arrow.label, false) + "];\n";
  return text + "}\n";
}

std::string graph_mermaid(const Graph& graph) {
  const Diagram diagram = diagram_of(graph);
  std::string text = "flowchart TD\n";
  print_mermaid(diagram.all, "  ", text);
  for (const Arrow& arrow : diagram.arrows) text += "  " + arrow.from + " -->|" + quoted(arrow.label, true) + "| " + arrow.to + "\n";
  return text;
}

}  // namespace lanthorn
