#include <algorithm>

#include "codec/bunzip2.h"
#include "codec/byte_reader.h"
#include "codec/inflate.h"
#include "codec/lzma.h"
#include "formats/scan/scanner.h"
#include "formats/torch/archive.h"

namespace lanthorn {

struct Scanner::Member {
  std::string name;
  uint16_t method = 0;
  std::span<const std::byte> payload;  // as it lies in the archive
  TorchArchiveKind archive = TorchArchiveKind::kNone;
};

namespace {

constexpr std::string_view kLocalHeader = "PK\x03\x04", kCentralHeader = "PK\x01\x02";
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kSniffedBytes = 4096;

/// Whether a member is a pickle by its name, for torch.load and for Python's other loaders.
bool is_pickle_name(std::string_view name) {
  constexpr std::string_view kEndings[] = {".pkl", ".pickle", ".joblib", ".dill"};
  std::string low(name);  // PyTorch's reader does not tell small letters from capitals
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return low.ends_with(ending); });
}

std::string_view archive_format(TorchArchiveKind kind) {
  constexpr std::string_view kNames[] = {"zip",    "torch", "torchscript",
                                         "mobile", "pt2",   "torch-package"};
  return kNames[static_cast<size_t>(kind)];
}

bool is_program(TorchArchiveKind kind) {
  return kind == TorchArchiveKind::kTorchScript || kind == TorchArchiveKind::kMobile;
}

std::string method_name(uint16_t method) {
  switch (method) {
    case 9:
      return "Deflate64";
    case 93:
      return "Zstandard";
    default:
      return "method " + std::to_string(method);
  }
}

bool is_opened(uint16_t method) {
  return method == 0 || method == 8 || method == 12 || method == 14 || method == 95;
}

/// Up to `limit` bytes of a compressed member.
Inflated unpack_prefix(std::span<const std::byte> payload, uint16_t method, uint64_t limit) {
  switch (method) {
    case 12:
      return bunzip2_prefix(payload, limit);
    case 14:
      return unlzma_zip_prefix(payload, limit);
    case 95:
      return unxz_prefix(payload, limit);
    default:
      return inflate_prefix(payload, DeflateWrapper::kNone, limit);
  }
}

}  // namespace

void Scanner::scan_member(const ScanPiece& piece, const Member& member) {
  if (member.name.ends_with('/') && member.payload.empty()) return;
  ScanPiece inner;
  inner.member = piece.inside(member.name);
  inner.depth = piece.depth + 1;
  inner.is_pickle = is_pickle_name(member.name);
  inner.in_program = is_program(member.archive);
  if (!is_opened(member.method)) {
    return add({method_name(member.method), GlobalVerdict::kUnknown,
                "is a compression that is not opened: unpack it and scan what is in it",
                inner.member, 0});
  }
  const bool is_code = inner.in_program && member.name.ends_with(".py");
  const bool is_listing =
      member.archive == TorchArchiveKind::kExport && member.name.ends_with(".json");
  const bool is_native = member.name.ends_with(".so") || member.name.ends_with(".dll") ||
                         member.name.ends_with(".dylib") || member.name.ends_with(".cubin");
  Inflated inflated;
  if (member.method == 0) {
    inner.bytes = member.payload;
  } else {
    // Storages are told from files by their beginning, so that they need not be inflated.
    const uint64_t room = std::min(memory_left_ / 2, limits_.max_inflated_bytes - inflated_);
    inflated = unpack_prefix(member.payload, member.method, std::min(room, kSniffedBytes));
    const ContentKind kind = content_kind(inflated.bytes);
    const bool wanted = inner.is_pickle || is_code || is_listing || kind != ContentKind::kOther;
    if (wanted && inflated.limited) {
      inflated = unpack_prefix(member.payload, member.method, room);
      if (inflated.limited) {
        fail(inner,
             {ErrorCode::kLimit, "the member inflates to more than the memory that there is"});
      }
    }
    if (!inflated.whole && !inflated.limited) {
      fail(inner, {ErrorCode::kCorrupt, "the compressed bytes are damaged"});
    }
    inflated_ += inflated.bytes.size();
    inner.bytes = inflated.bytes;
  }
  const MemoryShare share(memory_left_, inflated.bytes.size());
  const ContentKind kind = content_kind(inner.bytes);
  if (member.archive == TorchArchiveKind::kExport &&
      (kind == ContentKind::kMachineCode || is_native)) {
    return add({member.name, GlobalVerdict::kDangerous,
                "is machine code that loading the package runs", inner.member, 0});
  }
  if (is_code || is_listing) scan_operators(inner, is_code);
  // Packages and programs are zip files with code in them, and no models.
  const bool code = kind == ContentKind::kMachineCode || kind == ContentKind::kBytecode;
  if (!is_code && !(code && member.archive == TorchArchiveKind::kNone)) scan(inner);
}

void Scanner::scan_members(const ScanPiece& piece, const ZipArchive& zip) {
  const TorchArchiveKind kind = torch_archive_kind(piece.bytes);
  if (piece.depth == 0 && (report_.format.empty() || report_.format == "zip")) {
    report_.format = archive_format(kind);
  }
  if (kind == TorchArchiveKind::kPackage) {
    add({"torch.package", GlobalVerdict::kDangerous,
         "runs the Python code that the package carries", piece.member, 0});
  }
  const auto file = zip.file()->bytes();
  for (const ZipEntry& entry : zip.entries()) {
    const Member member{entry.name, entry.method,
                        file.subspan(entry.payload, entry.compressed_bytes), kind};
    if (entry.encrypted) {
      // What says so without being encrypted is read by some and not by others.
      report_.notes.push_back("'" + entry.name + "' is marked as encrypted");
      add({entry.name, GlobalVerdict::kUnknown,
           "is marked as encrypted, which not every reader heeds", piece.member,
           entry.local_header});
    }
    scan_member(piece, member);
    // Python's zipfile refuses what PyTorch reads where a CRC does not fit.
    if (is_pickle_name(entry.name) && !entry.encrypted &&
        (entry.method == 0 || entry.method == 8)) {
      if (const auto read = zip.read(entry, memory_left_ / 2); !read) fail(piece, read.error());
    }
  }
}

/// Bytes of the archive that belong to no member.
void Scanner::scan_gaps(const ScanPiece& piece, const ZipArchive& zip) {
  constexpr uint64_t kMostDescriptor = 24;
  std::vector<std::pair<uint64_t, uint64_t>> used;
  for (const ZipEntry& entry : zip.entries()) {
    used.emplace_back(entry.local_header, entry.payload + entry.compressed_bytes);
  }
  std::sort(used.begin(), used.end());
  uint64_t position = 0;
  const auto look_at = [&](uint64_t end) {
    if (end <= position || (position > 0 && end - position <= kMostDescriptor)) return;
    ScanPiece gap = piece;
    gap.bytes = piece.bytes.subspan(position, end - position);
    if (as_text(gap.bytes).starts_with(kCentralHeader)) return;
    gap.member = piece.inside("bytes from " + std::to_string(position));
    gap.depth = piece.depth + 1;
    gap.is_pickle = gap.in_program = false;
    gap.file = nullptr;
    report_.notes.push_back(std::to_string(gap.bytes.size()) + " bytes at " +
                            std::to_string(position) + " belong to no member of the archive");
    scan(gap);
  };
  for (const auto& [start, end] : used) {
    look_at(start);
    position = std::max(position, end);
  }
}

void Scanner::scan_zip(const ScanPiece& piece) {
  // Its members lie in the same bytes, so nothing is copied.
  const auto file = piece.file ? piece.file : MappedFile::view(piece.bytes);
  auto zip = ZipArchive::open(file);
  if (!zip) {
    fail(piece, zip.error());
    return scan_local_headers(piece);
  }
  if (const TorchArchiveKind kind = torch_archive_kind(piece.bytes);
      kind != TorchArchiveKind::kNone && piece.file) {
    // What PyTorch's reader would see is only sure where its own rules are kept.
    if (const auto archive = TorchArchive::open(piece.file);
        !archive && archive.error().code == ErrorCode::kCorrupt) {
      fail(piece, archive.error());
    }
  }
  scan_members(piece, *zip);
  scan_gaps(piece, *zip);
}

/// An archive that readers may disagree on: every member that any of them could find.
void Scanner::scan_local_headers(const ScanPiece& piece) {
  constexpr uint64_t kMostHeaders = 20'000;
  const std::string_view text = as_text(piece.bytes);
  uint64_t position = text.find(kLocalHeader), directory = 0;
  for (uint64_t count = 0; position != text.npos && count < kMostHeaders; ++count) {
    if (piece.bytes.size() - position < kLocalBytes) break;
    const std::byte* header = piece.bytes.data() + position;
    const auto name_bytes = load_little<uint16_t>(header + 26),
               extra_bytes = load_little<uint16_t>(header + 28);
    const uint64_t name_at = position + kLocalBytes;
    const uint64_t start = std::min<uint64_t>(name_at + name_bytes + extra_bytes, text.size());
    const uint64_t next =
        std::min(text.find(kLocalHeader, std::max(start, position + 4)), text.size());
    if (directory < start) directory = std::min(text.find(kCentralHeader, start), text.size());
    Member member;
    member.name = text.substr(name_at, name_bytes);
    member.method = load_little<uint16_t>(header + 8);
    const uint64_t end = std::min(next, directory);
    member.payload = piece.bytes.subspan(start, end > start ? end - start : 0);
    if (member.method != 0) member.method = 8;  // the central directory may know better
    const std::string_view payload = as_text(member.payload);
    if (payload.starts_with("\x80") || payload.starts_with("PK")) member.method = 0;
    std::optional<Error> own;  // of the archive, which says more than its members'
    std::swap(own, report_.error);
    scan_member(piece, member);
    std::swap(own, report_.error);
    position = next == text.size() ? text.npos : next;
  }
}

}  // namespace lanthorn
