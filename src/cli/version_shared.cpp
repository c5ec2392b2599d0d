#include "cli/version_shared.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "cli/json_shared.h"
#include "formats/format.h"
#include "ops/op.h"

namespace lanthorn {
namespace {

void write_ports(JsonWriter& writer, std::string_view key, const auto& ports) {
  json_key(writer, key);
  writer.StartArray();
  for (const OpPort& port : ports) {
    writer.StartObject();
    json_member(writer, "name", port.name);
    json_key(writer, "dtypes");
    if (port.types == kAnyType || port.types == 0) {
      writer.Null();
    } else {
      writer.StartArray();
      for (unsigned i = 1; i <= static_cast<unsigned>(DType::kString); ++i) {
        const auto dtype = static_cast<DType>(i);
        if ((port.types & type_bit(dtype)) != 0) json_text(writer, dtype_name(dtype));
      }
      writer.EndArray();
    }
    for (const auto& [what, is] : {std::pair("optional", port.optional), std::pair("variadic", port.variadic)}) {
      json_key(writer, what);
      writer.Bool(is);
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void write_operator(JsonWriter& writer, const OpEntry& entry) {
  writer.StartObject();
  json_member(writer, "domain", entry.def->domain);
  json_member(writer, "name", entry.def->name);
  json_key(writer, "since");
  writer.Int(entry.def->since);
  write_ports(writer, "inputs", entry.def->inputs);
  write_ports(writer, "outputs", entry.def->outputs);
  std::vector<std::string> fast;
  for (const FastKernel& kernel : entry.fast()) fast.emplace_back(kernel.name);
  json_texts(writer, "fast_kernels", fast);
  writer.EndObject();
}

}  // namespace

void print_version() {
  std::printf("lanthorn %s\n", std::string(version()).c_str());
  std::string levels;
  for (const IsaLevel level : available_isa_levels()) levels += (levels.empty() ? "" : " ") + std::string(isa_name(level));
  std::printf("instruction sets: %s (using %s)\n", levels.c_str(), std::string(isa_name(detect_isa())).c_str());
  std::printf("operators: %zu, ONNX opset inside: %d\n", all_ops().size(), kOpset);
  std::printf("reads:\n");
  for (const Format* format : all_formats()) std::printf("  %-12s %s\n", std::string(format->name).c_str(), std::string(format->versions).c_str());
  std::printf("writes:\n");
  for (const Format* format : all_formats()) {
    if (!format->written.empty()) std::printf("  %-12s %s\n", std::string(format->name).c_str(), std::string(format->written).c_str());
  }
}

void print_version_json() {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "version", version());
  std::vector<std::string> levels;
  for (const IsaLevel level : available_isa_levels()) levels.emplace_back(isa_name(level));
  json_texts(writer, "instruction_sets", levels);
  json_member(writer, "instruction_set", isa_name(detect_isa()));
  json_key(writer, "opset");
  writer.Int(kOpset);
  json_key(writer, "formats");
  writer.StartObject();
  for (const Format* format : all_formats()) {
    json_key(writer, format->name);
    writer.StartObject();
    json_member(writer, "reads", format->versions);
    if (!format->written.empty()) json_member(writer, "writes", format->written);
    writer.EndObject();
  }
  writer.EndObject();
  // In the order of their names, which no build changes.
  std::vector<const OpEntry*> operators;
  for (const OpEntry& entry : all_ops()) operators.push_back(&entry);
  std::sort(operators.begin(), operators.end(), [](const OpEntry* a, const OpEntry* b) {
    return std::pair(a->def->domain, a->def->name) < std::pair(b->def->domain, b->def->name);
  });
  json_key(writer, "operators");
  writer.StartArray();
  for (const OpEntry* entry : operators) write_operator(writer, *entry);
  writer.EndArray();
  writer.EndObject();
  print_json(buffer);
}

}  // namespace lanthorn
