// Any bytes as a file to scan. What the loader reads as a pickle, the scan must have seen in whole.

#include "formats/scan/scan.h"

#include <algorithm>
#include <cstdlib>

#include "formats/scan/content.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  const auto file = MappedFile::of(std::as_bytes(std::span(data, size)));
  const ScanLimits limits{.max_memory_bytes = 32 << 20,
                          .max_nesting = 4,
                          .max_members = 2'000,
                          .max_findings = 1'000,
                          .max_inflated_bytes = 32 << 20};
  const ScanReport report = scan_file(file, limits);
  if (content_kind(file->bytes()) != ContentKind::kPickle) return 0;
  const auto tree = read_pickle(file->bytes(), {.max_nodes = 10'000, .max_bytes = 1 << 20});
  if (!tree || tree->globals.size() > limits.max_findings) return 0;
  for (const PickleGlobal& global : tree->globals) {
    const std::string name = global.module + "." + global.name;
    if (std::none_of(report.findings.begin(), report.findings.end(),
                     [&](const ScanFinding& finding) { return finding.name == name; })) {
      std::abort();
    }
  }
  return 0;
}
