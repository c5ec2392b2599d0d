// What is told of a graph: the types of all values, as far as they follow from those of its inputs, its text, and what it costs.

#include "cli/inspect_shared.h"
#include "cli/json_shared.h"
#include "graph/diagram.h"
#include "model/graph_cost.h"
#include "ops/infer_all.h"

namespace lanthorn {
namespace {

// A number, a symbol, an expression over symbols; null where nothing is known.
void write_dim(JsonWriter& writer, const Dim& dim) {
  if (dim.is_known()) {
    writer.Int64(dim.value());
    return;
  }
  const std::string text = dim.text();
  text.find('?') == std::string::npos ? json_text(writer, text) : static_cast<void>(writer.Null());
}

// As NumPy and ml_dtypes call it.
std::string_view numpy_name(DType dtype) {
  return dtype == DType::kF4E2M1 ? "float4_e2m1fn" : dtype_name(dtype);
}

}  // namespace

Result<ExampleGraph> inferred_graph(const Model& model, bool sized) {
  ExampleGraph example = sized ? sized_graph(*model.impl()) : example_graph(*model.impl());
  if (!example.graph) return example;
  auto graph = std::make_shared<Graph>(*example.graph);
  LAN_OK(infer_all(*graph));
  example.graph = std::move(graph);
  return example;
}

Result<std::string> graph_text(const Model& model, const std::string& form) {
  LAN_TRY(const ExampleGraph example, inferred_graph(model));
  const Graph* const graph = example.graph.get();
  if (!graph) return model.code();
  return form == "dot" ? graph_dot(*graph) : form == "mermaid" ? graph_mermaid(*graph) : graph->text();
}

Status write_cost(JsonWriter& writer, const Model& model) {
  LAN_TRY(const ExampleGraph example, inferred_graph(model, true));
  if (!example.graph) return ok();
  json_key(writer, "operators");
  writer.StartObject();
  for (const auto& [name, count] : count_operators(*example.graph)) {
    json_key(writer, name);
    writer.Uint64(count);
  }
  writer.EndObject();
  const GraphCost cost = cost_of(*example.graph, example.shapes);
  json_key(writer, "operations");
  cost.operations_here ? writer.Int64(*cost.operations_here) : writer.Null();
  if (cost.operations_here) json_member(writer, "operations_expression", cost.operations.text());
  json_key(writer, "activation_bytes");
  cost.activation_bytes ? writer.Uint64(*cost.activation_bytes) : writer.Null();
  return ok();
}

Status write_values(JsonWriter& writer, const Model& model) {
  if (!model.impl()->contents.graph) return ok();
  LAN_TRY(const ExampleGraph inferred, inferred_graph(model));
  const Graph& graph = *inferred.graph;
  json_key(writer, "values");
  writer.StartObject();
  for (const GraphValue& value : graph.values) {
    const bool tensor = value.type.kind == ValueType::Kind::kTensor && value.type.dtype != DType::kUndefined;
    if (value.name.empty() || !tensor) continue;
    json_key(writer, value.name);
    writer.StartObject();
    json_member(writer, "dtype", numpy_name(value.type.dtype));
    json_key(writer, "shape");
    if (value.type.ranked) {
      writer.StartArray();
      for (const Dim& dim : value.type.dims) write_dim(writer, dim);
      writer.EndArray();
    } else {
      writer.Null();
    }
    writer.EndObject();
  }
  writer.EndObject();
  return ok();
}

}  // namespace lanthorn
