#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/mapped_file.h"
#include "formats/torch/globals.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Something in a file that a program that loads it acts on: a global of a pickle, an operator that
/// needs a library of its own, a path out of the model's folder, a container that was not opened.
struct ScanFinding {
  std::string name;  // "posix.system", "com.example::Op", "../secret"
  GlobalVerdict verdict = GlobalVerdict::kUnknown;
  std::string reason;   // empty where it is safe
  std::string member;   // where: "archive/data.pkl › bytes at 17"; empty for the file itself
  uint64_t offset = 0;  // in the member
  uint64_t count = 1;   // safe ones are listed once a member
};

struct ScanReport {
  std::string format;  // "torch", "torchscript", "pickle", "onnx", "zip", "hdf5", ...
  std::vector<ScanFinding> findings;
  std::vector<std::string> notes;  // what was not looked at, and what is odd
  std::optional<Error> error;  // kCorrupt, kLimit, kUnsupported for a format that is not covered

  /// The worst verdict of all findings.
  GlobalVerdict worst() const;
};

struct ScanLimits {
  uint64_t max_memory_bytes = uint64_t{256} << 20;  // of trees and of what is inflated
  uint32_t max_nesting = 8;                         // of files in files
  uint64_t max_members = 200'000;                   // streams and members, all told
  uint64_t max_findings = 10'000;                   // then the rest is counted in a note
  uint64_t max_inflated_bytes = uint64_t{2} << 30;  // all told, one after the other
};

/// What Python's pickle.load or torch.load and other programs would do with a file, as far as its
/// bytes tell; nothing of it is done. A pickle is judged by the same machine that loads files; what
/// stands before a break counts, as it would have run by then. Files in files are looked into: zip
/// members of any name, gzip, tar, bytes in pickles, streams after a stream.
ScanReport scan_file(const std::shared_ptr<const MappedFile>& file, const ScanLimits& limits = {});

}  // namespace lanthorn
