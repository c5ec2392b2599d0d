#include <set>

#include "formats/onnx/check/check.h"
#include "formats/onnx/check/checker.h"
#include "formats/onnx/import.h"
#include "formats/onnx/importer.h"
#include "ops/infer_all.h"

namespace lanthorn::onnx {
namespace {

// The node of the main graph that makes a value.
const NodeProto* maker_of(const ModelProto& model, std::string_view value) {
  if (value.empty()) return nullptr;
  for (const NodeProto& node : model.graph->nodes) {
    for (const std::string_view output : node.outputs) {
      if (output == value) return &node;
    }
  }
  return nullptr;
}

Finding finding_of(const Error& error, const ModelProto& model, const std::string& value) {
  Finding finding{error.message, error.where, value, std::nullopt};
  if (const NodeProto* node = maker_of(model, value)) {
    finding.node = node_place(*node);
    finding.offset = node->offset;
  }
  return finding;
}

// Shape inference on the graph as the program would run it.
void infer(const ModelProto& model, const std::shared_ptr<const MappedFile>& file,
           const ReadLimits& limits, bool structure_holds, CheckReport& report) {
  const auto imported = import_model(model, file, limits);
  if (!imported) {
    const Error& error = imported.error();
    const bool wrong = error.code == ErrorCode::kCorrupt ||
                       error.code == ErrorCode::kInvalidInput || error.code == ErrorCode::kNotFound;
    // What breaks the structure was told already.
    if (wrong && structure_holds) report.findings.push_back(finding_of(error, model, ""));
    if (!wrong) report.notes.push_back("shapes were not checked: " + error.message);
    return;
  }
  Graph graph = *imported->graph;
  const auto problems = infer_all(graph);
  if (!problems) {
    report.notes.push_back("shapes were not checked: " + problems.error().message);
    return;
  }
  std::set<std::string>
      known;  // nodes of which something is told already; a loop's body is seen twice
  for (const Finding& finding : report.findings) known.insert(finding.node);
  for (const InferProblem& problem : *problems) {
    Finding finding = finding_of(problem.error, model, problem.value);
    if (problem.error.code == ErrorCode::kUnsupported || problem.error.code == ErrorCode::kLimit) {
      report.notes.push_back(finding.node + ": " + finding.message);
    } else if (known.insert(finding.node + finding.message).second &&
               !known.contains(finding.node)) {
      report.findings.push_back(std::move(finding));
    }
  }
}

}  // namespace

CheckReport check_model(const ModelProto& model, const std::shared_ptr<const MappedFile>& file,
                        const ReadLimits& limits) {
  CheckReport report;
  Checker checker(model, file);
  checker.check();
  report.findings = std::move(checker.findings);
  infer(model, file, limits, report.findings.empty(), report);
  return report;
}

Result<CheckReport> check_file(const std::filesystem::path& path, const ReadLimits& limits) {
  LAN_TRY(const auto file, MappedFile::open(path));
  const auto model = decode_model(file->bytes(), limits);
  if (!model) return Error(model.error()).at(path.string());
  return check_model(*model, file, limits);
}

}  // namespace lanthorn::onnx
