#include <cmath>
#include <cstdio>

#include "cli/inspect_shared.h"
#include "cli/json_shared.h"
#include "cli/tensor_facts_shared.h"
#include "formats/torch/object_text.h"

namespace lanthorn {
namespace {

void pair(JsonWriter& writer, std::string_view key, std::string_view text) {
  json_key(writer, key);
  json_text(writer, text);
}

void texts(JsonWriter& writer, std::string_view key, std::span<const std::string> items) {
  json_key(writer, key);
  writer.StartArray();
  for (const std::string& item : items) json_text(writer, item);
  writer.EndArray();
}

void sizes(JsonWriter& writer, std::string_view key, std::span<const int64_t> items) {
  json_key(writer, key);
  writer.StartArray();
  for (const int64_t item : items) writer.Int64(item);
  writer.EndArray();
}

void number(JsonWriter& writer, std::string_view key, double value) {
  json_key(writer, key);
  std::isfinite(value) ? static_cast<void>(writer.Double(value)) : json_text(writer, python_float_text(value));
}

void write_statistics(JsonWriter& writer, const TensorStatistics& statistics) {
  if (statistics.has_range) {
    number(writer, "min", statistics.minimum);
    number(writer, "max", statistics.maximum);
    number(writer, "mean", statistics.mean);
  }
  json_key(writer, "nan_count");
  writer.Uint64(statistics.nan_count);
  json_key(writer, "inf_count");
  writer.Uint64(statistics.infinity_count);
}

void write_tensor(JsonWriter& writer, const std::string& name, const Tensor& tensor) {
  pair(writer, "name", name);
  pair(writer, "dtype", dtype_name(tensor.dtype()));
  sizes(writer, "shape", tensor.shape());
  sizes(writer, "stride", tensor.strides());
  json_key(writer, "bytes");
  writer.Uint64(tensor.byte_size());
}

Status write_tensors(JsonWriter& writer, const Model& model, const InspectOptions& options) {
  Progress progress("reading", bytes_to_read(model, options));
  json_key(writer, "tensors");
  writer.StartArray();
  for (const NamedTensor& entry : model.tensors().entries()) {
    writer.StartObject();
    write_tensor(writer, entry.name, entry.tensor);
    if (options.digest) {
      LAN_TRY(const std::string hex, tensor_digest(entry.tensor, &progress));
      pair(writer, "sha256", hex);
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
    pair(writer, "name", entry.name);
    pair(writer, "type", object_type(tree, entry.id));
    if (const std::string name = object_class(tree, entry.id); !name.empty()) {
      pair(writer, "class", name);
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
    pair(writer, "repr", object_text(tree, entry.id, kMost));
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
      if (std::isfinite(*real)) number(writer, "value", *real);
    } else if (const std::string* text = std::get_if<std::string>(&value)) {
      pair(writer, "value", *text);
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
    pair(writer, "name", entry.name);
    pair(writer, "class", entry.class_name);
    json_key(writer, "training");
    entry.training ? writer.Bool(*entry.training) : writer.Null();
    json_key(writer, "settings");
    writer.StartObject();
    for (const auto& [key, value] : entry.settings) pair(writer, key, value);
    writer.EndObject();
    texts(writer, "parameters", entry.parameters);
    texts(writer, "buffers", entry.buffers);
    json_key(writer, "hooks");
    writer.StartArray();
    for (const ModuleEntry::Hook& hook : entry.hooks) {
      writer.StartObject();
      pair(writer, "kind", hook.kind);
      pair(writer, "function", hook.function);
      writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
}

void print(const rapidjson::StringBuffer& buffer) {
  std::fwrite(buffer.GetString(), 1, buffer.GetSize(), stdout);
  std::printf("\n");
}

}  // namespace

void print_one_tensor_json(const std::string& name, const Tensor& tensor, const TensorStatistics& statistics, const std::string& digest) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_tensor(writer, name, tensor);
  if (!digest.empty()) pair(writer, "sha256", digest);
  write_statistics(writer, statistics);
  writer.EndObject();
  print(buffer);
}

Status inspect_as_json(const Model& model, const InspectOptions& options) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  pair(writer, "file", options.file);
  pair(writer, "format", model.format());
  pair(writer, "version", model.format_version());
  pair(writer, "producer", model.producer());
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
  for (const auto& [key, value] : model.metadata()) pair(writer, key, value);
  writer.EndObject();
  texts(writer, "notes", model.notes());
  LAN_OK(write_values(writer, model));
  if (options.tensors) LAN_OK(write_tensors(writer, model, options));
  if (options.objects && model.objects()) LAN_OK(write_objects(writer, *model.objects()));
  if (options.modules) {
    LAN_TRY(const std::vector<ModuleEntry> modules, modules_of(model));
    write_modules(writer, modules);
  }
  writer.EndObject();
  print(buffer);
  return ok();
}

}  // namespace lanthorn
