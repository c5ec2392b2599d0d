#include <cstdio>

#include "graph/graph.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxItems = 8;  // of a list that are shown
constexpr size_t kMaxText = 40;  // characters of a string

std::string value_name(const Graph& graph, ValueId id) {
  if (id == kNoValue) return "-";
  if (id >= graph.values.size()) return "%" + std::to_string(id) + "?";
  return graph.values[id].name.empty() ? "%" + std::to_string(id) : "%" + graph.values[id].name;
}

std::string short_text(const std::string& text) {
  return '"' + (text.size() > kMaxText ? text.substr(0, kMaxText) + "..." : text) + '"';
}

std::string item_text(int64_t value) { return std::to_string(value); }
std::string item_text(float value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", static_cast<double>(value));
  return buffer;
}
std::string item_text(const std::string& value) { return short_text(value); }
std::string item_text(const Tensor& value) {
  return std::string(dtype_name(value.dtype())) + shape_text(value.shape());
}
std::string item_text(const std::shared_ptr<Graph>& value) {
  return "graph of " + std::to_string(value ? value->nodes.size() : 0) + " nodes";
}

template <class T>
std::string item_text(const std::vector<T>& values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size() && i < kMaxItems; ++i)
    text += (i ? ", " : "") + item_text(values[i]);
  return text + (values.size() > kMaxItems ? ", ...]" : "]");
}

void print(const Graph& graph, const std::string& indent, int depth, std::string& text) {
  auto list = [&graph](const std::vector<ValueId>& ids, bool types) {
    std::string all;
    for (const ValueId id : ids) {
      all += (all.empty() ? "" : ", ") + value_name(graph, id);
      if (types && id < graph.values.size()) all += ": " + type_text(graph.values[id].type);
    }
    return all;
  };
  text += indent + "graph " + graph.name + "(" + list(graph.inputs, true) + ")\n";
  for (const Node& node : graph.nodes) {
    text += indent + "  " + list(node.outputs, true) + " = ";
    text += (node.domain.empty() ? "" : node.domain + ".") + node.op + "(" +
            list(node.inputs, false) + ")";
    std::string attributes;
    for (const auto& [name, value] : node.attributes.entries()) {
      attributes += (attributes.empty() ? "" : ", ") + name + "=" +
                    std::visit([](const auto& held) { return item_text(held); }, value);
    }
    text += attributes.empty() ? "\n" : " {" + attributes + "}\n";
    if (depth == 0) continue;
    for (const auto& inner : subgraphs(node)) print(*inner, indent + "    ", depth - 1, text);
  }
  text += indent + "  return " + list(graph.outputs, false) + "\n";
}

}  // namespace

std::string type_text(const ValueType& type) {
  const auto inner = [&type] { return type.element ? type_text(*type.element) : std::string("?"); };
  switch (type.kind) {
    case ValueType::Kind::kUnknown:
      return "?";
    case ValueType::Kind::kSequence:
      return "sequence(" + inner() + ")";
    case ValueType::Kind::kOptional:
      return "optional(" + inner() + ")";
    case ValueType::Kind::kMap:
      return "map(" + std::string(dtype_name(type.dtype)) + ", " + inner() + ")";
    case ValueType::Kind::kTensor:
      break;
  }
  return std::string(dtype_name(type.dtype)) + (type.ranked ? dims_text(type.dims) : "[...]");
}

std::string Graph::text() const {
  std::string text;
  print(*this, "", 16, text);
  return text;
}

}  // namespace lanthorn
