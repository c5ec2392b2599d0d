#include <cmath>

#include "cli/inspect_shared.h"
#include "cli/json_shared.h"
#include "cli/tensor_facts_shared.h"
#include "formats/torch/object_text.h"

namespace lanthorn {
namespace {

void write_statistics(JsonWriter& writer, const TensorStatistics& statistics) {
  if (statistics.has_range) {
    json_number(writer, "min", statistics.minimum);
    json_number(writer, "max", statistics.maximum);
    json_number(writer, "mean", statistics.mean);
  }
  json_key(writer, "nan_count");
  writer.Uint64(statistics.nan_count);
  json_key(writer, "inf_count");
  writer.Uint64(statistics.infinity_count);
}

/// {"scheme", "scale", "zero_point"}: a number each, or one for every index of "axis".
void write_quantizer(JsonWriter& writer, const Quantizer& quantizer) {
  json_key(writer, "quantization");
  writer.StartObject();
  json_member(writer, "scheme", quantizer.scheme.substr(quantizer.scheme.rfind('.') + 1));
  for (const auto& [key, tensor] : {std::pair{"scale", &quantizer.scales}, std::pair{"zero_point", &quantizer.zero_points}}) {
    const auto numbers = tensor->to_doubles();
    if (!numbers) continue;
    if (tensor->rank() == 0) {
      json_number(writer, key, numbers->at(0));
      continue;
    }
    json_key(writer, key);
    writer.StartArray();
    for (const double number : *numbers) json_number(writer, number);
    writer.EndArray();
  }
  if (quantizer.axis >= 0) {
    json_key(writer, "axis");
    writer.Int64(quantizer.axis);
  }
  writer.EndObject();
}

void write_tensor(JsonWriter& writer, const NamedTensor& entry, const Quantizer* quantizer) {
  const Tensor& tensor = entry.tensor;
  json_member(writer, "name", entry.name);
  json_member(writer, "dtype", dtype_name(tensor.dtype()));
  json_sizes(writer, "shape", tensor.shape());
  json_sizes(writer, "stride", tensor.strides());
  json_key(writer, "bytes");
  writer.Uint64(tensor.byte_size());
  if (quantizer) write_quantizer(writer, *quantizer);
}

Status write_tensors(JsonWriter& writer, const Model& model, const InspectOptions& options) {
  Progress progress("reading", bytes_to_read(model, options));
  json_key(writer, "tensors");
  writer.StartArray();
  for (const NamedTensor& entry : model.tensors().entries()) {
    writer.StartObject();
    write_tensor(writer, entry, quantizer_named(model, entry.name));
    if (options.digest) {
      LAN_TRY(const std::string hex, tensor_digest(entry.tensor, &progress));
      json_member(writer, "sha256", hex);
      if (const std::string carried = carried_digest(model, entry.name); !carried.empty()) {
        json_key(writer, "digest_matches");
        writer.Bool(carried == hex);
      }
    }
    if (options.stats) {
      LAN_TRY(const TensorStatistics statistics, tensor_statistics(entry.tensor, &progress));
      write_statistics(writer, statistics);
    }
    writer.EndObject();
  }
  writer.EndArray();
  json_key(writer, "ties");
  writer.StartArray();
  for (const auto& names : tied_names(model.tensors())) {
    writer.StartArray();
    for (const std::string& name : names) json_text(writer, name);
    writer.EndArray();
  }
  writer.EndArray();
  return ok();
}

/// {"name", "type"} with "class" of what is no built-in type, "len" of a container or "repr" of the
/// rest, and "value" where JSON has such a value.
Status write_objects(JsonWriter& writer, const ObjectTree& tree) {
  LAN_TRY(const std::vector<ObjectEntry> entries, list_objects(tree));
  json_key(writer, "objects");
  writer.StartArray();
  for (const ObjectEntry& entry : entries) {
    const Object& object = tree[entry.id];
    writer.StartObject();
    json_member(writer, "name", entry.name);
    json_member(writer, "type", object_type(tree, entry.id));
    if (const std::string name = object_class(tree, entry.id); !name.empty()) {
      json_member(writer, "class", name);
    }
    if (!is_object_leaf(tree, entry.id)) {
      if (object.kind != Object::Kind::kInstance) {
        json_key(writer, "len");
        const bool pairs = object.kind == Object::Kind::kDict;
        writer.Uint64(object.items.size() / (pairs ? 2 : 1));
      }
      writer.EndObject();
      continue;
    }
    constexpr size_t kMost = 4096;
    json_member(writer, "repr", object_text(tree, entry.id, kMost));
    const PlainValue value = tree.plain(entry.id);
    if (object.kind == Object::Kind::kNone) {
      json_key(writer, "value");
      writer.Null();
    } else if (const bool* flag = std::get_if<bool>(&value)) {
      json_key(writer, "value");
      writer.Bool(*flag);
    } else if (const int64_t* whole = std::get_if<int64_t>(&value)) {
      json_key(writer, "value");
      writer.Int64(*whole);
    } else if (const double* real = std::get_if<double>(&value)) {
      if (std::isfinite(*real)) json_number(writer, "value", *real);
    } else if (const std::string* text = std::get_if<std::string>(&value)) {
      json_member(writer, "value", *text);
    }
    writer.EndObject();
  }
  writer.EndArray();
  return ok();
}

void write_modules(JsonWriter& writer, const std::vector<ModuleEntry>& modules) {
  json_key(writer, "modules");
  writer.StartArray();
  for (const ModuleEntry& entry : modules) {
    writer.StartObject();
    json_member(writer, "name", entry.name);
    json_member(writer, "class", entry.class_name);
    json_key(writer, "training");
    entry.training ? writer.Bool(*entry.training) : writer.Null();
    json_key(writer, "settings");
    writer.StartObject();
    for (const auto& [key, value] : entry.settings) json_member(writer, key, value);
    writer.EndObject();
    json_texts(writer, "parameters", entry.parameters);
    json_texts(writer, "buffers", entry.buffers);
    json_key(writer, "hooks");
    writer.StartArray();
    for (const ModuleEntry::Hook& hook : entry.hooks) {
      writer.StartObject();
      json_member(writer, "kind", hook.kind);
      json_member(writer, "function", hook.function);
      writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

void print_one_tensor_json(const NamedTensor& entry, const Quantizer* quantizer, const TensorStatistics& statistics, const std::string& digest) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_tensor(writer, entry, quantizer);
  if (!digest.empty()) json_member(writer, "sha256", digest);
  write_statistics(writer, statistics);
  writer.EndObject();
  print_json(buffer);
}

Status inspect_as_json(const Model& model, const InspectOptions& options) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "file", options.file);
  json_member(writer, "format", model.format());
  json_member(writer, "version", model.format_version());
  json_member(writer, "producer", model.producer());
  json_key(writer, "runnable");
  writer.Bool(model.runnable());
  for (const auto& [key, ports] : {std::pair{"inputs", &model.inputs()}, std::pair{"outputs", &model.outputs()}}) {
    json_key(writer, key);
    writer.StartArray();
    for (const Port& port : *ports) json_port(writer, port);
    writer.EndArray();
  }
  json_key(writer, "parameters");
  writer.StartObject();
  json_key(writer, "tensors");
  writer.Uint64(model.tensors().size());
  json_key(writer, "elements");
  writer.Uint64(parameter_count(model.tensors()));
  writer.EndObject();
  json_key(writer, "metadata");
  writer.StartObject();
  for (const auto& [key, value] : model.metadata()) json_member(writer, key, value);
  writer.EndObject();
  json_texts(writer, "notes", model.notes());
  LAN_OK(write_values(writer, model));
  if (options.cost) LAN_OK(write_cost(writer, model));
  if (!options.graph.empty()) {
    LAN_TRY(const std::string text, graph_text(model, options.graph));
    json_member(writer, "graph", text);
  }
  if (options.tensors) LAN_OK(write_tensors(writer, model, options));
  if (options.objects && model.objects()) LAN_OK(write_objects(writer, *model.objects()));
  if (options.modules) {
    LAN_TRY(const std::vector<ModuleEntry> modules, modules_of(model));
    write_modules(writer, modules);
  }
  writer.EndObject();
  print_json(buffer);
  return ok();
}

}  // namespace lanthorn
