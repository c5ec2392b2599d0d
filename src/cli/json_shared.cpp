#include "cli/json_shared.h"

namespace lanthorn {

void json_port(JsonWriter& writer, const Port& port) {
  writer.StartObject();
  json_key(writer, "name");
  json_text(writer, port.name);
  json_key(writer, "type");
  json_text(writer, port.type);
  json_key(writer, "dtype");
  if (port.dtype == DType::kUndefined) {
    writer.Null();
  } else {
    json_text(writer, dtype_name(port.dtype));
  }
  json_key(writer, "shape");
  if (port.has_shape) {
    writer.StartArray();
    for (const Port::Dim& dim : port.shape) {
      if (dim.size >= 0) {
        writer.Int64(dim.size);
      } else if (dim.symbol.empty()) {
        writer.Null();
      } else {
        json_text(writer, dim.symbol);
      }
    }
    writer.EndArray();
  } else {
    writer.Null();
  }
  writer.EndObject();
}

}  // namespace lanthorn
