#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include <rapidjson/document.h>

#include "cli/classes_shared.h"
#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/expect_shared.h"
#include "cli/inputs_shared.h"
#include "cli/json_shared.h"
#include "cli/npz_values_shared.h"

namespace lanthorn {
namespace {

struct Options {
  std::string model, outputs, expect, labels, batch;
  InputOptions inputs;
  int threads = 0, top = 5;
  double tolerance = 1e-4;
  std::string precision = "fp32";
  bool reference = false, json = false;
};

Result<Session> open_session(const Model& model, const Options& options) {
  SessionOptions session;
  session.threads = options.threads;
  session.precision = options.precision == "bf16" ? Precision::kBF16 : Precision::kF32;
  session.optimize = !options.reference;
  return model.session(session);
}

std::string value_text(const Value& value) {
  if (value.is_none()) return "none";
  if (value.sequence()) return "sequence of " + std::to_string(value.sequence()->size());
  if (value.map()) return "map";
  if (const Tensor* tensor = value.tensor()) {
    return std::string(dtype_name(tensor->dtype())) + shape_text(tensor->shape());
  }
  return "value";
}

void print_outputs(const std::vector<NamedValue>& outputs, const std::vector<TopClasses>& tops) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_key(writer, "outputs");
  writer.StartArray();
  for (const NamedValue& output : outputs) {
    writer.StartObject();
    json_member(writer, "name", output.name);
    if (const Tensor* tensor = output.value.tensor()) {
      json_member(writer, "dtype", dtype_name(tensor->dtype()));
      json_sizes(writer, "shape", tensor->shape());
    }
    writer.EndObject();
  }
  writer.EndArray();
  if (!tops.empty()) {
    json_key(writer, "classes");
    writer.StartArray();
    for (const TopClasses& top : tops) {
      writer.StartArray();
      for (const TopClass& entry : top) {
        writer.StartObject();
        json_key(writer, "class");
        writer.Int64(entry.index);
        json_member(writer, "label", entry.label);
        json_key(writer, "score");
        writer.Double(entry.score);
        json_key(writer, "probability");
        writer.Double(entry.probability);
        writer.EndObject();
      }
      writer.EndArray();
    }
    writer.EndArray();
  }
  writer.EndObject();
  print_json(buffer);
}

void print_text(const std::vector<NamedValue>& outputs, const std::vector<TopClasses>& tops) {
  for (const NamedValue& output : outputs) {
    std::printf("%s: %s\n", output.name.c_str(), value_text(output.value).c_str());
  }
  for (size_t row = 0; row < tops.size(); ++row) {
    if (tops.size() > 1) std::printf("row %zu\n", row);
    for (const TopClass& entry : tops[row]) {
      std::printf("  %6.2f %%  %s  (score %.4g)\n", 100 * entry.probability, entry.label.c_str(), entry.score);
    }
  }
}

Result<int> run_once(const Options& options) {
  LAN_TRY(const LoadOptions load_options, options.inputs.load_options());
  LAN_TRY(const Model model, load(options.model, load_options));
  LAN_TRY(const Session session, open_session(model, options));
  LAN_TRY(const std::vector<NamedValue> inputs, make_inputs(model, options.inputs));
  auto outputs = session.run(std::span<const NamedValue>(inputs));
  if (!outputs) return std::move(outputs).error().at(options.model);
  if (!options.outputs.empty()) LAN_OK(write_output_values(options.outputs, *outputs));
  std::vector<std::string> labels;
  if (!options.labels.empty()) {
    LAN_TRY(labels, read_labels(options.labels));
  }
  std::vector<TopClasses> tops;
  const bool wants_classes = options.outputs.empty() || !labels.empty();
  if (wants_classes && outputs->size() == 1 && (*outputs)[0].value.tensor()) {
    tops = top_classes(*(*outputs)[0].value.tensor(), labels, options.top);
  }
  options.json ? print_outputs(*outputs, tops) : print_text(*outputs, tops);
  if (options.expect.empty()) return 0;
  LAN_TRY(const Comparison comparison, compare_with(options.expect, *outputs, options.tolerance));
  std::fprintf(options.json ? stderr : stdout, "%s\n", comparison.text.c_str());
  return comparison.same ? 0 : 1;
}

/// One line of --batch: {"model", "inputs", "outputs"}; one that fails does not stop the others.
Result<int> run_line(const std::string& line, const Options& options) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  const auto text = [&](const char* key) -> std::string {
    return document.IsObject() && document.HasMember(key) && document[key].IsString() ? document[key].GetString() : "";
  };
  if (document.HasParseError() || text("model").empty() || text("inputs").empty() || text("outputs").empty()) {
    return Error{ErrorCode::kUsage, "is no JSON object with \"model\", \"inputs\" and \"outputs\"", line.substr(0, 80), ""};
  }
  LAN_TRY(const LoadOptions load_options, options.inputs.load_options());
  LAN_TRY(const Model model, load(text("model"), load_options));
  LAN_TRY(const Session session, open_session(model, options));
  LAN_TRY(const auto inputs, read_input_values(text("inputs"), model.inputs()));
  LAN_TRY(const auto outputs, session.run(std::span<const NamedValue>(inputs)));
  LAN_OK(write_output_values(text("outputs"), outputs));
  return 0;
}

int run_batch(const Options& options) {
  std::ifstream file;
  if (options.batch != "-") file.open(options.batch);
  std::istream& list = options.batch == "-" ? std::cin : file;
  if (!list) return report(Error{ErrorCode::kNotFound, "cannot be opened", options.batch, ""});
  std::string line;
  while (std::getline(list, line)) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const auto done = run_line(line, options);
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    json_key(writer, "exit");
    writer.Int(done ? 0 : exit_status(done.error().code));
    json_key(writer, "error");
    done ? static_cast<void>(writer.Null()) : json_text(writer, done.error().text());
    writer.EndObject();
    print_json(buffer);
    std::fflush(stdout);
  }
  return 0;
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Runs a model once.", "lanthorn run"};
  app.add_option("MODEL", options.model, "the model file");
  add_input_options(app, options.inputs);
  app.add_option("--outputs", options.outputs, "write the outputs to this .npz file");
  app.add_option("--expect", options.expect, "compare the outputs with those of this .npz file; exit 1 where they differ");
  app.add_option("--tolerance", options.tolerance, "of --expect, relative to the largest value of an output")->capture_default_str();
  app.add_option("--labels", options.labels, "names of the classes, one a line");
  app.add_option("--top", options.top, "how many classes to print")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--threads", options.threads, "the most threads to use (default: all)")->check(CLI::Range(0, 4096));
  app.add_option("--precision", options.precision, "fp32, or bf16: products and convolutions with weights in bfloat16 (half the memory), sums in float32")->check(CLI::IsMember({"fp32", "bf16"}))->capture_default_str();
  app.add_flag("--reference", options.reference, "the graph as it was written, plain reference kernels");
  app.add_option("--batch", options.batch, "a file (or -) with one {\"model\", \"inputs\", \"outputs\"} a line");
  app.add_flag("--json", options.json, "one JSON document on stdout");
  app.footer("Examples:\n"
             "  lanthorn run resnet18.pt --input cat.jpg --preprocess imagenet --labels imagenet.txt\n"
             "  lanthorn run model.onnx --inputs in.npz --outputs out.npz\n"
             "  lanthorn run model.pt --input x=x.npy --expect golden.npz\n"
             "  lanthorn run model.pt --random --input-shape x:1,3,224,224");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  if (!options.batch.empty()) return run_batch(options);
  if (options.model.empty()) return report(Error{ErrorCode::kUsage, "no model is given", "", "See `lanthorn run --help`."});
  if (!options.inputs.any()) {
    return report(Error{ErrorCode::kUsage, "no input is given", "",
                        "Use --inputs IN.npz, --input FILE.png with --preprocess, --input NAME=FILE.npy or --random."});
  }
  const auto done = run_once(options);
  return done ? *done : report(done.error());
}

}  // namespace

extern constinit const Command command_run{"run", "runs a model once, on files, pictures or random inputs", run_command};

}  // namespace lanthorn
