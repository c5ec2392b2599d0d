#include <algorithm>

#include "codec/byte_reader.h"
#include "formats/format.h"
#include "formats/scan/scanner.h"
#include "formats/torch/global_lists.h"
#include "formats/torch/joblib.h"
#include "formats/torch/legacy.h"
#include "formats/torch/pickled_bytes.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

/// What a name must look like to be one, where the bytes may be no pickle at all.
bool is_identifier_path(std::string_view text) {
  constexpr std::string_view kSigns =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  return !text.empty() && text.find_first_not_of(kSigns) == text.npos;
}

/// Strings that may hold a file: bytes that were taken for Latin-1 text, or opcodes as text.
bool may_hold_file(const PickleNode& node) {
  if (node.kind == Kind::kBytes || node.kind == Kind::kByteArray) return node.bytes().size() >= 4;
  if (node.kind != Kind::kString || node.text.size() < 6) return false;
  const bool call = node.text[0] == 'c' || node.text[0] == '(' || node.text[0] == 'i';
  return call && node.text.find('\n') != node.text.npos;
}

}  // namespace

void Scanner::scan_pickles(const ScanPiece& piece) {
  if (looks_like_legacy(piece.bytes)) return scan_legacy(piece);
  // The first stream is what a loader reads; some read on.
  uint64_t position = 0;
  const bool looks_so = content_kind(piece.bytes) == ContentKind::kPickle;
  const bool is_pickle = piece.is_pickle && (looks_so || piece.depth > 0);
  bool first = true;
  while (position < piece.bytes.size()) {
    uint64_t end = position;
    const bool whole = scan_stream(piece, position, is_pickle && first, end);
    if (piece.depth == 0 && report_.format.empty() && (whole || looks_so)) {
      report_.format = "pickle";
    }
    if (!whole || end <= position || !enter(piece)) break;
    position = end;
    if (first && position < piece.bytes.size() && is_pickle) {
      report_.notes.push_back(std::to_string(piece.bytes.size() - position) +
                              " bytes follow the end of the pickle" +
                              (piece.member.empty() ? "" : " in " + piece.member));
    }
    first = false;
  }
}

bool Scanner::scan_stream(const ScanPiece& piece, uint64_t position, bool is_pickle,
                          uint64_t& end) {
  PickleLimits limits;
  limits.max_bytes = std::min<uint64_t>(limits.max_bytes, memory_left_ / 2);
  limits.inline_bytes = joblib_bytes;
  PickleScan scan = scan_pickle(piece.bytes.subspan(position), limits, position);
  end = position + scan.tree.bytes_read;
  const MemoryShare share(memory_left_, scan.tree.nodes.size() * sizeof(PickleNode));
  mark_harmless_uses(scan.tree);
  add_globals(piece, scan, is_pickle);
  if (scan.error && is_pickle) fail(piece, *scan.error);
  const bool convincing = is_pickle || !scan.error || !scan.tree.globals.empty();
  if (convincing) scan_values(piece, scan.tree);
  if (piece.member.ends_with("bytecode.pkl")) add_bytecode_operators(piece, scan.tree);
  return !scan.error;
}

void Scanner::add_globals(const ScanPiece& piece, const PickleScan& scan, bool is_pickle) {
  for (const PickleGlobal& global : scan.tree.globals) {
    const GlobalJudgement judgement = judge_global(global);
    ScanFinding finding{global.module + "." + global.name, judgement.verdict,
                        std::string(judgement.reason), piece.member, global.offset};
    if (piece.in_program && add_program_class(piece, global)) continue;
    if (!is_pickle) {
      // Any bytes may look like a pickle that breaks off soon, and a text like one that names
      // things.
      if (scan.error && (global.computed || !is_identifier_path(finding.name))) continue;
      if (scan.error && scan.tree.protocol == 0 && global.offset >= scan.error_offset) continue;
      const bool listed = !danger_of_global(global.module, global.name).empty();
      if (scan.error && !listed && !global.called) continue;
      if (global.computed && scan.tree.protocol == 0 && piece.depth > 0) continue;
    }
    add(std::move(finding));
  }
}

void Scanner::scan_values(const ScanPiece& piece, const PickleTree& tree) {
  for (PickleId id = 0; id < tree.nodes.size(); ++id) {
    const PickleNode& node = tree.nodes[id];
    const auto made = bytes_of_text(tree, id);
    std::span<const std::byte> bytes;
    if (made) bytes = as_bytes(*made);
    if (may_hold_file(node)) bytes = node.bytes();
    if (bytes.size() < 4) continue;
    const ContentKind kind = content_kind(bytes);
    const MemoryShare share(memory_left_, made ? made->size() : 0);
    const ScanPiece inner{bytes,
                          piece.inside("bytes at " + std::to_string(node.offset)),
                          piece.depth + 1,
                          false,
                          piece.in_program,
                          nullptr};
    if (kind != ContentKind::kOther && node.kind != Kind::kString) {
      scan(inner);
    } else if (inner.depth <= limits_.max_nesting) {
      scan_pickles(inner);  // too many and too short to be counted as members
    }
    if (report_.error && report_.error->code == ErrorCode::kLimit) return;
  }
}

void Scanner::scan_legacy(const ScanPiece& piece) {
  constexpr int kPickles = 5;  // magic, version, machine, object, keys of the storages
  uint64_t position = 0;
  for (int i = 0; i < kPickles; ++i) {
    uint64_t end = position;
    if (!scan_stream(piece, position, /*is_pickle=*/true, end)) return;
    position = end;
  }
  ReadLimits limits;
  limits.max_memory_bytes = memory_left_ / 2;
  const auto legacy = read_legacy(piece.bytes, nullptr, pickle_limits(limits));
  if (!legacy) return fail(piece, legacy.error());
  if (legacy->bytes_read == piece.bytes.size()) return;
  report_.notes.push_back(std::to_string(piece.bytes.size() - legacy->bytes_read) +
                          " bytes follow the last storage");
  ScanPiece rest = piece;
  rest.bytes = piece.bytes.subspan(legacy->bytes_read);
  rest.member = piece.inside("bytes from " + std::to_string(legacy->bytes_read));
  rest.depth = piece.depth + 1;
  rest.is_pickle = false;
  scan(rest);
}

/// The operators of a mobile model: tuples of a name with its namespace and an overload.
void Scanner::add_bytecode_operators(const ScanPiece& piece, const PickleTree& tree) {
  for (const PickleNode& node : tree.nodes) {
    if (node.kind != Kind::kString) continue;
    const size_t colons = node.text.find("::");
    if (colons == node.text.npos || node.text.find_first_of(" /\n") != node.text.npos) continue;
    add_operator(piece, std::string_view(node.text).substr(0, colons),
                 std::string_view(node.text).substr(colons + 2), node.offset);
  }
}

}  // namespace lanthorn
