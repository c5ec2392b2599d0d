#include <algorithm>
#include <cstdio>
#include <string>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/scan_files_shared.h"
#include "cli/scan_report_shared.h"
#include "model/name_rules.h"

namespace lanthorn {
namespace {

struct Options {
  std::vector<std::string> paths, allowed;
  std::string max_memory = "256M";
  int threads = 0;
  bool json = false, sarif = false, all = false, unknown_ok = false;
};

/// A pattern allows what is unknown; what is dangerous only where it is named in full.
bool is_allowed(const ScanFinding& finding, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    if (finding.verdict == GlobalVerdict::kDangerous) return pattern == finding.name;
    return matches_glob(finding.name, pattern);
  });
}

void relax(ScanReport& report, const Options& options) {
  for (ScanFinding& finding : report.findings) {
    if (finding.verdict == GlobalVerdict::kSafe || !is_allowed(finding, options.allowed)) continue;
    finding.verdict = GlobalVerdict::kSafe;
    finding.reason = "allowed by --allow";
  }
}

/// Texts, pictures, archives of other things: nothing that a model is loaded from.
bool is_no_model(const ScanReport& report) {
  constexpr std::string_view kFormats[] = {"unknown", "json", "empty", "gzip",
                                           "zlib",    "tar",  "zip"};
  if (report.format == "container") return true;
  if (!report.findings.empty() || (report.error && report.error->code == ErrorCode::kLimit))
    return false;
  return std::find(std::begin(kFormats), std::end(kFormats), report.format) != std::end(kFormats);
}

ScannedFile scan_found(const FoundFile& found, const Options& options, const ScanLimits& limits) {
  ScannedFile scanned{found.path.string(), {}, false};
  const auto file = MappedFile::open(found.path);
  if (!file) {
    scanned.report.error = file.error();
    return scanned;
  }
  scanned.report = scan_file(*file, limits);
  ScanReport& report = scanned.report;
  relax(report, options);
  scanned.other = !found.named && !has_model_name(found.path) && is_no_model(report);
  if (report.error) report.error = std::move(*report.error).at(scanned.path);
  return scanned;
}

/// Errors go to stderr, each file's; the exit status is that of the worst.
int finish(const std::vector<ScannedFile>& files, const Options& options) {
  bool found = false;
  int failed = 0;
  for (const ScannedFile& file : files) {
    if (file.other) continue;
    const GlobalVerdict worst = file.report.worst();
    found = found || worst == GlobalVerdict::kDangerous ||
            (worst == GlobalVerdict::kUnknown && !options.unknown_ok);
    if (!file.report.error) continue;
    const int status = report(*file.report.error);
    const auto rank = [](int exit) { return exit == 3 ? 3 : exit == 5 ? 2 : exit > 0 ? 1 : 0; };
    if (rank(status) > rank(failed)) failed = status;
  }
  return found ? 1 : failed;
}

Result<int> scan(const Options& options) {
  ScanLimits limits;
  LAN_TRY(limits.max_memory_bytes, parse_bytes(options.max_memory, "--max-memory"));
  LAN_TRY(const std::vector<FoundFile> found, find_files(options.paths));
  ThreadPool pool(options.threads);
  const uint64_t threads =
      std::max<size_t>(std::min(static_cast<size_t>(pool.size()), found.size()), 1);
  limits.max_memory_bytes = std::max<uint64_t>(limits.max_memory_bytes / threads, 1 << 20);
  std::vector<ScannedFile> files(found.size());
  {
    uint64_t total = 0;
    for (const FoundFile& file : found) total += file.bytes;
    Progress progress("scanning", total);
    pool.parallel_for(found.size(), 1, pool.size(), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        files[i] = scan_found(found[i], options, limits);
        progress.advance(found[i].bytes);
      }
    });
  }
  const std::string text = options.json    ? scan_json(files) + "\n"
                           : options.sarif ? scan_sarif(files) + "\n"
                                           : scan_text(files, options.all);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return finish(files, options);
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Says what loading a file with pickle.load, torch.load and other programs would run or "
      "reach. Nothing of it is run.",
      "lanthorn scan"};
  app.add_option("FILE", options.paths, "files, or folders with all that is in them")->required();
  app.add_option(
      "--allow", options.allowed,
      "a name that is fine: of a class you know (`mylib.models.*`); dangerous ones in full");
  app.add_flag("--unknown-ok", options.unknown_ok, "exit 1 only for what is dangerous");
  app.add_flag("--all", options.all, "list what is safe, too");
  auto* json = app.add_flag("--json", options.json, "one JSON document on stdout");
  app.add_flag("--sarif", options.sarif, "SARIF 2.1.0 on stdout, for code scanning services")
      ->excludes(json);
  app.add_option("--max-memory", options.max_memory,
                 "how much memory all threads may use: 512M, 2G")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "files at once (all processors)");
  app.footer(
      "Exit status: 0 all safe, 1 something dangerous or unknown, 3 a file is corrupt, 4 a format "
      "is not covered.\n\n"
      "Examples:\n"
      "  lanthorn scan downloaded.pth\n"
      "  lanthorn scan ~/.cache/huggingface --unknown-ok\n"
      "  lanthorn scan model.pt --allow 'mycompany.models.*'\n"
      "  lanthorn scan models/ --json | jq '.files[] | select(.verdict != \"safe\") | .file'\n"
      "  lanthorn scan models/ --sarif > scan.sarif");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const auto done = scan(options);
  return done ? *done : report(done.error());
}

}  // namespace

extern constinit const Command command_scan{"scan", "says what loading a file would run",
                                            run_command};

}  // namespace lanthorn
