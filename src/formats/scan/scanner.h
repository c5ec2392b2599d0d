#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "codec/zip.h"
#include "formats/scan/content.h"
#include "formats/scan/scan.h"

namespace lanthorn {

/// Some bytes of a file, and what is known of them before they are looked at.
struct ScanPiece {
  std::span<const std::byte> bytes;
  std::string member;  // how to get there; empty for the file itself
  uint32_t depth = 0;  // of files in files
  /// It is a pickle by its name or place. What only looks like one is reported where it does harm
  /// or comes to its end, since any bytes may look so.
  bool is_pickle = false;
  bool in_program = false;                 // of a TorchScript archive, whose classes are its own
  std::shared_ptr<const MappedFile> file;  // where the piece is the whole of it

  std::string inside(std::string_view part) const {
    return member.empty() ? std::string(part) : member + " › " + std::string(part);
  }
};

/// Walks through one file and all that lies in it. One object for one file.
class Scanner {
 public:
  Scanner(const ScanLimits& limits, ScanReport& report)
      : limits_(limits), report_(report), memory_left_(limits.max_memory_bytes) {}

  void scan(const ScanPiece& piece);

 private:
  // scan.cpp
  void scan_as(ContentKind kind, const ScanPiece& piece);
  void scan_whole(ContentKind kind, const ScanPiece& piece);
  bool enter(const ScanPiece& piece);
  void add(ScanFinding finding);
  void add_unopened(const ScanPiece& piece, std::string_view what);
  void fail(const ScanPiece& piece, Error error);
  void scan_compressed(const ScanPiece& piece, ContentKind kind);
  void scan_tar(const ScanPiece& piece);
  void scan_npy(const ScanPiece& piece);
  void scan_json(const ScanPiece& piece);

  // scan_pickle.cpp
  void scan_pickles(const ScanPiece& piece);
  bool scan_stream(const ScanPiece& piece, uint64_t position, bool is_pickle, uint64_t& end);
  void scan_legacy(const ScanPiece& piece);
  void add_globals(const ScanPiece& piece, const PickleScan& scan, bool is_pickle);
  void scan_values(const ScanPiece& piece, const PickleTree& tree);
  void add_bytecode_operators(const ScanPiece& piece, const PickleTree& tree);

  // scan_zip.cpp
  void scan_zip(const ScanPiece& piece);
  void scan_members(const ScanPiece& piece, const ZipArchive& zip);
  void scan_gaps(const ScanPiece& piece, const ZipArchive& zip);
  void scan_local_headers(const ScanPiece& piece);
  struct Member;
  void scan_member(const ScanPiece& piece, const Member& member);

  // scan_program.cpp
  bool add_program_class(const ScanPiece& piece, const PickleGlobal& global);
  void scan_operators(const ScanPiece& piece, bool is_code);
  void add_operator(const ScanPiece& piece, std::string_view space, std::string_view name,
                    uint64_t offset);
  void scan_onnx(const ScanPiece& piece);

  const ScanLimits& limits_;
  ScanReport& report_;
  uint64_t memory_left_;
  uint64_t inflated_ = 0, members_ = 0, dropped_ = 0;
  std::unordered_map<std::string, size_t>
      listed_;  // safe findings and operators, by member and name
};

/// A budget's share that is given back at the end of a scope.
class MemoryShare {
 public:
  MemoryShare(uint64_t& left, uint64_t bytes) : left_(left), bytes_(std::min(left, bytes)) {
    left_ -= bytes_;
  }
  ~MemoryShare() { left_ += bytes_; }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

 private:
  uint64_t& left_;
  uint64_t bytes_;
};

}  // namespace lanthorn
