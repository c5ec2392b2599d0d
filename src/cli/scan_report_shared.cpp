#include "cli/scan_report_shared.h"

#include <array>

#include "cli/command_line_shared.h"
#include "cli/json_shared.h"

namespace lanthorn {
namespace {

std::string_view verdict_name(GlobalVerdict verdict) {
  switch (verdict) {
    case GlobalVerdict::kSafe:
      return "safe";
    case GlobalVerdict::kDangerous:
      return "dangerous";
    case GlobalVerdict::kUnknown:
      break;
  }
  return "unknown";
}

struct Count {
  std::string_view verdict;
  uint64_t files = 0;
};

/// How many files have each verdict, the worst first; `others` are files that were left out.
std::array<Count, 6> count_verdicts(std::span<const ScannedFile> files, uint64_t& others) {
  std::array<Count, 6> counts = {
      {{"dangerous"}, {"unknown"}, {"corrupt"}, {"unsupported"}, {"unreadable"}, {"safe"}}};
  for (const ScannedFile& file : files) {
    if (file.other) {
      ++others;
      continue;
    }
    const std::string_view verdict = scan_verdict(file.report);
    for (Count& count : counts) count.files += count.verdict == verdict ? 1 : 0;
  }
  return counts;
}

void write_finding(JsonWriter& writer, const ScanFinding& finding) {
  writer.StartObject();
  json_member(writer, "name", finding.name);
  json_member(writer, "verdict", verdict_name(finding.verdict));
  json_member(writer, "reason", finding.reason);
  json_member(writer, "member", finding.member);
  json_key(writer, "offset");
  writer.Uint64(finding.offset);
  if (finding.count > 1) {
    json_key(writer, "count");
    writer.Uint64(finding.count);
  }
  writer.EndObject();
}

struct Rule {
  std::string_view id, level, text;
};

constexpr Rule kRules[] = {
    {"dangerous-global", "error", "Loading the file runs or reaches something that does harm"},
    {"unknown-global", "warning",
     "Loading the file imports something that is not on the list of what is safe"},
    {"unreadable-file", "error", "The file is corrupt, hostile or of a format that is not covered"},
};

void write_result(JsonWriter& writer, const Rule& rule, const std::string& path,
                  std::string_view message, std::string_view member, uint64_t offset) {
  writer.StartObject();
  json_member(writer, "ruleId", rule.id);
  json_member(writer, "level", rule.level);
  json_key(writer, "message");
  writer.StartObject();
  json_member(writer, "text", message);
  writer.EndObject();
  json_key(writer, "locations");
  writer.StartArray();
  writer.StartObject();
  json_key(writer, "physicalLocation");
  writer.StartObject();
  json_key(writer, "artifactLocation");
  writer.StartObject();
  json_member(writer, "uri", path);
  writer.EndObject();
  if (member.empty()) {
    json_key(writer, "region");
    writer.StartObject();
    json_key(writer, "byteOffset");
    writer.Uint64(offset);
    writer.EndObject();
  }
  writer.EndObject();
  if (!member.empty()) {
    json_key(writer, "logicalLocations");
    writer.StartArray();
    writer.StartObject();
    json_member(writer, "fullyQualifiedName", std::string(member) + "@" + std::to_string(offset));
    writer.EndObject();
    writer.EndArray();
  }
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
}

std::string place_text(const ScanFinding& finding) {
  return " at byte " + std::to_string(finding.offset) +
         (finding.member.empty() ? "" : " of " + finding.member);
}

/// A path as a URI reference: what is no letter, digit or harmless sign is escaped.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF", kPlain = "-._~/";
  std::string uri;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != kPlain.npos;
    if (plain) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4];
    uri += kHex[byte & 15];
  }
  return uri;
}

}  // namespace

std::string_view scan_verdict(const ScanReport& report) {
  const GlobalVerdict worst = report.worst();
  if (worst != GlobalVerdict::kSafe || !report.error) return verdict_name(worst);
  switch (report.error->code) {
    case ErrorCode::kCorrupt:
    case ErrorCode::kLimit:
      return "corrupt";
    case ErrorCode::kUnsupported:
      return "unsupported";
    default:
      return "unreadable";
  }
}

std::string scan_json(std::span<const ScannedFile> files) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_key(writer, "files");
  writer.StartArray();
  for (const ScannedFile& file : files) {
    if (file.other) continue;
    writer.StartObject();
    json_member(writer, "file", file.path);
    json_member(writer, "verdict", scan_verdict(file.report));
    json_member(writer, "format", file.report.format);
    json_key(writer, "globals");
    writer.StartArray();
    for (const ScanFinding& finding : file.report.findings) write_finding(writer, finding);
    writer.EndArray();
    json_texts(writer, "notes", file.report.notes);
    if (file.report.error) json_member(writer, "error", file.report.error->text());
    writer.EndObject();
  }
  writer.EndArray();
  json_key(writer, "summary");
  writer.StartObject();
  uint64_t others = 0;
  for (const Count& count : count_verdicts(files, others)) {
    json_key(writer, count.verdict);
    writer.Uint64(count.files);
  }
  json_key(writer, "other");
  writer.Uint64(others);
  writer.EndObject();
  writer.EndObject();
  return buffer.GetString();
}

std::string scan_sarif(std::span<const ScannedFile> files) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  json_member(writer, "version", "2.1.0");
  json_key(writer, "runs");
  writer.StartArray();
  writer.StartObject();
  json_key(writer, "tool");
  writer.StartObject();
  json_key(writer, "driver");
  writer.StartObject();
  json_member(writer, "name", "lanthorn");
  json_member(writer, "version", version());
  json_key(writer, "rules");
  writer.StartArray();
  for (const Rule& rule : kRules) {
    writer.StartObject();
    json_member(writer, "id", rule.id);
    json_key(writer, "shortDescription");
    writer.StartObject();
    json_member(writer, "text", rule.text);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  writer.EndObject();
  json_key(writer, "results");
  writer.StartArray();
  for (const ScannedFile& file : files) {
    if (file.other) continue;
    const std::string uri = uri_of(file.path);
    for (const ScanFinding& finding : file.report.findings) {
      if (finding.verdict == GlobalVerdict::kSafe) continue;
      const Rule& rule = kRules[finding.verdict == GlobalVerdict::kDangerous ? 0 : 1];
      write_result(writer, rule, uri,
                   "'" + finding.name + "'" + place_text(finding) + " " + finding.reason,
                   finding.member, finding.offset);
    }
    if (file.report.error) write_result(writer, kRules[2], uri, file.report.error->message, "", 0);
  }
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
  return buffer.GetString();
}

std::string scan_text(std::span<const ScannedFile> files, bool all) {
  std::string text;
  for (const ScannedFile& file : files) {
    if (file.other) continue;
    text += printable(file.path) + ": " + std::string(scan_verdict(file.report)) + "\n";
    for (const ScanFinding& finding : file.report.findings) {
      if (finding.verdict == GlobalVerdict::kSafe && !all) continue;
      text += "  " + std::string(verdict_name(finding.verdict)) + "  " + printable(finding.name) +
              printable(place_text(finding));
      if (!finding.reason.empty()) text += ": " + finding.reason;
      if (finding.count > 1) text += " (" + std::to_string(finding.count) + " times)";
      text += "\n";
    }
    for (const std::string& note : file.report.notes) text += "  note  " + printable(note) + "\n";
  }
  uint64_t others = 0, total = 0;
  std::string summary;
  for (const Count& count : count_verdicts(files, others)) {
    total += count.files;
    if (count.files > 0)
      summary += ", " + std::to_string(count.files) + " " + std::string(count.verdict);
  }
  if (files.size() < 2) return text;
  text += std::to_string(total) + " files" + summary;
  if (others > 0) text += "; " + std::to_string(others) + " that are no model files";
  return text + "\n";
}

}  // namespace lanthorn
