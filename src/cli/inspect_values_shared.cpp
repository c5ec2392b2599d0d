// The types of all values of a graph, as far as they follow from those of its inputs.

#include "cli/inspect_shared.h"
#include "cli/json_shared.h"
#include "graph/graph.h"
#include "model/model_impl.h"
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

Status write_values(JsonWriter& writer, const Model& model) {
  const std::shared_ptr<const Graph>& shared = model.impl()->contents.graph;
  if (!shared) return ok();
  Graph graph = *shared;
  LAN_OK(infer_all(graph));
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
