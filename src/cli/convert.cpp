#include <cstdio>

#include "base/progress.h"
#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/convert_onnx_shared.h"
#include "cli/json_shared.h"
#include "model/conversion.h"

namespace lanthorn {
namespace {

struct Options {
  std::vector<std::string> files, strip, rename;
  std::string dtype, map, prefix, shard_bytes, max_memory = "256M";
  bool dry_run = false, json = false;
  ConversionOptions conversion;
  OnnxFlags onnx;
};

/// "bf16", "float16", "f8e4m3fn", ...: a floating-point dtype by its short or PyTorch's name.
Result<DType> parse_dtype(const std::string& text) {
  constexpr std::pair<std::string_view, DType> kShort[] = {
      {"f64", DType::kF64},         {"f32", DType::kF32},       {"f16", DType::kF16},
      {"fp16", DType::kF16},        {"fp32", DType::kF32},      {"half", DType::kF16},
      {"bf16", DType::kBF16},       {"f8e4m3", DType::kF8E4M3FN}, {"f8e4m3fn", DType::kF8E4M3FN},
      {"f8e4m3fnuz", DType::kF8E4M3FNUZ}, {"f8e5m2", DType::kF8E5M2}, {"f8e5m2fnuz", DType::kF8E5M2FNUZ}};
  for (const auto& [name, dtype] : kShort) {
    if (text == name) return dtype;
  }
  const DType dtype = dtype_from_name(text);
  if (is_floating(dtype) && dtype_bytes(dtype) > 0 && dtype != DType::kF6E2M3 && dtype != DType::kF6E3M2 &&
      dtype != DType::kF4E2M1) {
    return dtype;
  }
  return Error{ErrorCode::kUsage, "is no floating-point dtype", "--dtype " + text,
               "Use f64, f32, f16, bf16, f8e4m3fn, f8e4m3fnuz, f8e5m2 or f8e5m2fnuz."};
}

Status read_options(Options& options) {
  ConversionOptions& conversion = options.conversion;
  if (!options.dtype.empty()) {
    LAN_TRY(conversion.write.floats, parse_dtype(options.dtype));
  }
  if (!options.shard_bytes.empty()) {
    LAN_TRY(conversion.write.max_shard_bytes, parse_bytes(options.shard_bytes, "--max-shard-size"));
  }
  if (!options.map.empty()) {
    LAN_TRY(conversion.names.map, read_name_map(options.map));
  }
  for (const std::string& rule : options.rename) {
    LAN_TRY(NameRule parsed, NameRule::parse(rule));
    conversion.names.rules.push_back(std::move(parsed));
  }
  conversion.names.strip = options.strip;
  conversion.names.prefix = options.prefix;
  LAN_TRY(conversion.limits.max_memory_bytes, parse_bytes(options.max_memory, "--max-memory"));
  return ok();
}

void print_report(const Options& options, const Conversion& conversion, const WriteReport& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "format", conversion.format);
  json_written(writer, report, options.dry_run);
  json_key(writer, "left_out");
  writer.Uint64(conversion.left_out);
  json_key(writer, "tensors");
  writer.StartArray();
  for (const ConversionStep& step : conversion.steps) {
    writer.StartObject();
    json_member(writer, "name", step.tensor.name);
    json_member(writer, "source", step.source);
    json_member(writer, "dtype", dtype_name(written_dtype(step.tensor.tensor.dtype(), conversion.write)));
    json_sizes(writer, "shape", step.tensor.tensor.shape());
    writer.EndObject();
  }
  writer.EndArray();
  json_key(writer, "notes");
  writer.StartArray();
  for (const std::string& note : conversion.notes) json_text(writer, note);
  for (const std::string& note : report.notes) json_text(writer, note);
  writer.EndArray();
  writer.EndObject();
  print_json(buffer);
}

void print_plan(const Conversion& conversion) {
  for (const ConversionStep& step : conversion.steps) {
    const Tensor& tensor = step.tensor.tensor;
    const DType dtype = written_dtype(tensor.dtype(), conversion.write);
    std::string text = step.source;
    if (step.source != step.tensor.name) text += " -> " + step.tensor.name;
    std::printf("  %-64s %s%s", printable(text).c_str(), std::string(dtype_name(tensor.dtype())).c_str(),
                shape_text(tensor.shape()).c_str());
    if (dtype != tensor.dtype()) std::printf(" -> %s", std::string(dtype_name(dtype)).c_str());
    std::printf("\n");
  }
  std::printf("%zu tensors, %s, as %s; nothing was written (--dry-run)\n", conversion.steps.size(),
              bytes_text(conversion.bytes).c_str(), conversion.format.c_str());
}

/// Flags of conversions of tensors mean nothing for a model, and the other way round.
Status convert_model(const Options& options) {
  const ConversionOptions& conversion = options.conversion;
  const bool of_tensors = conversion.write.floats != DType::kUndefined || !conversion.names.empty() ||
                          !conversion.select.empty() || !conversion.exclude.empty() || conversion.flat ||
                          conversion.last_wins || conversion.write.copy_tied || conversion.write.max_shard_bytes > 0;
  if (of_tensors) {
    return Error{ErrorCode::kUsage, "flags that choose, rename, cast or split tensors do not go with ONNX", "",
                 "`lanthorn convert --help` lists those for ONNX."};
  }
  if (options.files.size() != 2) {
    return Error{ErrorCode::kUsage, "one model makes one ONNX file", "", ""};
  }
  return convert_to_onnx({options.files[0], options.files[1], conversion.limits.max_memory_bytes,
                          options.dry_run, options.json},
                         options.onnx);
}

Status convert_files(Options& options) {
  LAN_OK(read_options(options));
  const std::string wanted = options.conversion.format.empty() ? format_of_name(options.files.back())
                                                               : options.conversion.format;
  if (wanted == "onnx") return convert_model(options);
  if (options.onnx.any()) {
    return Error{ErrorCode::kUsage, "flags for ONNX, but the output is none", options.files.back(),
                 "Name the output .onnx, or use --to onnx."};
  }
  const std::vector<std::filesystem::path> inputs(options.files.begin(), options.files.end() - 1);
  const std::filesystem::path output = options.files.back();
  LAN_TRY(Conversion conversion, plan_conversion(inputs, output, options.conversion));
  WriteReport report;
  if (!options.dry_run) {
    Progress progress("converting", conversion.bytes);
    conversion.write.progress = [&](uint64_t bytes) { progress.advance(bytes); };
    auto written = run_conversion(conversion, output);
    if (!written) return std::move(written).error();
    report = *std::move(written);
  }
  for (const auto* notes : {&conversion.notes, &report.notes}) {
    if (options.json) break;
    for (const std::string& note : *notes) std::fprintf(stderr, "lanthorn: note: %s\n", printable(note).c_str());
  }
  if (options.json) {
    print_report(options, conversion, report);
  } else if (options.dry_run) {
    print_plan(conversion);
  } else {
    std::printf("%s: %zu tensors, %s%s\n", report.files.back().string().c_str(), conversion.steps.size(),
                bytes_text(report.bytes).c_str(),
                report.files.size() > 1 ? (", " + std::to_string(report.files.size()) + " files").c_str() : "");
  }
  return ok();
}

int run_command(int argc, char** argv) {
  Options options;
  ConversionOptions& conversion = options.conversion;
  CLI::App app{"Writes the tensors of any file in another format, and models as ONNX. Of a whole model or a file that would\n"
               "run code only data is kept; notes say what was dropped.",
               "lanthorn convert"};
  app.add_option("FILES", options.files, "one or more inputs, then the output (.onnx, .pth .pt .bin .ckpt, .safetensors, .npz, .npy)")
      ->required()
      ->expected(2, 1000);
  app.add_option("--to", conversion.format, "onnx, torch, torch-legacy, safetensors, npz, npy; else by the output's name");
  app.add_option("--dtype", options.dtype, "cast floating-point tensors: bf16, f16, f32, f64, f8e4m3fn, f8e5m2, ...");
  app.add_option("--select", conversion.select, "keep only tensors whose names fit this glob; may come again");
  app.add_option("--exclude", conversion.exclude, "leave out tensors whose names fit this glob; may come again");
  app.add_option("--map", options.map, "new names: a JSON object, or lines OLD NEW");
  app.add_option("--strip-prefix", options.strip, "take this from the beginning of names");
  app.add_option("--rename", options.rename, "'s/RE/TO/': an extended regular expression; flags g and i; may come again");
  app.add_option("--add-prefix", options.prefix, "put this before every name");
  app.add_option("--max-shard-size", options.shard_bytes, "5GB, 200MB: more files with an index where that is not enough");
  app.add_flag("--flat", conversion.flat, "of a checkpoint write its tensors only, as one state_dict");
  app.add_flag("--copy-tied", conversion.write.copy_tied, "safetensors: write tied tensors under each of their names");
  app.add_flag("--last-wins", conversion.last_wins, "where inputs share a name, take the last");
  app.add_option("--max-memory", options.max_memory, "for structures, beyond mapped files: 512M, 2G")->capture_default_str();
  add_onnx_options(app, options.onnx);
  app.add_flag("--dry-run", options.dry_run, "show what would be written");
  app.add_flag("--json", options.json, "one JSON document on stdout");
  for (const char* many : {"--select", "--exclude", "--strip-prefix", "--rename"}) {
    app.get_option(many)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  app.footer("Names change in this order: --map, --strip-prefix, --rename, --add-prefix.\n\nExamples:\n"
             "  lanthorn convert model.pth model.safetensors\n"
             "  lanthorn convert model.safetensors model.pth --dtype bf16\n"
             "  lanthorn convert untrusted.ckpt safe.pth\n"
             "  lanthorn convert checkpoint.pth weights.pth --select 'model.*' --strip-prefix model.\n"
             "  lanthorn convert ddp.pth plain.pth --rename 's/^module\\.//'\n"
             "  lanthorn convert big.pth model.safetensors --max-shard-size 5GB\n"
             "  lanthorn convert encoder.pth decoder.safetensors both.safetensors\n"
             "  lanthorn convert model_traced.pt model.onnx --opset 17 --input-names input --output-names output \\\n"
             "      --dynamic input:0=batch_size --example in.npz\n"
             "  lanthorn convert model.onnx older.onnx --opset 13");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const Status done = convert_files(options);
  return done ? 0 : report(done.error());
}

}  // namespace

extern constinit const Command command_convert{"convert", "writes tensors in another format", run_command};

}  // namespace lanthorn
