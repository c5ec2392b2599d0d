// `convert` of a program or an ONNX model to ONNX.

#include "cli/convert_onnx_shared.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/progress.h"
#include "cli/command_line_shared.h"
#include "cli/json_shared.h"
#include "cli/npz_values_shared.h"
#include "formats/onnx/write/write.h"
#include "model/export_onnx.h"

namespace lanthorn {
namespace {

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size() || (begin > 0 && begin == text.size());) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return names;
}

Result<DynamicAxis> parse_dynamic(const std::string& text) {
  const size_t equals = text.rfind('=');
  const size_t colon = text.rfind(':', equals);
  DynamicAxis axis;
  const auto wrong = [&] {
    return Error{ErrorCode::kUsage, "is not NAME:AXIS=SYMBOL", "--dynamic " + text,
                 "Write --dynamic input:0=batch_size."};
  };
  if (equals == text.npos || colon == text.npos || colon == 0 || equals + 1 == text.size()) {
    return wrong();
  }
  axis.port = text.substr(0, colon);
  axis.symbol = text.substr(equals + 1);
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + equals;
  const auto [stop, problem] = std::from_chars(begin, end, axis.axis);
  if (problem != std::errc() || stop != end) return wrong();
  return axis;
}

Result<OnnxExportOptions> export_options(const OnnxFlags& flags, const FileContents& contents) {
  OnnxExportOptions options;
  options.input_names = split_names(flags.input_names);
  options.output_names = split_names(flags.output_names);
  for (const std::string& text : flags.dynamic) {
    LAN_TRY(DynamicAxis axis, parse_dynamic(text));
    options.dynamic.push_back(std::move(axis));
  }
  LAN_TRY(options.input_shapes, parse_input_shapes(flags.input_shapes));
  // An ONNX model tells its inputs itself.
  if (!flags.example.empty() && contents.program) {
    LAN_TRY(options.example, read_input_values(flags.example, export_ports(contents)));
  }
  options.fold_batch_norm = flags.fold_batch_norm;
  options.opset = flags.opset.value_or(kOpset);
  return options;
}

void print_json_report(const OnnxConversion& conversion, const Graph& graph, int opset,
                       const WriteReport& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "format", "onnx");
  json_key(writer, "opset");
  writer.Int(opset);
  json_written(writer, report, conversion.dry_run);
  json_key(writer, "nodes");
  writer.Uint64(graph.nodes.size());
  for (const auto& [key, ports] : {std::pair("inputs", &graph.inputs), {"outputs", &graph.outputs}}) {
    json_key(writer, key);
    writer.StartArray();
    for (const ValueId id : *ports) json_text(writer, graph.values[id].name);
    writer.EndArray();
  }
  json_texts(writer, "notes", report.notes);
  writer.EndObject();
  print_json(buffer);
}

uint64_t constant_bytes(const Graph& graph) {
  uint64_t bytes = 0;
  for (const GraphValue& value : graph.values) {
    if (value.constant) bytes += value.constant->byte_size();
  }
  return bytes;
}

}  // namespace

bool OnnxFlags::any() const {
  return opset.has_value() || !input_names.empty() || !output_names.empty() || !dynamic.empty() ||
         !example.empty() || !input_shapes.empty() || !external_data.empty() || fold_batch_norm;
}

void add_onnx_options(CLI::App& app, OnnxFlags& flags) {
  const std::string group = "To ONNX";
  app.add_option("--opset", flags.opset, "of ai.onnx, 7 to 28; the newest unless given")->group(group);
  app.add_option("--input-names", flags.input_names, "new names of the inputs, separated by commas")
      ->group(group);
  app.add_option("--output-names", flags.output_names, "new names of the outputs")->group(group);
  app.add_option("--dynamic", flags.dynamic, "NAME:AXIS=SYMBOL: a dimension that shall be free; may come again")
      ->group(group);
  app.add_option("--example", flags.example, "IN.npz: what a program is evaluated for, where the file does not tell")
      ->group(group);
  app.add_option("--input-shape", flags.input_shapes, "NAME:1,3,224,224 in place of an example")->group(group);
  app.add_option("--external-data", flags.external_data,
                 "1M, 1K, ...: bigger tensors go to OUT.onnx.data; without it only where ONNX's limit of 2 GB asks for it")
      ->group(group);
  app.add_flag("--fold-batch-norm", flags.fold_batch_norm, "fold batch normalization into convolutions")->group(group);
  for (const char* many : {"--dynamic", "--input-shape"}) {
    app.get_option(many)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

Status convert_to_onnx(const OnnxConversion& conversion, const OnnxFlags& flags) {
  ReadLimits limits;
  limits.max_memory_bytes = conversion.max_memory_bytes;
  limits.check_crc = true;
  LAN_TRY(const FileContents contents, read_file(conversion.input, limits));
  LAN_TRY(const OnnxExportOptions options, export_options(flags, contents));
  auto exported = export_onnx(contents, options);
  if (!exported) return std::move(exported).error().at(conversion.input.string());
  onnx::OnnxWriteOptions write;
  write.opset = flags.opset.value_or(kOpset);
  if (!flags.external_data.empty()) {
    LAN_TRY(write.external_threshold, parse_bytes(flags.external_data, "--external-data"));
  }
  write.write.sources = contents.files;
  Progress progress("converting", constant_bytes(*exported->graph));
  write.write.progress = [&](uint64_t bytes) { progress.advance(bytes); };
  WriteReport report;
  if (conversion.dry_run) {
    LAN_OK(onnx::check_writable(*exported->graph, exported->annotations, write));
  } else {
    auto written = onnx::write_model(conversion.output, *exported->graph, exported->annotations, write);
    if (!written) return std::move(written).error();
    report = *std::move(written);
  }
  for (const std::vector<std::string>* notes : {&std::as_const(exported->notes), &contents.notes}) {
    report.notes.insert(report.notes.end(), notes->begin(), notes->end());
  }
  if (conversion.json) {
    print_json_report(conversion, *exported->graph, write.opset, report);
    return ok();
  }
  for (const std::string& note : report.notes) {
    std::fprintf(stderr, "lanthorn: note: %s\n", printable(note).c_str());
  }
  if (conversion.dry_run) {
    std::printf("%zu nodes, opset %d; nothing was written (--dry-run)\n", exported->graph->nodes.size(), write.opset);
  } else {
    std::printf("%s: %zu nodes, opset %d, %s%s\n", conversion.output.string().c_str(), exported->graph->nodes.size(),
                write.opset, bytes_text(report.bytes).c_str(),
                report.files.size() > 1 ? ", external data beside it" : "");
  }
  return ok();
}

}  // namespace lanthorn
