#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/scan/scan.h"

namespace lanthorn {

/// What a scan said of one file.
struct ScannedFile {
  std::string path;
  ScanReport report;
  /// Found in a folder, and neither a model's file by its name nor by its bytes: not listed.
  bool other = false;
};

/// "dangerous", "unknown", "safe", or where nothing is worse: "corrupt", "unsupported",
/// "unreadable".
std::string_view scan_verdict(const ScanReport& report);

/// {"files": [{"file", "verdict", "format", "globals": [...], "notes", "error"?}], "summary":
/// {...}}
std::string scan_json(std::span<const ScannedFile> files);
/// SARIF 2.1.0, one run: a result for each dangerous or unknown finding and each unreadable file.
std::string scan_sarif(std::span<const ScannedFile> files);
/// Lines for people; safe findings only with `all`.
std::string scan_text(std::span<const ScannedFile> files, bool all);

}  // namespace lanthorn
