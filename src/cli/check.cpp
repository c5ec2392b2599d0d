#include <cstdio>
#include <string>

#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/json_shared.h"
#include "formats/onnx/check/check.h"

namespace lanthorn {
namespace {

struct Options {
  std::string file;
  bool json = false;
};

/// A place of a finding; null where it has none.
void place(JsonWriter& writer, std::string_view key, const std::string& text) {
  json_key(writer, key);
  text.empty() ? static_cast<void>(writer.Null()) : json_text(writer, text);
}

void print_report(const std::string& file, const onnx::CheckReport& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "file", file);
  json_key(writer, "valid");
  writer.Bool(report.findings.empty());
  json_key(writer, "findings");
  writer.StartArray();
  for (const onnx::Finding& finding : report.findings) {
    writer.StartObject();
    json_member(writer, "message", finding.message);
    place(writer, "node", finding.node);
    place(writer, "value", finding.value);
    json_key(writer, "offset");
    finding.offset ? writer.Uint64(*finding.offset) : writer.Null();
    writer.EndObject();
  }
  writer.EndArray();
  json_texts(writer, "notes", report.notes);
  writer.EndObject();
  print_json(buffer);
}

void print_text(const std::string& file, const onnx::CheckReport& report) {
  for (const onnx::Finding& finding : report.findings) {
    std::string place = finding.node;
    if (!finding.value.empty()) place += (place.empty() ? "" : ", ") + ("value '" + finding.value + "'");
    if (finding.offset) place += (place.empty() ? "" : ", ") + ("offset " + std::to_string(*finding.offset));
    std::printf("%s\n", finding.message.c_str());
    if (!place.empty()) std::printf("  at %s\n", place.c_str());
  }
  for (const std::string& note : report.notes) std::printf("note: %s\n", note.c_str());
  if (report.findings.empty()) {
    std::printf("%s is valid\n", file.c_str());
  } else {
    std::printf("%s: %zu finding%s\n", file.c_str(), report.findings.size(), report.findings.size() == 1 ? "" : "s");
  }
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Checks an ONNX model: structure, operators, types, shapes, external data.", "lanthorn check"};
  app.add_option("MODEL", options.file, "an ONNX model")->required();
  app.add_flag("--json", options.json, "one JSON document on stdout");
  app.footer("Exit status: 0 the model is valid, 1 it is not; every finding is listed.\n\n"
             "Examples:\n"
             "  lanthorn check model.onnx\n"
             "  lanthorn check model.onnx --json | jq '.findings[].message'");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const auto checked = onnx::check_file(options.file, {});
  if (!checked) return report(checked.error());
  options.json ? print_report(options.file, *checked) : print_text(options.file, *checked);
  return checked->findings.empty() ? 0 : 1;
}

}  // namespace

extern constinit const Command command_check{"check", "checks an ONNX model, all findings at once", run_command};

}  // namespace lanthorn
