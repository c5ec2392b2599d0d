#include <cstdio>
#include <string>

#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/json_shared.h"
#include "codec/sha256.h"

namespace lanthorn {
namespace {

struct Options {
  std::string file;
  std::vector<std::string> shapes;
  bool json = false, tensors = false, graph = false, code = false, digest = false;
};

void write_shape(JsonWriter& writer, std::string_view key, std::span<const int64_t> sizes) {
  json_key(writer, key);
  writer.StartArray();
  for (const int64_t size : sizes) writer.Int64(size);
  writer.EndArray();
}

/// What the digest is of: the elements in C order, little-endian, as the dtype stores them. Empty where a tensor has no bytes of its
/// own (texts, or a file whose data is not there).
Result<std::string> digest(const Tensor& tensor) {
  if (!tensor.defined() || tensor.dtype() == DType::kString) return std::string();
  LAN_TRY(const Tensor straight, tensor.contiguous());
  return sha256_hex(straight.bytes());
}

Status write_tensors(JsonWriter& writer, const StateDict& tensors, bool with_digest) {
  json_key(writer, "tensors");
  writer.StartArray();
  for (const NamedTensor& entry : tensors.entries()) {
    writer.StartObject();
    json_key(writer, "name");
    json_text(writer, entry.name);
    json_key(writer, "dtype");
    json_text(writer, dtype_name(entry.tensor.dtype()));
    write_shape(writer, "shape", entry.tensor.shape());
    write_shape(writer, "stride", entry.tensor.strides());
    json_key(writer, "bytes");
    writer.Uint64(entry.tensor.byte_size());
    if (with_digest) {
      LAN_TRY(const std::string hex, digest(entry.tensor));
      json_key(writer, "sha256");
      json_text(writer, hex);
    }
    writer.EndObject();
  }
  writer.EndArray();
  return ok();
}

uint64_t parameter_count(const StateDict& tensors) {
  uint64_t count = 0;
  for (const NamedTensor& entry : tensors.entries()) count += static_cast<uint64_t>(entry.tensor.count());
  return count;
}

Status print_json(const Model& model, const Options& options) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_key(writer, "file");
  json_text(writer, options.file);
  json_key(writer, "format");
  json_text(writer, model.format());
  json_key(writer, "version");
  json_text(writer, model.format_version());
  json_key(writer, "producer");
  json_text(writer, model.producer());
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
  for (const auto& [key, value] : model.metadata()) {
    json_key(writer, key);
    json_text(writer, value);
  }
  writer.EndObject();
  json_key(writer, "notes");
  writer.StartArray();
  for (const std::string& note : model.notes()) json_text(writer, note);
  writer.EndArray();
  if (options.tensors) LAN_OK(write_tensors(writer, model.tensors(), options.digest));
  writer.EndObject();
  std::fwrite(buffer.GetString(), 1, buffer.GetSize(), stdout);
  std::printf("\n");
  return ok();
}

Status print_text(const Model& model, const Options& options) {
  std::printf("%s\n", options.file.c_str());
  std::printf("  format      %s%s%s\n", model.format().c_str(), model.format_version().empty() ? "" : ", version ",
              model.format_version().c_str());
  if (!model.producer().empty()) std::printf("  producer    %s\n", model.producer().c_str());
  for (const Port& port : model.inputs()) std::printf("  input       %s: %s\n", port.name.c_str(), port_text(port).c_str());
  for (const Port& port : model.outputs()) std::printf("  output      %s: %s\n", port.name.c_str(), port_text(port).c_str());
  if (model.runnable() && model.is_classifier()) std::printf("  kind        classifier\n");
  uint64_t bytes = 0;
  for (const NamedTensor& entry : model.tensors().entries()) bytes += entry.tensor.byte_size();
  std::printf("  tensors     %zu, %llu elements, %s\n", model.tensors().size(),
              static_cast<unsigned long long>(parameter_count(model.tensors())), bytes_text(bytes).c_str());
  for (const auto& [key, value] : model.metadata()) std::printf("  %-11s %s\n", key.c_str(), value.c_str());
  for (const std::string& note : model.notes()) std::printf("  note        %s\n", note.c_str());
  if (options.tensors) {
    std::printf("\n");
    for (const NamedTensor& entry : model.tensors().entries()) {
      std::printf("  %-48s %-10s %-20s %s\n", entry.name.c_str(), std::string(dtype_name(entry.tensor.dtype())).c_str(),
                  shape_text(entry.tensor.shape()).c_str(), bytes_text(entry.tensor.byte_size()).c_str());
      if (!options.digest) continue;
      LAN_TRY(const std::string hex, digest(entry.tensor));
      std::printf("    sha256 %s\n", hex.c_str());
    }
  }
  if (options.graph) std::printf("\n%s", model.program_text().c_str());
  if (options.code) std::printf("\n%s", model.code().c_str());
  return ok();
}

Status inspect(const Options& options) {
  LoadOptions load_options;
  LAN_TRY(load_options.input_shapes, parse_input_shapes(options.shapes));
  LAN_TRY(const Model model, load(options.file, load_options));
  return options.json ? print_json(model, options) : print_text(model, options);
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Shows what a file is: format, inputs and outputs, tensors, metadata.", "lanthorn inspect"};
  app.add_option("FILE", options.file, "any file that lanthorn reads")->required();
  app.add_flag("--tensors", options.tensors, "list every tensor");
  app.add_flag("--digest", options.digest, "with --tensors: SHA-256 of each (reads all bytes)");
  app.add_flag("--graph", options.graph, "print the graph (of a program the one that its example inputs lead to)");
  app.add_flag("--code", options.code, "print the code of a TorchScript archive");
  app.add_option("--input-shape", options.shapes, "NAME:batch,3,224,224 where the file does not tell");
  app.add_flag("--json", options.json, "one JSON document on stdout");
  app.footer("Examples:\n"
             "  lanthorn inspect model.pt\n"
             "  lanthorn inspect checkpoint.pth --tensors\n"
             "  lanthorn inspect model.onnx --json | jq .inputs");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const Status done = inspect(options);
  return done ? 0 : report(done.error());
}

}  // namespace

extern constinit const Command command_inspect{"inspect", "shows what is in a file", run_command};

}  // namespace lanthorn
